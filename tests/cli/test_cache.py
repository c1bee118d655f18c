"""`zooselect cache`, as people and scripts use it."""

import contextlib
import json
import shutil
import sqlite3
from datetime import datetime, timedelta, timezone

import pytest

from zooselect.cache.answers import AnswerCache

COMMANDS = ("dir", "ls", "rm", "prune", "verify")
URL = "https://zoo.example/graphql"


@pytest.fixture
def root(tmp_path, monkeypatch):
    root = tmp_path / "cache"
    monkeypatch.setenv("ZOOSELECT_CACHE_DIR", str(root))
    return root


def document(*, days=0, models=2, **more):
    fetched = datetime.now(timezone.utc) - timedelta(days=days)
    return {
        "schema": 1, "source": "api", "url": URL,
        "question": {"domain": "cv", "sub_domain": "classification", "framework": None},
        "fetched_at": fetched.strftime("%Y-%m-%dT%H:%M:%SZ"), "etag": None,
        "models": [{"name": "a"}] * models, **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A cache made once: a database waits for the disk, and a copy does not."""
    root = tmp_path_factory.mktemp("stored") / "cache"
    cache = AnswerCache(root)
    assert cache.put("a new", document(days=0.01))
    assert cache.put("b old", document(days=40, question={"page": 1, "domain": "nlp"}))
    return root


@pytest.fixture
def cache(root, stored):
    shutil.copytree(stored, root)
    return AnswerCache(root)


def keys(cache):
    return [entry.key for entry in cache.entries()]


def ids(cache):
    return [entry.id for entry in cache.entries()]


def tamper(cache, statement):
    with contextlib.closing(sqlite3.connect(cache.folder / "cache.db")) as connection:
        connection.execute(statement)
        connection.commit()


def test_dir(cli, root):
    assert cli("cache", "dir")[:2] == (0, f"{root}\n")
    assert cli("cache", "dir", "--json").json == {"schema": 1, "cache": str(root)}
    assert not root.exists()


def test_dir_of_the_system(cli, monkeypatch, tmp_path):
    import platformdirs

    monkeypatch.delenv("ZOOSELECT_CACHE_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = platformdirs.user_cache_dir("zooselect", appauthor=False)
    assert cli("cache", "dir").out == f"{folder}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_an_empty_cache(cli, root, name):
    done = cli("cache", name, *(["--all"] if name == "rm" else []), "--json")
    assert done.code == 0
    assert (done.json["schema"], done.json["cache"]) == (1, str(root))
    assert not root.exists()


def test_ls(cli, cache):
    done = cli("cache", "ls")
    first, second = cache.entries()
    assert done.code == 0
    head, row, about, _, other = done.out.splitlines()
    assert head.split() == ["id", "fetched", "models", "bytes"]
    assert row.split() == [first.id, first.document["fetched_at"], "2", str(first.bytes)]
    assert about == f"  {URL}: domain cv, sub_domain classification"
    assert other == f"  {URL}: page 1, domain nlp"
    assert done.err == (
        f"note: 0 models, 0 bytes; 2 answers, {first.bytes + second.bytes:,} bytes\n"
    )
    assert cli("cache", "ls", "--quiet") == (0, f"{first.id}\n{second.id}\n", "")


def test_ls_json(cli, cache):
    done = cli("cache", "ls", "--json", "--quiet")
    assert (done.code, done.err) == (0, "")
    first, second = cache.entries()
    assert done.json["bytes"] == first.bytes + second.bytes
    assert done.json["answers"][0] == {
        "id": first.id, "source": "api", "url": URL, "question": first.document["question"],
        "fetched_at": first.document["fetched_at"], "models": 2, "bytes": first.bytes,
    }  # fmt: skip


@pytest.mark.parametrize(
    "shape",
    [
        1, "text", [], {}, [{}], {"models": 1, "url": [], "fetched_at": {}, "question": 5},
        {"url": "a\x1b[31m\nb", "question": {"a\n": ["\x07"]}, "models": {}, "source": 1},
        {"question": [], "fetched_at": "\x1b[2J"}, {"question": "text", "fetched_at": "soon"},
    ],
)  # fmt: skip
def test_any_shape_of_document(cli, root, shape):
    cache = AnswerCache(root)
    assert cache.put("key", shape)
    done = cli("cache", "ls")
    assert done.code == 0
    assert all(char.isprintable() or char == "\n" for char in done.out)
    assert cli("cache", "ls", "--json").json["answers"][0]["id"] == ids(cache)[0]
    assert cli("cache", "verify").code == 0
    # It does not say when it was fetched, so nobody can use it.
    assert cli("cache", "prune", "--older-than", "9999w").code == 0
    assert keys(cache) == []


def test_rm(cli, cache):
    first, second = ids(cache)
    done = cli("cache", "rm", second, "--dry-run")
    assert (done.code, done.out, keys(cache)) == (0, f"{second}\n", ["a new", "b old"])
    assert done.err.startswith("note: 0 models, 1 answer would be removed, ")
    assert cli("cache", "rm", second)[:2] == (0, f"{second}\n")
    assert keys(cache) == ["a new"]
    done = cli("cache", "rm", first, "--json")
    assert (done.json["dry_run"], done.json["answers"][0]["id"]) == (False, first)
    assert keys(cache) == []


def test_rm_is_all_or_nothing(cli, cache):
    done = cli("cache", "rm", ids(cache)[0], "feedbeef", "--json")
    assert (done.code, done.errors) == (3, ["error: nothing called feedbeef in the cache"])
    assert done.json["error"]["type"] == "NotFoundError"
    assert keys(cache) == ["a new", "b old"]
    assert cli("cache", "rm").code == 2
    assert cli("cache", "rm", "--all", ids(cache)[0]).code == 2
    assert keys(cache) == ["a new", "b old"]


def test_rm_all(cli, cache):
    listed = "".join(f"{one}\n" for one in ids(cache))
    assert cli("cache", "rm", "--all", "--dry-run")[:2] == (0, listed)
    assert keys(cache) == ["a new", "b old"]
    tamper(cache, "INSERT INTO Cache (key, raw, mode) VALUES (x'00', 0, 4)")
    assert cli("cache", "rm", "--all")[:2] == (0, listed)
    assert cache.verify() == (0, None, ())


@pytest.mark.parametrize(
    ("age", "left"),
    [
        ("0s", []), ("30d", ["a new"]), ("5w", ["a new"]), ("6w", ["a new", "b old"]),
        ("959h", ["a new"]), ("961h", ["a new", "b old"]), ("57600m", ["a new"]),
        ("999999999w", ["a new", "b old"]),
    ],
)  # fmt: skip
def test_prune_by_age(cli, cache, age, left):
    before = keys(cache)
    dry = cli("cache", "prune", "--older-than", age, "--dry-run", "--json")
    assert keys(cache) == before
    done = cli("cache", "prune", "--older-than", age, "--json")
    assert (done.code, keys(cache)) == (0, left)
    assert {**done.json, "dry_run": True} == dry.json


@pytest.mark.parametrize("age", ["", "30", "d", "-1d", "1.5d", "1y", "30 d", "٣d", "1d\n", "1e3s"])
def test_an_age_that_is_none(cli, cache, age):
    done = cli("cache", "prune", "--older-than", age)
    assert (done.code, done.out, keys(cache)) == (2, "", ["a new", "b old"])
    assert len(done.errors) == 1


def test_prune_removes_left_overs(cli, cache, root):
    left = [root / "answers-0", root / "answers-1.corrupt-0123abcd"]
    for one in left:
        one.mkdir()
        (one / "file").write_text("12345")
    (root / "models").mkdir()
    done = cli("cache", "prune", "--dry-run")
    assert done.out == "".join(f"{one}\n" for one in left)
    assert done.err == "note: 0 models, 0 answers, 2 folders would be removed, 10 bytes\n"
    assert all(one.is_dir() for one in left)
    assert cli("cache", "prune", "--json").json["folders"] == [str(one) for one in left]
    assert sorted(one.name for one in root.iterdir()) == ["answers-1", "models"]
    assert keys(cache) == ["a new", "b old"]


def test_verify(cli, cache):
    assert cli("cache", "verify") == (0, "", "note: 0 models whole, 2 answers as stored\n")
    done = cli("cache", "verify", "--json", "-q")
    assert (done.code, done.json["ok"], done.json["answers"]) == (0, True, 2)


def test_verify_finds_and_fixes(cli, cache):
    tamper(cache, "UPDATE Cache SET mode=4 WHERE key='b old'")
    done = cli("cache", "verify")
    assert done.code == 6
    assert done.out == "damaged  answer in row 2: its value is no text in place\n"
    assert done.errors == ["error: the cache is damaged: 1 finding"]
    done = cli("cache", "verify", "--json")
    assert (done.code, done.json["ok"], done.json["fixed"]) == (6, False, False)
    assert done.json["damaged"] == [{"row": 2, "reason": "its value is no text in place"}]
    done = cli("cache", "verify", "--fix", "--json")
    assert (done.code, done.json["ok"], done.json["fixed"]) == (0, False, True)
    assert cli("cache", "verify").code == 0
    assert keys(cache) == ["a new"]


def test_verify_of_a_broken_database(cli, cache, root):
    (root / "answers-1/cache.db").write_bytes(b"x" * 5000)
    done = cli("cache", "verify")
    assert (done.code, done.out) == (6, "damaged  database: file is not a database\n")
    assert done.errors == ["error: the cache is damaged: 1 finding"]
    assert cli("cache", "ls", "-q") == (0, "", "")
    assert cli("cache", "verify", "--fix").code == 0
    assert cli("cache", "verify").code == 0
    [aside] = json.loads(cli("cache", "prune", "--json").out)["folders"]
    assert aside.startswith(str(root / "answers-1.corrupt-"))


def test_a_cache_in_use(cli, cache, monkeypatch):
    from zooselect.cache import answers

    monkeypatch.setattr(answers, "READ_WAIT", 0.05)
    monkeypatch.setattr(answers, "WRITE_WAIT", 0.05)
    first = ids(cache)[0]
    path = cache.folder / "cache.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for arguments in (["rm", first], ["rm", "--all"], ["prune", "--older-than", "1d"]):
            done = cli("cache", *arguments)
            assert (done.code, done.out, len(done.errors)) == (7, "", 1)
    assert keys(cache) == ["a new", "b old"]


def test_in_a_process(process, cache, root):
    done = process("cache", "ls", "-q", env={"ZOOSELECT_CACHE_DIR": str(root)})
    assert done == (0, "".join(f"{one}\n" for one in ids(cache)), "")


@pytest.mark.parametrize("name", COMMANDS)
def test_help(cli, name):
    done = cli("cache", name, "--help")
    assert done.code == 0
    assert "--json" in done.out
    assert "--quiet" in done.out
    assert ("--dry-run" in done.out) is (name in {"rm", "prune"})
