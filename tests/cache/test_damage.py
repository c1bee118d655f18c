"""A database that is damaged: the answer that was stored, or a miss; and all is well again."""

import contextlib
import os
import random
import shutil
import sqlite3
import time

import pytest

from tests.cache.databases import DOCUMENTS, database_of, fill, moved_aside, tamper
from zooselect.cache import answers, disk
from zooselect.cache.answers import FOLDER, AnswerCache
from zooselect.errors import LocalFileError

# The writing version of the format: SQLite takes a database it does not know how to write for a
# read-only one. Reading goes on, nothing is stored, and nothing is wrong.
WRITE_VERSION = 18


@pytest.fixture
def good(tmp_path):
    """The bytes of a sound database."""
    cache = AnswerCache(tmp_path / "good")
    fill(cache)
    return database_of(tmp_path / "good").read_bytes()


@pytest.fixture
def damaged(root):
    """Put bytes in the place of the database."""

    def write(content):
        shutil.rmtree(root, ignore_errors=True)
        database_of(root).parent.mkdir(parents=True)
        database_of(root).write_bytes(content)

    return write


def check(cache, root, *, heals=True):
    """Nothing but what was stored is read, and what is stored now can be read."""
    for key, document in DOCUMENTS.items():
        assert cache.get(key) in (None, document)
    assert all(DOCUMENTS[entry.key] == entry.document for entry in cache.entries())
    cache.verify()
    assert moved_aside(root) == []
    assert cache.put("key 3", "new") is heals
    if heals:
        assert cache.get("key 3") == "new"
        assert len(moved_aside(root)) <= 1
    for key, document in DOCUMENTS.items():
        assert cache.get(key) in (None, document, "new" if key == "key 3" else None)


def positions(size):
    """All of the header; some of every page: its start, its middle, its end."""
    chance = random.Random(8)
    for page in range(0, size, 4096):
        yield page + chance.randrange(16)
        yield from (page + chance.randrange(4096) for _ in range(3))
        yield page + 4095 - chance.randrange(300)
    yield from range(100)


def test_flipped_bits(cache, root, good, damaged):
    chance = random.Random(9)
    missed = 0
    for position in positions(len(good)):
        bad = bytearray(good)
        bad[position] ^= 1 << chance.randrange(8)
        damaged(bad)
        missed += sum(cache.get(key) is None for key in DOCUMENTS)
        check(cache, root, heals=position != WRITE_VERSION)
    assert missed > 50


def test_zeroed_and_swapped_pages(cache, root, good, damaged):
    size = 4096
    pages = [good[at : at + size] for at in range(0, len(good), size)]
    for number in range(len(pages)):
        damaged(b"".join([*pages[:number], bytes(size), *pages[number + 1 :]]))
        check(cache, root)
        other = (number + 3) % len(pages)
        swapped = list(pages)
        swapped[number], swapped[other] = pages[other], pages[number]
        damaged(b"".join(swapped))
        check(cache, root)


@pytest.mark.parametrize(
    "length", [0, 1, 15, 16, 99, 100, 1000, 4095, 4096, 4097, 8192, 20_000, -4096, -4095, -1]
)
def test_cut_short(cache, root, good, damaged, length):
    damaged(good[:length])
    check(cache, root)


@pytest.mark.parametrize("content", [b"<html>not here</html>" * 1000, bytes(50_000)])
def test_something_else(cache, root, damaged, content):
    damaged(content)
    assert cache.get("key 1") is None
    assert cache.verify().problem is not None
    check(cache, root)
    [aside] = moved_aside(root)
    assert (aside / "cache.db").read_bytes() == content
    assert cache.verify() == (1, None, ())


def test_a_folder_in_the_place_of_the_database(cache, root):
    database_of(root).mkdir(parents=True)
    (database_of(root) / "mine").write_text("a")
    check(cache, root)
    [aside] = moved_aside(root)
    assert (aside / "cache.db" / "mine").read_text() == "a"


def test_a_file_in_the_place_of_the_folder(cache, root):
    root.mkdir()
    (root / FOLDER).write_text("a")
    check(cache, root)
    [aside] = moved_aside(root)
    assert aside.read_text() == "a"


def test_a_pipe_in_the_place_of_the_database(cache, root):
    database_of(root).parent.mkdir(parents=True)
    os.mkfifo(database_of(root))
    check(cache, root)


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE Cache", "DROP TABLE Settings", "DELETE FROM Settings",
        "ALTER TABLE Cache RENAME COLUMN value TO other", "ALTER TABLE Cache RENAME TO Other",
        "ALTER TABLE Cache DROP COLUMN tag", "ALTER TABLE Settings RENAME COLUMN key TO other",
        "DROP INDEX Cache_key_raw", "DROP TRIGGER Settings_count_insert",
        "CREATE TRIGGER a AFTER INSERT ON Cache BEGIN DELETE FROM Settings; END",
        "CREATE TRIGGER a AFTER INSERT ON Settings BEGIN DELETE FROM Settings; END",
        "CREATE TRIGGER a BEFORE INSERT ON Cache BEGIN SELECT RAISE(ABORT, 'no'); END",
        "PRAGMA journal_mode=wal", "PRAGMA user_version=9",
    ],
)  # fmt: skip
def test_other_tables(cache, root, statement):
    fill(cache)
    tamper(root, statement)
    check(cache, root)
    assert cache.put("a new one", 1)
    assert cache.get("a new one") == 1


def test_a_view_in_the_place_of_the_table(cache, root):
    fill(cache)
    tamper(root, "ALTER TABLE Cache RENAME TO Other")
    tamper(root, "CREATE VIEW Cache AS SELECT * FROM Other")
    check(cache, root)


def test_no_row_of_a_view_is_looked_at(cache, root):
    """There may be rows without end; here there are a thousand."""
    fill(cache)
    tamper(root, "ALTER TABLE Cache RENAME TO Other")
    tamper(
        root,
        """CREATE VIEW "cache" AS WITH RECURSIVE n(x) AS
        (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 1000)
        SELECT x AS rowid, 'k' || x AS key, 1 AS raw, 1 AS mode, NULL AS filename, 5 AS value
        FROM n""",
    )
    assert list(cache.entries()) == []
    found = cache.verify()
    assert (found.answers, found.damaged) == (0, ())
    assert found.problem is not None
    cache.clear()
    assert cache.verify().problem is None


def test_a_row_of_another_key(cache, root):
    """It is whole in itself, and the answer to another question."""
    assert cache.put("KEY", 1)
    tamper(root, "ALTER TABLE Cache RENAME TO Other")
    tamper(root, """CREATE TABLE Cache (key BLOB COLLATE NOCASE, raw, mode, filename, value)""")
    tamper(root, "INSERT INTO Cache SELECT key, raw, mode, filename, value FROM Other")
    assert cache.get("KEY") == 1
    assert cache.get("key") is None


def test_what_can_still_be_read_is_taken_over(cache, root):
    fill(cache)
    tamper(root, "UPDATE Cache SET mode=3 WHERE key='key 2'")
    tamper(root, "ALTER TABLE Cache DROP COLUMN tag")
    assert cache.put("new", 1)
    assert len(moved_aside(root)) == 1
    kept = {key: document for key, document in DOCUMENTS.items() if key != "key 2"}
    assert {entry.key: entry.document for entry in cache.entries()} == {**kept, "new": 1}


def test_verify_mends(cache, root):
    fill(cache)
    tamper(root, "INSERT INTO Settings VALUES ('foreign', 1)")
    tamper(root, "UPDATE Cache SET mode=4 WHERE key='key 2'")
    found = cache.verify()
    assert (found.answers, len(found.damaged), moved_aside(root)) == (5, 1, [])
    assert "settings" in found.problem
    assert cache.verify(fix=True) == found
    assert cache.verify() == (5, None, ())
    assert len(moved_aside(root)) == 1


def test_verify_removes_damaged_rows_alone(cache, root):
    fill(cache)
    tamper(root, "UPDATE Cache SET value=replace(value, 'model 7', 'model 8') WHERE key='key 2'")
    found = cache.verify(fix=True)
    assert (found.answers, found.problem) == (5, None)
    assert [one.reason for one in found.damaged] == ["not the document that was stored"]
    assert cache.verify() == (5, None, ())
    assert moved_aside(root) == []


def test_nothing_else_is_touched(cache, root, damaged):
    damaged(b"x" * 5000)
    others = [root / "models" / "a.onnx", root / "answers-2" / "cache.db", root / "answers-1.txt"]
    for other in others:
        other.parent.mkdir(exist_ok=True)
        other.write_text("a")
    assert cache.put("key", 1)
    assert [other.read_text() for other in others] == ["a", "a", "a"]


def test_clear_gets_rid_of_any_damage(cache, root, damaged):
    damaged(b"x" * 5000)
    cache.clear()
    assert cache.verify() == (0, None, ())
    assert len(moved_aside(root)) == 1


def test_damage_another_process_has_mended_meanwhile(cache, root, damaged, monkeypatch):
    """What it started anew is not moved away."""
    damaged(b"x" * 5000)
    mend = AnswerCache._mend

    def slow(self, seen):
        monkeypatch.setattr(AnswerCache, "_mend", mend)
        assert AnswerCache(root).put("theirs", 1)
        mend(self, seen)

    monkeypatch.setattr(AnswerCache, "_mend", slow)
    assert cache.put("ours", 2)
    assert (cache.get("theirs"), cache.get("ours")) == (1, 2)
    assert len(moved_aside(root)) == 1


@pytest.mark.parametrize(
    "text",
    ["database is locked", "locking protocol", "disk I/O error", "database or disk is full",
     "attempt to write a readonly database", "unable to open database file"],
)  # fmt: skip
def test_what_passes_is_no_damage(cache, root, monkeypatch, text):
    assert cache.put("key", 1)

    def broken(*arguments, **options):
        raise sqlite3.OperationalError(text)

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", broken)
        assert cache.get("key") is None
        assert list(cache.entries()) == []
        assert cache.put("key", 2) is False
        for act in (cache.verify, cache.clear, lambda: cache.remove("key")):
            with pytest.raises(LocalFileError, match=text):
                act()
    assert cache.get("key") == 1
    assert moved_aside(root) == []


def test_locks_that_break_halfway(cache, root, monkeypatch):
    """As on a network folder: opening works, and diskcache's connection then does not."""
    assert cache.put("key", 1)
    connect, opened = sqlite3.connect, []

    def broken(*arguments, **options):
        opened.append(1)
        if len(opened) > 1:
            raise sqlite3.OperationalError("locking protocol")
        return connect(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", broken)
        assert cache.put("key", 2) is False
    assert len(opened) == 2
    assert cache.get("key") == 1
    assert moved_aside(root) == []


def test_a_database_another_process_holds(cache, root, monkeypatch):
    monkeypatch.setattr(answers, "READ_WAIT", 0.05)
    monkeypatch.setattr(answers, "WRITE_WAIT", 0.05)
    assert cache.put("key", 1)
    start = time.monotonic()
    with contextlib.closing(sqlite3.connect(database_of(root), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert cache.get("key") == 1
        assert cache.put("key", 2) is False
        other.execute("COMMIT")
        other.execute("BEGIN EXCLUSIVE")
        assert cache.get("key") is None
        assert cache.put("key", 2) is False
        assert list(cache.entries()) == []
        for act in (cache.verify, cache.clear, lambda: cache.remove("key")):
            with pytest.raises(LocalFileError, match="locked"):
                act()
    # diskcache left alone tries for a minute.
    assert time.monotonic() - start < 20
    assert cache.get("key") == 1
    assert moved_aside(root) == []


def test_where_nothing_can_be_locked_diskcache_is_not_asked(cache, root, monkeypatch):
    """It tries for minutes, whatever time it is given; here even the first file is locked."""
    monkeypatch.setattr(answers, "WRITE_WAIT", 0.05)
    monkeypatch.setattr(disk, "Database", lambda *arguments: pytest.fail("asked"))
    cache.folder.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(database_of(root))) as other:
        other.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(cache, "_is_there", lambda: False)  # as it was a moment ago
        assert not cache.put("new", 1)
