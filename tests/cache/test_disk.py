"""diskcache, kept to JSON text: what stands in the database never runs and never leads out."""

import pickle
import sqlite3

import diskcache
import pytest

from tests.cache.databases import database_of, tamper
from zooselect.cache.disk import SETTINGS, Database, NotTextError, TextDisk
from zooselect.cache.value import VALUE_LIMIT, pack

KEY = "key"


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.fixture
def outside(root):
    path = root.parent / "outside.json"
    path.write_text(pack(KEY, "outside"))
    return path


@pytest.fixture
def marker(tmp_path):
    return tmp_path / "marker"


@pytest.fixture
def through_diskcache(root):
    """Read as diskcache does, by value and by all keys, with the disk of the cache."""

    def read():
        with Database(root / "answers-1", 1) as database:
            keys = []
            for keys_of in (database, database.iterkeys()):
                try:
                    keys += list(keys_of)
                except NotTextError:
                    keys.append(None)
            return [database.get(KEY), database.get(KEY, read=True), database.pop(KEY)], keys

    return read


def test_the_payload_would_run(root, cache, marker):
    """Plain diskcache runs what the other tests plant: they would see it."""
    assert cache.put(KEY, 1)
    assert tamper(root, "UPDATE Cache SET mode=4, value=?", pickle.dumps(Payload(marker))) == 1
    with diskcache.Cache(str(root / "answers-1")) as plain:
        plain.get(KEY).close()
    assert marker.exists()


@pytest.mark.parametrize("mode", [0, 1, 2, 3, 4, 5, None, "1", "4", -1])
def test_a_pickle_in_any_mode(root, cache, marker, through_diskcache, mode):
    assert cache.put(KEY, 1)
    poison = pickle.dumps(Payload(marker))
    assert tamper(root, "UPDATE Cache SET mode=?, value=?", mode, poison) == 1
    assert cache.get(KEY) is None
    assert list(cache.entries()) == []
    assert [one.reason for one in cache.verify().damaged] == ["its value is no text in place"]
    assert through_diskcache()[0] == [None, None, None]
    assert cache.put(KEY, 2)
    assert cache.get(KEY) == 2
    assert not marker.exists()


def test_a_pickled_key(root, cache, marker, through_diskcache):
    assert cache.put(KEY, 1)
    poison = pickle.dumps(Payload(marker))
    assert tamper(root, "UPDATE Cache SET key=?, raw=0", poison) == 1
    assert cache.get(KEY) is None
    assert list(cache.entries()) == []
    assert [one.reason for one in cache.verify().damaged] == ["its key is no text"]
    assert through_diskcache() == ([None, None, None], [None, None])
    assert cache.put(KEY, 2)
    assert cache.verify(fix=True).answers == 1
    assert cache.verify().damaged == ()
    cache.clear()
    assert not marker.exists()


@pytest.mark.parametrize("mode", [1, 2, 3, 4])
@pytest.mark.parametrize("how", ["absolute", "relative"])
@pytest.mark.parametrize("keeps_value", [True, False])
def test_a_file_name(root, cache, outside, through_diskcache, mode, how, keeps_value):
    assert cache.put(KEY, "inside")
    name = str(outside) if how == "absolute" else f"../../{outside.name}"
    assert (root / "answers-1" / name).resolve() == outside
    content = outside.read_bytes()

    def plant():
        value = "value" if keeps_value else "NULL"
        changed = f"UPDATE Cache SET mode=?, filename=?, value={value}"
        assert tamper(root, changed, mode, name) == 1

    for act in (
        lambda: cache.put(KEY, "again"), lambda: cache.remove(KEY), cache.clear,
        lambda: cache.verify(fix=True), through_diskcache,
    ):  # fmt: skip
        assert cache.put(KEY, "inside")
        plant()
        assert cache.get(KEY) is None
        assert list(cache.entries()) == []
        act()
        assert outside.read_bytes() == content


@pytest.mark.parametrize(
    "value",
    [
        None, 0, 1.5, b"", b"{}", "", "{}", "null", '"inside"', "x" * 1000, "\x00",
        pack("other key", 1), pack(KEY, 1).encode(), pack(KEY, 1) + " ", pack(KEY, 1)[:-1],
    ],
)  # fmt: skip
def test_a_foreign_value(root, cache, through_diskcache, value):
    assert cache.put(KEY, 1)
    assert tamper(root, "UPDATE Cache SET value=?", value) == 1
    assert cache.get(KEY) is None
    assert len(cache.verify().damaged) == 1
    through_diskcache()
    assert cache.put(KEY, 2)
    assert cache.get(KEY) == 2


def test_a_text_that_is_not_utf8(root, cache):
    assert cache.put(KEY, 1)
    assert cache.put("other", 2)
    assert tamper(root, "UPDATE Cache SET value=CAST(x'ff' AS TEXT) WHERE key=?", KEY) == 1
    assert cache.get(KEY) is None
    assert [entry.key for entry in cache.entries()] == ["other"]
    assert cache.verify(fix=True).answers == 1
    assert cache.verify() == (1, None, ())


def test_a_giant_value_never_comes_into_memory(root, cache):
    import tracemalloc

    assert cache.put(KEY, 1)
    # With a NUL at the start, for SQLite takes a text to end there.
    statement = "UPDATE Cache SET value=CAST(zeroblob(?) AS TEXT)"
    assert tamper(root, statement, VALUE_LIMIT + 1) == 1
    tracemalloc.start()
    try:
        assert cache.get(KEY) is None
        assert list(cache.entries()) == []
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_deep_value(root, cache):
    assert cache.put(KEY, 1)
    text = "[" * 100_000 + "]" * 100_000
    from zooselect.cache import value

    stored = f'{{"sha256":"{value._digest(KEY, text)}","document":{text}}}'
    assert tamper(root, "UPDATE Cache SET value=?", stored) == 1
    assert cache.get(KEY) is None
    assert list(cache.entries()) == []
    assert len(cache.verify().damaged) == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sqlite_temp_store_directory", "'/'"), ("disk_directory", "/"), ("_con", "x"), ("get", 1),
        ("sqlite_journal_mode", "wal"), ("eviction_policy", "no such"), ("cull_limit", 10),
        ("sqlite_user_version = 7 --", 1), ("count", "many"),
    ],
)  # fmt: skip
def test_foreign_settings_are_never_obeyed(root, cache, key, value):
    assert cache.put(KEY, 1)
    tamper(root, "INSERT OR REPLACE INTO Settings VALUES (?, ?)", key, value)
    assert cache.get(KEY) == 1
    assert "settings" in cache.verify().problem
    assert cache.put(KEY, 2)
    assert cache.get(KEY) == 2
    assert cache.verify() == (1, None, ())


def test_our_settings_are_all_of_them(root, cache):
    """None is left to what stands in a database, or to diskcache's own choice."""
    assert set(SETTINGS) == set(diskcache.DEFAULT_SETTINGS)
    assert cache.put(KEY, 1)
    with sqlite3.connect(database_of(root)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()
    assert [one.name for one in (root / "answers-1").iterdir()] == ["cache.db"]


@pytest.mark.parametrize("value", [1, b"a", None, ["a"], object()])
def test_only_texts_are_stored(tmp_path, value):
    disk = TextDisk(str(tmp_path))
    with pytest.raises(NotTextError):
        disk.put(value)
    with pytest.raises(NotTextError):
        disk.store(value, False)
    with pytest.raises(NotTextError):
        disk.store("text", True)
    with pytest.raises(NotTextError):
        disk.filename()
    assert disk.store("a" * 10**6, False) == (0, 1, None, "a" * 10**6)
