"""The database of answers: diskcache, kept to JSON text.

diskcache unpickles what it finds, so whoever can write its folder runs code in whoever reads it
(CVE-2025-69872, all versions). Its `JSONDisk` does not change that: it decodes what the base
class has unpickled already. `TextDisk` makes this inert, because it never calls the base class
to read. diskcache reads values by `fetch` and keys by `get`, and these unpickle when a row says
mode 4 or raw 0; here any row but an inline text (mode 1, no file name) under a text key (raw 1)
is a miss. It writes by `put` and `store`, which take texts alone. It opens and deletes the files
that rows name, wherever they lie, by `fetch` and `remove`; here there are no files.

The other way in is the table of settings, which diskcache turns into attributes and pragmas:
`same_settings` looks at it before diskcache does.

Importing this module imports diskcache, about 30 ms; reading the cache does not need it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import diskcache  # type: ignore[import-untyped]
from diskcache import Timeout

#: The largest database, in bytes. Nothing is evicted: at the limit, nothing more is stored.
SIZE_LIMIT = 256 * 2**20

#: All settings of diskcache, so that none is left to what stands in a database.
SETTINGS: dict[str, int | str] = {
    "statistics": 0,  # they would make every read a write
    "tag_index": 0,
    "eviction_policy": "none",
    "size_limit": SIZE_LIMIT,  # for the record: without eviction diskcache takes no notice
    "cull_limit": 0,
    "sqlite_auto_vacuum": 1,  # full: what is removed gives back its space
    "sqlite_cache_size": 2**13,
    "sqlite_journal_mode": "delete",  # unlike wal, it works on read-only and network folders
    "sqlite_mmap_size": 0,  # a mapped file that is cut short kills its readers
    "sqlite_synchronous": 1,
    "disk_min_file_size": 0,
    "disk_pickle_protocol": 0,
}

__all__ = ["SETTINGS", "SIZE_LIMIT", "Database", "TextDisk", "Timeout", "same_settings"]

_COUNTERS = (b"count", b"size", b"hits", b"misses")
_OURS = {
    key.encode(): value.encode() if isinstance(value, str) else value
    for key, value in SETTINGS.items()
}
_RAW = 1


class NotTextError(OSError):
    """A row that holds anything but a text; diskcache takes an OSError for a miss."""


class TextDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache has no types
    """Stores and accepts texts alone, inline; see above."""

    def put(self, key: Any) -> tuple[str, bool]:
        """Return the key as it is stored."""
        if type(key) is not str:
            raise NotTextError(f"key is {type(key).__name__}")
        return key, True

    def get(self, key: Any, raw: Any) -> str:
        """Return a stored key."""
        if raw != 1 or type(key) is not str:
            raise NotTextError("key is no text")
        return key

    def store(self, value: Any, read: bool, key: Any = None) -> tuple[int, int, None, str]:
        """Return size, mode, file name and value of a row."""
        if read or type(value) is not str:
            raise NotTextError(f"value is {type(value).__name__}")
        return 0, _RAW, None, value

    def fetch(self, mode: Any, filename: Any, value: Any, read: Any) -> str:
        """Return the value of a row."""
        if read or mode != _RAW or filename is not None or type(value) is not str:
            raise NotTextError("value is no inline text")
        return value

    def filename(self, key: Any = None, value: Any = None) -> tuple[str, str]:
        """Refuse to name a file."""
        raise NotTextError("there are no files")

    def remove(self, file_path: Any) -> None:
        """Leave the file alone that a row names: no row of ours does."""


class Database(diskcache.Cache):  # type: ignore[misc]
    """The database in a folder, open for writing; made when it is not there.

    Check `same_settings` before, and that the database can be written: diskcache tries for a
    minute where it is locked, whatever time it is given.
    """

    def __init__(self, folder: Path, timeout: float) -> None:
        try:
            super().__init__(str(folder), timeout=timeout, disk=TextDisk, **SETTINGS)
        except BaseException:
            # diskcache leaves the connection open.
            if hasattr(self, "_local"):
                self.close()
            raise


def same_settings(connection: sqlite3.Connection) -> bool:
    """Whether the table of settings holds nothing but what stands above, or is not there yet.

    Args:
        connection: gives texts as bytes, for they may not be UTF-8.
    """
    try:
        rows = connection.execute("SELECT key, value FROM Settings").fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return True
        raise
    return all(
        isinstance(value, int) if key in _COUNTERS else key in _OURS and value == _OURS[key]
        for key, value in rows
    )
