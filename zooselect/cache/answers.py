"""The cache of answers: JSON documents under text keys, kept between commands.

Whatever is wrong on disk, an answer is the one that was stored or a miss. Reading opens the
database by itself and never writes, so it works in folders that are read-only, and costs no
import of diskcache. A database that is damaged is moved aside when something is to be stored.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from zooselect.cache.aside import identity, move_aside
from zooselect.cache.rows import (
    FAILURES,
    SELECT_ALL,
    SELECT_ONE,
    DamagedRow,
    Entry,
    MisplacedError,
    damage_of,
    parse,
)
from zooselect.cache.value import pack
from zooselect.errors import LocalFileError

#: The folder in the cache; the number goes up when what is in it changes.
FOLDER = "answers-1"
DATABASE = "cache.db"

#: Seconds to wait for another process that holds the database.
READ_WAIT, WRITE_WAIT = 1.0, 3.0


class Verified(NamedTuple):
    """What `verify` found.

    Attributes:
        answers: how many are as they were stored.
        problem: what is wrong with the database as a whole; None when nothing is.
        damaged: the rows that are no answers.
    """

    answers: int
    problem: str | None
    damaged: tuple[DamagedRow, ...]


class AnswerCache:
    """The answers in a cache folder. Making one does no I/O; each call opens and closes."""

    def __init__(self, root: Path) -> None:
        # diskcache expands what it is given; doing it here keeps both in the same folder.
        self.folder = Path(os.path.expandvars(os.path.expanduser(root))) / FOLDER
        self._database = self.folder / DATABASE

    def get(self, key: str) -> Any | None:
        """Return the document stored under a key, or None: a miss, whatever is wrong on disk."""
        try:
            if not self._is_there():
                return None
            with contextlib.closing(self._connect(READ_WAIT)) as connection:
                row = connection.execute(SELECT_ONE, (key,)).fetchone()
            entry = parse(row) if row else None
            # A damaged index leads to the row of another key, which is whole in itself.
            return entry.document if entry and entry.key == key else None
        except (*FAILURES, ValueError, RecursionError):
            return None

    def put(self, key: str, document: Any) -> bool:
        """Store a document under a key, in the place of what was there.

        Returns:
            False when it could not be stored: read-only, locked, full, or no JSON document
            (NaN is none, and null cannot be told from a miss).
        """
        if document is None:
            return False
        try:
            rows = [(key, pack(key, document))]
        except (TypeError, ValueError, RecursionError):
            return False
        with contextlib.suppress(LocalFileError):
            return self._store_mending(rows)
        return False

    def entries(self) -> Iterator[Entry]:
        """Yield the answers, sorted by key; a damaged row is left out."""
        with contextlib.suppress(*FAILURES):
            for _, entry in self._rows():
                if isinstance(entry, Entry):
                    yield entry

    def remove(self, key: str) -> bool:
        """Remove the answer under a key, and tell whether there was one.

        Raises:
            LocalFileError: it could not be removed: read-only, locked, damaged.
        """
        return self._delete("key = ? AND raw = 1", [(key,)]) > 0

    def clear(self) -> None:
        """Remove all answers, and rows that are none.

        Raises:
            LocalFileError: they could not be removed: read-only, locked.
        """
        seen = identity(self._database)
        try:
            self._delete("?", [(1,)])
        except LocalFileError as error:
            if not isinstance(error.__cause__, Exception) or damage_of(error.__cause__) is None:
                raise
            if not move_aside(self.folder, DATABASE, seen):
                raise

    def verify(self, *, fix: bool = False) -> Verified:
        """Check the database and every row in it.

        Args:
            fix: also remove the damaged rows, or, when the database itself is damaged, move it
                aside and take over the answers that can still be read.

        Raises:
            LocalFileError: it could not be read, or not be mended: read-only, locked.
        """
        seen = identity(self._database)
        answers, damaged = 0, []
        try:
            problem = self._problem()
            for row, entry in self._rows():
                if isinstance(entry, Entry):
                    answers += 1
                else:
                    damaged.append(DamagedRow(row, entry))
        except FAILURES as error:
            problem = damage_of(error)
            if problem is None:
                raise self._refused("read", error) from error
        if fix and problem is not None:
            self._mend(seen)
        elif fix and damaged:
            self._delete("rowid = ?", [(one.row,) for one in damaged])
        return Verified(answers, problem, tuple(damaged))

    def _is_there(self) -> bool:
        """Whether there is a database.

        Raises:
            MisplacedError: something else has its name.
        """
        try:
            mode = os.stat(self._database).st_mode
        except FileNotFoundError:
            return False
        except NotADirectoryError:
            raise MisplacedError(f"{self.folder.name} is no folder") from None
        if not stat.S_ISREG(mode):
            raise MisplacedError(f"{DATABASE} is no file")
        return True

    def _connect(self, wait: float, mode: str = "rw") -> sqlite3.Connection:
        # mode=rw makes no file, rolls back what a killed process left half-done, and falls back
        # to reading alone where that is all the system allows.
        connection = sqlite3.connect(
            self._database.absolute().as_uri() + f"?mode={mode}",
            uri=True, timeout=wait, isolation_level=None,
        )  # fmt: skip
        connection.text_factory = bytes  # a text that is not UTF-8 is one bad row, not an error
        # A view may have rows without end.
        kind = "SELECT 1 FROM sqlite_master WHERE lower(name) = 'cache' AND type <> 'table'"
        try:
            misplaced = connection.execute(kind).fetchone()
        except BaseException:
            connection.close()
            raise
        if misplaced:
            connection.close()
            raise MisplacedError("what should be the table of answers is none")
        return connection

    def _rows(self) -> Iterator[tuple[int, Entry | str]]:
        """Yield every row as its number and the answer, or what is wrong with it."""
        if not self._is_there():
            return
        with contextlib.closing(self._connect(READ_WAIT)) as connection:
            try:
                rows = connection.execute(SELECT_ALL)
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return  # a database that was just being made
                raise
            for row in rows:
                try:
                    yield row[0], parse(row)
                except (ValueError, RecursionError) as error:
                    yield row[0], str(error)

    def _problem(self) -> str | None:
        """What is wrong with the database as a whole."""
        from zooselect.cache.disk import same_settings

        if not self._is_there():
            return None
        with contextlib.closing(self._connect(READ_WAIT)) as connection:
            if not same_settings(connection):
                return "settings that are not those of this cache"
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        return None if found == b"ok" else " ".join(found.decode("utf-8", "replace").split())

    def _store_mending(self, rows: list[tuple[str, str]]) -> bool:
        seen = identity(self._database)
        try:
            return self._store(rows)
        except FAILURES as error:
            if damage_of(error) is None:
                return False
        self._mend(seen)
        try:
            return self._store(rows)
        except FAILURES:
            return False

    def _store(self, rows: Iterable[tuple[str, str]]) -> bool:
        from zooselect.cache.disk import SIZE_LIMIT, Database, Timeout, same_settings

        if not self._is_there():
            _make_private(self.folder)
        # Made here where it is missing: diskcache tries for minutes where nothing can be locked.
        with contextlib.closing(self._connect(WRITE_WAIT, mode="rwc")) as connection:
            connection.execute("BEGIN IMMEDIATE").connection.rollback()
            if not same_settings(connection):
                raise MisplacedError("settings that are not those of this cache")
        try:
            with contextlib.closing(Database(self.folder, WRITE_WAIT)) as database:
                for key, value in rows:
                    if os.stat(self._database).st_size + len(value) > SIZE_LIMIT:
                        return False
                    database.set(key, value)
        except Timeout:
            return False
        except ValueError as error:
            # diskcache found fewer rows in its own tables than it put there.
            raise MisplacedError("it does not keep what is written") from error
        return True

    def _mend(self, seen: tuple[int, int] | None) -> None:
        """Move the damaged database aside and take over what can be read of it.

        Raises:
            LocalFileError: it could not be moved.
        """
        kept = []
        for entry in self.entries():
            with contextlib.suppress(ValueError, RecursionError):
                kept.append((entry.key, pack(entry.key, entry.document)))
        if not move_aside(self.folder, DATABASE, seen):
            raise self._refused("mend")
        if kept:
            with contextlib.suppress(*FAILURES):
                self._store(kept)

    def _delete(self, where: str, rows: Iterable[tuple[Any, ...]]) -> int:
        try:
            if not self._is_there():
                return 0
            with contextlib.closing(self._connect(WRITE_WAIT)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                done = connection.executemany(f"DELETE FROM Cache WHERE {where}", rows)  # noqa: S608
                count = done.rowcount
                connection.commit()
                return count
        except UnicodeEncodeError:
            return 0  # no such key can be stored
        except FAILURES as error:
            if "no such table" in str(error):
                return 0
            raise self._refused("change", error) from error

    def _refused(self, what: str, error: Exception | None = None) -> LocalFileError:
        reason = f": {error}" if error else ""
        return LocalFileError(
            f"cannot {what} the cache in {self.folder}{reason}",
            hint="is it read-only, or in use by another process?",
        )


def _make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this user alone."""
    if not folder.is_dir():
        if folder.parent != folder:
            _make_private(folder.parent)
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o700)
