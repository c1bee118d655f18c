"""Several processes at once, processes that are killed, folders that are not one's own."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.cache.databases import DOCUMENTS, database_of, fill, moved_aside
from zooselect.cache.answers import AnswerCache

NOBODY = 65534

#: Writes and reads documents that say what they are, so that a reader can tell a wrong one.
WORK = """
import sys
from pathlib import Path
from zooselect.cache.answers import AnswerCache
cache, me, rounds = AnswerCache(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3])
stored = 0
for number in range(rounds):
    for key in (f"{me}-{number % 3}", "shared"):
        stored += cache.put(key, {"key": key, "by": me, "models": [key] * (number % 7) * 1000})
        read = cache.get(key)
        assert read is None or read["key"] == key and set(read["models"]) <= {key}, read
    print(stored, flush=True)
"""


def start(root, name, rounds, **options):
    command = [sys.executable, "-W", "error", "-c", WORK, str(root), name, str(rounds)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def check(root):
    cache = AnswerCache(root)
    for entry in cache.entries():
        assert entry.document["key"] == entry.key
        assert set(entry.document["models"]) <= {entry.key}
    return cache.verify()


def test_eight_at_once(root):
    """They also make the database at the same time."""
    rounds = 6
    workers = [start(root, f"worker {number}", rounds) for number in range(8)]
    for worker in workers:
        out, err = worker.communicate(timeout=120)
        assert (worker.returncode, err) == (0, "")
        # A wait that is too long is no error; but it must not be the rule.
        assert int(out.split()[-1]) >= rounds
    found = check(root)
    assert (found.problem, found.damaged) == (None, ())
    assert found.answers > 8
    assert moved_aside(root) == []


def test_eight_at_once_on_a_damaged_database(root):
    """One of them moves it aside; nobody moves away what another has begun."""
    database_of(root).parent.mkdir(parents=True)
    database_of(root).write_bytes(b"x" * 5000)
    workers = [start(root, f"worker {number}", 3) for number in range(8)]
    for worker in workers:
        _, err = worker.communicate(timeout=120)
        assert (worker.returncode, err) == (0, "")
    found = check(root)
    assert (found.problem, found.damaged) == (None, ())
    assert [(one / "cache.db").read_bytes() for one in moved_aside(root)] == [b"x" * 5000]


def test_killed_at_random_moments(root):
    chance = random.Random(5)
    cache = AnswerCache(root)
    for number in range(12):
        worker = start(root, f"worker {number}", 10_000)
        worker.stdout.readline()
        time.sleep(chance.uniform(0, 0.05))
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
        found = check(root)
        assert (found.problem, found.damaged) == (None, ())
        assert cache.put(f"after {number}", {"key": f"after {number}", "models": []})
    assert all(cache.get(f"after {number}") for number in range(12))
    assert moved_aside(root) == []


@pytest.fixture
def elsewhere():
    """A folder that other users can get to, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="zooselect-test-"))
    folder.chmod(0o755)
    yield folder
    for one in [folder, *folder.rglob("*")]:
        if one.is_dir():
            one.chmod(0o755)
    shutil.rmtree(folder)


#: Becomes another user where it can, for to root everything is writable. All is imported
#: before, for the other user may not get at the code.
SOMEBODY = f"""
import os, sys, urllib.parse
from pathlib import Path
import zooselect.cache.disk
from zooselect.cache.answers import AnswerCache
from zooselect.errors import LocalFileError
from tests.cache.databases import DOCUMENTS
if os.getuid() == 0:
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
cache = AnswerCache(Path(sys.argv[1]))
"""

READ_ONLY = """
for key, document in DOCUMENTS.items():
    assert cache.get(key) == document, key
    assert cache.put(key, "new") is False
assert cache.get("nothing") is None
assert cache.put("nothing", 1) is False
assert [entry.key for entry in cache.entries()] == sorted(DOCUMENTS)
assert cache.verify(fix=True).answers == len(DOCUMENTS)
for act in (cache.clear, lambda: cache.remove("key 1")):
    try:
        act()
    except LocalFileError as error:
        assert "readonly" in str(error), error
    else:
        raise AssertionError("removed")
"""


def run_as_somebody(script, root):
    command = [sys.executable, "-W", "error", "-c", SOMEBODY + script, str(root)]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def everything(root):
    return {one: one.read_bytes() for one in root.rglob("*") if one.is_file()}


@pytest.mark.parametrize("rights", [(0o555, 0o444), (0o555, 0o666), (0o777, 0o444)])
def test_read_only(elsewhere, rights):
    if os.getuid() != 0 and rights[0] == 0o777:
        pytest.skip("an owner can write there")
    root = elsewhere / "cache"
    fill(AnswerCache(root))
    folder, file = rights
    database_of(root).chmod(file)
    for one in (root / "answers-1", root):
        one.chmod(folder)
    before = everything(root)
    run_as_somebody(READ_ONLY, root)
    assert everything(root) == before


def test_damaged_and_read_only(elsewhere):
    root = elsewhere / "cache"
    database_of(root).parent.mkdir(parents=True)
    database_of(root).write_bytes(b"x" * 5000)
    for one in (database_of(root).parent, root):
        one.chmod(0o555)
    script = (
        "assert cache.get('key') is None\nassert cache.put('key', 1) is False\n"
        "assert cache.verify().problem\n"
        "try: cache.verify(fix=True)\nexcept LocalFileError: pass\nelse: raise AssertionError\n"
    )
    run_as_somebody(script, root)
    assert [one.name for one in root.iterdir()] == ["answers-1"]


def test_no_folder_and_nowhere_to_make_one(elsewhere):
    elsewhere.chmod(0o555)
    script = (
        "assert cache.get('key') is None\nassert cache.put('key', 1) is False\n"
        "assert cache.verify().answers == 0\n"
    )
    run_as_somebody(script, elsewhere / "cache")


def test_a_private_cache_of_another_user(elsewhere):
    if os.getuid() != 0:
        pytest.skip("needs another user")
    root = elsewhere / "cache"
    fill(AnswerCache(root))
    script = (
        "assert cache.get('key 1') is None\nassert cache.put('key 1', 1) is False\n"
        "assert list(cache.entries()) == []\n"
    )
    run_as_somebody(script, root)
    assert AnswerCache(root).get("key 1") == DOCUMENTS["key 1"]
