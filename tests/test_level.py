"""Optim levels and the three policies."""

import math
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zooselect.errors import UsageError
from zooselect.level import (
    BANDS,
    MODES,
    ONE_SHOT,
    POLICY,
    SPARSE_TRANSFER,
    TRAINING_AWARE,
    band_of,
    parse_level,
    parse_level_text,
    parse_mode,
)

TINY = 5e-324
EDGES = [0.25, 0.3, 0.5, 0.75]
NEAR = [
    0.0,
    TINY,
    1.0,
    math.nextafter(1.0, 0),
    *(
        value
        for edge in EDGES
        for value in (math.nextafter(edge, 0), edge, math.nextafter(edge, 1))
    ),
]
levels = st.one_of(st.floats(0, 1).map(abs), st.sampled_from(NEAR))
FORMULA = {ONE_SHOT: (0.40, 0.40), TRAINING_AWARE: (0.60, 0.35)}


def below(edge):
    return math.nextafter(edge, 0)


def sparsity_at(level, mode):
    return band_of(level, mode).sparsity_at(level)


@pytest.mark.parametrize(
    ("level", "tier", "optimization", "text"),
    [
        (0.0, "largest", "base", "0"),
        (TINY, "largest", "quantized", "(0, 0.25)"),
        (below(0.25), "largest", "quantized", "(0, 0.25)"),
        (0.25, "largest", "pruned_quantized", "[0.25, 0.5)"),
        (below(0.5), "largest", "pruned_quantized", "[0.25, 0.5)"),
        (0.5, "medium", "pruned_quantized", "[0.5, 0.75)"),
        (below(0.75), "medium", "pruned_quantized", "[0.5, 0.75)"),
        (0.75, "smallest", "pruned_quantized", "[0.75, 1]"),
        (below(1.0), "smallest", "pruned_quantized", "[0.75, 1]"),
        (1.0, "smallest", "pruned_quantized", "[0.75, 1]"),
    ],
)
def test_sparse_transfer(level, tier, optimization, text):
    band = band_of(level)
    assert (band.tier, band.optimization, str(band)) == (tier, optimization, text)


@pytest.mark.parametrize(
    ("mode", "level", "sparsity", "quantized"),
    [
        *((mode, 0.0, None, False) for mode in FORMULA),
        *((mode, level, None, True) for mode in FORMULA for level in (TINY, 0.1, below(0.3))),
        (ONE_SHOT, 0.3, 0.40, True),
        (ONE_SHOT, 1.0, 0.80, True),
        (TRAINING_AWARE, 0.3, 0.60, True),
        (TRAINING_AWARE, 1.0, 0.95, True),
    ],
)
def test_sparsity_at_the_edges_is_exact(mode, level, sparsity, quantized):
    band = band_of(level, mode)
    assert (band.sparsity_at(level), band.quantized) == (sparsity, quantized)


@pytest.mark.parametrize(("mode", "sparsity"), [(ONE_SHOT, 0.5142857), (TRAINING_AWARE, 0.70)])
def test_sparsity_in_the_middle(mode, sparsity):
    assert sparsity_at(0.5, mode) == pytest.approx(sparsity, abs=5e-8)


@given(st.sampled_from(sorted(FORMULA)), levels, levels)
def test_sparsity_follows_the_line_and_never_falls(mode, one, other):
    start, height = FORMULA[mode]
    for level in (one, other):
        sparsity = sparsity_at(level, mode)
        if level < 0.3:
            assert sparsity is None
        else:
            assert sparsity == pytest.approx(start + (level - 0.3) / 0.7 * height, abs=1e-15)
            assert start <= sparsity <= {ONE_SHOT: 0.80, TRAINING_AWARE: 0.95}[mode]
    low, high = sorted((one, other))
    assert (sparsity_at(low, mode) or 0) <= (sparsity_at(high, mode) or 0)


@given(st.sampled_from(MODES), levels)
def test_every_level_lies_in_exactly_one_band(mode, level):
    holding = [band for band in BANDS[mode] if band.holds(level)]
    assert holding == [band_of(level, mode)]


@pytest.mark.parametrize("mode", MODES)
def test_bands_cover_the_axis_without_gaps(mode):
    bands = BANDS[mode]
    assert (bands[0].lower, bands[0].lower_inclusive) == (0.0, True)
    assert (bands[-1].upper, bands[-1].upper_inclusive) == (1.0, True)
    for left, right in pairwise(bands):
        assert left.upper == right.lower
        assert left.upper_inclusive is not right.lower_inclusive
    assert all(band_of(band.representative, mode) is band for band in bands)


def test_bands_in_json():
    assert POLICY == 1
    assert band_of(0.6).to_dict() == {
        "lower": 0.5,
        "upper": 0.75,
        "lower_inclusive": True,
        "upper_inclusive": False,
        "tier": "medium",
        "optimization": "pruned_quantized",
    }
    assert band_of(0.6, ONE_SHOT).to_dict() == {
        "lower": 0.3,
        "upper": 1.0,
        "lower_inclusive": True,
        "upper_inclusive": True,
        "tier": None,
        "optimization": None,
    }


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("0", 0.0),
        ("1", 1.0),
        ("0.5", 0.5),
        (".5", 0.5),
        ("5e-1", 0.5),
        ("+0.5", 0.5),
        (" 0.5 ", 0.5),
        ("5e-324", TINY),
        ("0%", 0.0),
        ("50%", 0.5),
        ("7.5%", 0.075),
        ("25%", 0.25),
        ("30%", 0.3),
        ("75%", 0.75),
        ("100%", 1.0),
    ],
)
def test_command_line_levels(text, level):
    assert parse_level_text(text) == level


@given(levels)
def test_levels_survive_being_written_down(level):
    assert parse_level(level) == level
    assert parse_level_text(repr(level)) == level


@pytest.mark.parametrize("parse", [parse_level, lambda value: parse_level_text(str(value))])
def test_minus_zero_is_zero(parse):
    assert math.copysign(1, parse(-0.0)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "nan", "NaN", "inf", "-inf", "Infinity", "True", "1.0001", "-0.1", "-5e-324",
        "50", "1_0", "0_1", "٣", "²", "0x1", "0x0p0", "0,5", "half", "--1", "1e", "1e999",
        "%", "%50", "50%%", "101%", "-1%", "100.0001%", "nan%", "inf%", "1 %0", "0.5\x00",
    ],
)  # fmt: skip
def test_texts_that_are_no_level(text):
    with pytest.raises(UsageError, match="optim level") as caught:
        parse_level_text(text)
    assert "0.0 to 1.0" in caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "value",
    [
        math.nan, math.inf, -math.inf, True, False, 1.0001, math.nextafter(1.0, 2), -TINY, 2, 50,
        -1, "0.5", "50%", None, b"1", 0.5j, [0.5],
        pytest.param(10**400, id="beyond floats"), pytest.param(-(10**400), id="below floats"),
    ],
)  # fmt: skip
def test_values_that_are_no_level(value):
    with pytest.raises(UsageError, match="optim level") as caught:
        parse_level(value)
    assert "0.0 to 1.0" in caught.value.hint


@pytest.mark.parametrize(("value", "level"), [(0, 0.0), (1, 1.0), (Fraction(1, 2), 0.5)])
def test_other_real_numbers_are_levels(value, level):
    parsed = parse_level(value)
    assert parsed == level
    assert type(parsed) is float


@given(st.text(max_size=8))
def test_any_text_is_a_level_or_a_usage_error(text):
    try:
        level = parse_level_text(text)
    except UsageError:
        return
    assert 0.0 <= level <= 1.0
    assert set(text.strip()) <= set("0123456789.eE+-%")


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("sparse-transfer", SPARSE_TRANSFER),
        ("One_Shot", ONE_SHOT),
        (" TRAINING-AWARE ", TRAINING_AWARE),
    ],
)
def test_modes(text, mode):
    assert parse_mode(text) == mode


@pytest.mark.parametrize("value", ["", "dense", "oneshot", None, 3])
def test_unknown_modes(value):
    with pytest.raises(UsageError, match="unknown mode") as caught:
        parse_mode(value)
    assert caught.value.hint == "modes: sparse-transfer, one-shot, training-aware"
