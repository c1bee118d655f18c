"""Counts of parameters and of bytes, which cannot be taken for each other."""

import pytest

from zooselect import UsageError
from zooselect.cli.quantities import byte_count, fraction, parameter_count


@pytest.mark.parametrize(
    ("text", "millions"),
    [
        ("25600000", 25.6),
        ("25.6M", 25.6),
        ("25.6m", 25.6),
        ("1.3B", 1300),
        ("500k", 0.5),
    ],
)
def test_parameters(text, millions):
    assert parameter_count(text) == pytest.approx(millions)


@pytest.mark.parametrize(
    ("text", "count"),
    [("50MB", 50_000_000), ("50mb", 50_000_000), ("1KiB", 1024), ("48MiB", 48 * 2**20),
     ("1.5GB", 1_500_000_000), ("123", 123), ("9b", 9), ("2TiB", 2**41)],
)  # fmt: skip
def test_bytes(text, count):
    assert byte_count(text) == count


@pytest.mark.parametrize(
    "text",
    ["", "M", "MB", "-1M", "1e6", "1_000", "\u0663M", "1.2.3M", "nan", "inf", "M5", "5 M", "5 MB"],
)
def test_neither(text):
    for read in (parameter_count, byte_count):
        with pytest.raises(UsageError):
            read(text)


@pytest.mark.parametrize("text", ["50MB", "48MiB", "1KB"])
def test_bytes_are_no_parameters(text):
    with pytest.raises(UsageError, match="not a count of parameters"):
        parameter_count(text)


@pytest.mark.parametrize("text", ["50M", "25.6M", "1K", "1G"])
def test_parameters_are_no_bytes(text):
    with pytest.raises(UsageError, match="not a count of bytes"):
        byte_count(text)


@pytest.mark.parametrize(("text", "value"), [("0.99", 0.99), ("99%", 0.99), ("100%", 1), ("1", 1)])
def test_fractions(text, value):
    assert fraction(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "%", "-1", "99%%", "1e-1", "nan", "0,99", "99 %", "\u0669%"])
def test_no_fractions(text):
    with pytest.raises(UsageError, match="is not a fraction"):
        fraction(text)
