"""What goes to stdout (data) and to stderr (for people)."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn, TextIO

import click

from zooselect.errors import ZooSelectError

SCHEMA = 1
_WIDTH = 80


class Failure(NamedTuple):
    """An error as the command line tells it."""

    type: str
    message: str
    hint: str
    exit_code: int

    @classmethod
    def of(cls, error: ZooSelectError) -> Failure:
        """Return an error as it is told."""
        return cls(type(error).__name__, error.message, error.hint, error.exit_code)


def out(text: str) -> None:
    """Write a line, or several, to stdout."""
    sys.stdout.write(text + "\n")


def err(text: str) -> None:
    """Write a line, or several, to stderr; an answer is never lost because nobody listens."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except OSError:
        let_go_of(sys.stderr)


def let_go_of(stream: TextIO) -> None:
    """Point a stream nobody reads at nothing, so that the interpreter can end in peace."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def out_json(document: Any) -> None:
    """Write one JSON document to stdout, strictly JSON whatever a catalog holds."""
    try:
        text = json.dumps(document, indent=2, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(document), indent=2, allow_nan=False)
    out(text)


def print_failure(failure: Failure, *, as_json: bool) -> None:
    """Tell an error: one line, one hint; with `--json` also as a document."""
    if not failure.message:
        return
    err("error: " + one_line(failure.message))
    if failure.hint:
        err("hint: " + one_line(failure.hint))
    if as_json:
        error = {
            "type": failure.type,
            "message": failure.message,
            "hint": failure.hint,
            "exit_code": failure.exit_code,
        }
        out_json({"schema": SCHEMA, "error": error})
    sys.stdout.flush()


def end_report(failure: Failure) -> NoReturn:
    """End a command that fails after its report: on stdout that is the one document."""
    print_failure(failure, as_json=False)
    raise click.exceptions.Exit(failure.exit_code)


def one_line(text: str) -> str:
    """A text on one line, control characters made harmless."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def width() -> int:
    """Columns to fill: the terminal's where stdout is one, else 80."""
    if not sys.stdout.isatty():
        return _WIDTH
    import shutil

    return max(40, shutil.get_terminal_size((_WIDTH, 24)).columns)


def table(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> list[str]:
    """Align rows into columns two spaces apart; `right` names the right-aligned ones."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(size) if index in right else cell.ljust(size)
            for index, (cell, size) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def wrapped(text: str, indent: int) -> list[str]:
    """A text over as many lines as it takes; a long stub is broken after slashes, indented more."""
    lines, line, columns = [], " " * indent, width()
    for word in text.split():
        gap = " " if line.strip() else ""
        if gap and len(line) + 1 + len(word) > columns >= indent + len(word):
            lines.append(line)
            line, gap = " " * indent, ""
        for piece in word.replace("/", "/ ").split():
            if line.strip() and len(line) + len(gap) + len(piece) > columns:
                lines.append(line)
                line, gap = " " * (indent + 4), ""
            line += gap + piece
            gap = ""
    return [*lines, line]


def millions(value: float | None) -> str:
    """A dense size for people, e.g. `25.56 M` or `6.74 B`; `?` where it is not known."""
    if value is None:
        return "?"
    return f"{value:.4g} M" if value < 1000 else f"{value / 1000:.3g} B"


def figure(value: float | None) -> str:
    """A figure for people; `-` where none is on record."""
    return "-" if value is None else f"{value:.4g}"


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return value
