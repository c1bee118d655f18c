"""Quantities as they are written on the command line."""

from __future__ import annotations

from zooselect.errors import UsageError

_COUNTS = {"K": 1e-3, "M": 1.0, "B": 1e3}
_BYTES = {
    "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12,
    "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40,
}  # fmt: skip


def parameter_count(text: str) -> float:
    """Return a count of parameters, in millions: `25600000`, `25.6M`, `1.3B`.

    Raises:
        UsageError: anything else; bytes among it.
    """
    number, unit = _split(text)
    if not _is_number(number) or (unit and unit not in _COUNTS):
        raise UsageError(
            f"size {text!r} is not a count of parameters", hint="write 25600000, 25.6M or 1.3B"
        )
    return float(number) * (_COUNTS[unit] if unit else 1e-6)


def byte_count(text: str) -> int:
    """Return a count of bytes: `50000000`, `50MB`, `48MiB`.

    Raises:
        UsageError: anything else; `50M` too, which would be a count of parameters.
    """
    number, unit = _split(text)
    if not _is_number(number) or (unit and unit not in _BYTES):
        raise UsageError(f"size {text!r} is not a count of bytes", hint="write 50MB or 48MiB")
    return round(float(number) * (_BYTES[unit] if unit else 1))


def fraction(text: str) -> float:
    """Return a fraction of 1: `0.99` or `99%`.

    Raises:
        UsageError: anything else.
    """
    number = text.removesuffix("%")
    if not _is_number(number):
        raise UsageError(f"{text!r} is not a fraction", hint="write 0.99 or 99%")
    return float(number) / 100 if number != text else float(number)


def _split(text: str) -> tuple[str, str]:
    """A text as what may be a number, and the letters that follow it."""
    number = text.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    return number, text[len(number) :].upper()


def _is_number(text: str) -> bool:
    return text.isascii() and text.replace(".", "", 1).isdigit()
