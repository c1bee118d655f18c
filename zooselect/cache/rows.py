"""The rows of the database as answers, and what an error says of the database."""

from __future__ import annotations

import sqlite3
from hashlib import sha256
from typing import Any, NamedTuple

from zooselect.cache.value import VALUE_LIMIT, unpack

# Sizes are taken of blobs: the length of a text ends at a NUL. A value beyond the limit comes
# as NULL, and never into memory here.
_COLUMNS = (
    "rowid, typeof(key), key, raw, mode, filename, typeof(value),"
    f" CASE WHEN length(CAST(value AS BLOB)) <= {VALUE_LIMIT} THEN value END"
)
SELECT_ONE = f"SELECT {_COLUMNS} FROM Cache WHERE key = ? AND raw = 1"  # noqa: S608  # constants
SELECT_ALL = f"SELECT {_COLUMNS} FROM Cache ORDER BY key"  # noqa: S608

# Where a damaged schema is no UTF-8, Python cannot decode what SQLite says of it.
FAILURES = (sqlite3.Error, OSError, UnicodeDecodeError)

# SQLITE_ERROR is all these have in common, and Python 3.10 does not tell the code.
_FOREIGN_SCHEMA = ("no such column", "has no column", "may not be", "unsupported file format",
                   "cannot modify", "already a")  # fmt: skip


class Entry(NamedTuple):
    """An answer on disk.

    Attributes:
        id: a short name, the same for the same key on every machine.
        key: what it was stored under.
        document: what was stored.
        bytes: length of the stored text.
    """

    id: str
    key: str
    document: Any
    bytes: int


class DamagedRow(NamedTuple):
    """A row that is no answer."""

    row: int
    reason: str


class MisplacedError(OSError):
    """Something else is where the database should be."""


def parse(row: tuple[Any, ...]) -> Entry:
    """Parse a row of the database.

    Raises:
        ValueError, RecursionError: the row is no answer; the text says why.
    """
    _, key_type, key, raw, mode, filename, value_type, value = row
    if key_type != b"text" or raw != 1:
        raise ValueError("its key is no text")
    if mode != 1 or filename is not None or value_type != b"text":
        raise ValueError("its value is no text in place")
    if value is None:
        raise ValueError(f"longer than {VALUE_LIMIT} characters")
    name = key.decode("utf-8")
    document = unpack(name, value.decode("ascii"))
    return Entry(sha256(key).hexdigest()[:12], name, document, len(value))


def damage_of(error: Exception) -> str | None:
    """What an error says is damaged; None where it tells of a state that passes."""
    text = " ".join(str(error).split())
    if isinstance(error, MisplacedError):
        return text
    if isinstance(error, UnicodeDecodeError):
        return "malformed database schema"
    # Not a database, or malformed: Python raises the base class itself for these alone. Locked,
    # busy, read-only, full, "locking protocol" are OperationalErrors, and no damage.
    # No constraint of ours can fail, so a failing one is foreign, or its index is damaged.
    if type(error) in (sqlite3.DatabaseError, sqlite3.IntegrityError):
        return text
    if isinstance(error, sqlite3.OperationalError) and any(
        words in text for words in _FOREIGN_SCHEMA
    ):
        return text
    return None
