"""The cache of answers, as long as nothing is wrong on disk."""

import os
import stat
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings

from tests.cache.databases import database_of
from tests.cache.test_value import JSON, told_apart
from tests.examples import examples
from zooselect.cache import disk
from zooselect.cache.answers import AnswerCache


def test_making_one_does_nothing(root, cache):
    assert cache.get("key") is None
    assert list(cache.entries()) == []
    assert cache.remove("key") is False
    assert cache.verify(fix=True) == (0, None, ())
    cache.clear()
    assert not root.exists()


def test_put_and_get(cache):
    assert cache.put("key", {"a": [1, None]})
    assert cache.get("key") == {"a": [1, None]}
    assert cache.put("key", "new")
    assert cache.get("key") == "new"
    assert cache.get("KEY") is None
    assert cache.get("") is None


@settings(max_examples=examples(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON.filter(lambda one: one is not None))
def test_any_document_comes_back(cache, document):
    assert cache.put("key", document)
    assert told_apart(cache.get("key")) == told_apart(document)
    assert [told_apart(entry.document) for entry in cache.entries()] == [told_apart(document)]


@pytest.mark.parametrize("key", ["", "a\0b", "a\0", "é\U0001f600", "k" * 10**6, "%", "'; --"])
def test_any_text_is_a_key(cache, key):
    assert cache.put(key, 1)
    assert cache.put(key + "\0", 2)
    assert cache.get(key) == 1
    assert cache.remove(key)
    assert [entry.key for entry in cache.entries()] == [key + "\0"]


@pytest.mark.parametrize("document", [None, float("nan"), {1, 2}, b"a", [object()]])
def test_what_is_no_document_is_not_stored(root, cache, document):
    assert cache.put("key", document) is False
    assert not root.exists()


def test_a_key_that_is_not_unicode(cache):
    assert cache.put("\ud800", 1) is False
    assert cache.put("key", 1)
    assert cache.get("\ud800") is None
    assert cache.remove("\ud800") is False


def test_entries_are_sorted_and_have_ids(tmp_path, cache):
    for key in ("b", "c", "a"):
        assert cache.put(key, {"key": key})
    entries = list(cache.entries())
    assert [(one.key, one.document["key"]) for one in entries] == [(k, k) for k in "abc"]
    assert all(one.bytes > 80 for one in entries)
    other = AnswerCache(tmp_path / "other")
    assert other.put("a", "something else")
    assert next(other.entries()).id == entries[0].id
    assert len({one.id for one in entries}) == 3


def test_entries_may_be_left_half_read(cache):
    for key in ("a", "b"):
        assert cache.put(key, 1)
    entries = cache.entries()
    assert next(entries).key == "a"
    entries.close()
    assert cache.put("c", 1)


def test_remove_and_clear(cache):
    for key in ("a", "b", "c"):
        assert cache.put(key, 1)
    assert (cache.remove("a"), cache.remove("a")) == (True, False)
    assert [entry.key for entry in cache.entries()] == ["b", "c"]
    cache.clear()
    assert list(cache.entries()) == []
    assert cache.put("a", 1)


def test_folders_are_private_and_hold_one_file(tmp_path):
    cache = AnswerCache(tmp_path / "x" / "y")
    before = os.umask(0)
    try:
        assert cache.put("key", 1)
    finally:
        os.umask(before)
    for folder in (tmp_path / "x", tmp_path / "x/y", cache.folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [one.name for one in cache.folder.iterdir()] == ["cache.db"]


def test_a_folder_that_is_there_keeps_its_rights(root, cache):
    root.mkdir(mode=0o755)
    assert cache.put("key", 1)
    assert stat.S_IMODE(root.stat().st_mode) == 0o755


@pytest.mark.parametrize(
    "name", ["a b", "a?mode=memory", "a#b", "a%20b", "é", "a;b'\"c", "-", "~x"]
)
def test_any_name_of_a_folder(tmp_path, name):
    cache = AnswerCache(tmp_path / name)
    assert cache.put("key", 1)
    assert cache.get("key") == 1
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_variables_in_the_name_of_a_folder(tmp_path, monkeypatch):
    """diskcache replaces them; reading and writing must not end in two places."""
    monkeypatch.setenv("ZOO_VARIABLE", "value")
    cache = AnswerCache(tmp_path / "$ZOO_VARIABLE")
    assert cache.put("key", 1)
    assert cache.get("key") == 1
    assert [one.name for one in tmp_path.iterdir()] == ["value"]


def test_a_full_cache_keeps_what_it_has(cache, root, monkeypatch):
    assert cache.put("key", "first")
    size = database_of(root).stat().st_size
    monkeypatch.setattr(disk, "SIZE_LIMIT", size + 10_000)
    assert cache.put("other", "a" * 9_000)
    assert cache.put("third", "a" * 9_000) is False
    assert cache.get("third") is None
    assert cache.get("key") == "first"
    assert cache.remove("other")
    assert cache.put("third", "a" * 9_000)


def test_old_answers_are_never_evicted(cache):
    """diskcache's own defaults kept 10 of 200 of these."""
    for number in range(60):
        assert cache.put(f"key {number}", "a" * 20_000)
    assert len(list(cache.entries())) == 60


def test_reading_does_not_import_diskcache(root, cache):
    assert cache.put("key", 1)
    script = (
        "import sys; from pathlib import Path; from zooselect.cache.answers import AnswerCache\n"
        f"assert AnswerCache(Path({str(root)!r})).get('key') == 1\n"
        "sys.exit('diskcache' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_reading_changes_nothing(root, cache):
    assert cache.put("key", 1)
    before = (database_of(root).read_bytes(), database_of(root).stat().st_mtime_ns)
    assert cache.get("key") == 1
    assert cache.get("other") is None
    assert len(list(cache.entries())) == 1
    cache.verify(fix=True)
    assert (database_of(root).read_bytes(), database_of(root).stat().st_mtime_ns) == before
    assert [one.name for one in cache.folder.iterdir()] == ["cache.db"]
