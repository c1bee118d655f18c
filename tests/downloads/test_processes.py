"""Several processes at once, and processes that are killed."""

import errno
import json
import os
import random
import subprocess
import sys
import time

import filelock
import pytest

from tests.downloads.archives import archive
from tests.downloads.children import Kills, ended, start
from tests.downloads.disk import check_whole, private
from tests.downloads.zoo_server import V1, cut, status

# Loopback only.
pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

_NETWORK = random.Random(3).randbytes(400_000)
_DEPLOYED = {"model.onnx": _NETWORK[:200_000], "config.json": b"{}", "tokenizer.json": b"[]"}
#: As listed: loose files and an archive.
LISTED = {"model.onnx": _NETWORK, "deployment.tar.gz": archive(_DEPLOYED)}
#: As they are when they are here.
HERE = {
    "model.onnx": _NETWORK,
    **{f"deployment/{name}": content for name, content in _DEPLOYED.items()},
}


class NoLock:
    """A lock that everyone gets at once: what some network file systems do."""

    def __init__(self, path):
        pass

    def acquire(self, timeout):
        pass

    def release(self, *, force):
        pass


class Refused(NoLock):
    """A file system without locks."""

    def acquire(self, timeout):
        raise OSError(errno.ENOLCK, "No locks available")


class Unknown(NoLock):
    """A system without locks."""

    def acquire(self, timeout):
        raise NotImplementedError


@pytest.fixture
def zoo(new_zoo):
    return new_zoo(LISTED)


@pytest.mark.parametrize("count", [2, 8, 16])
def test_at_once(zoo, cache, tmp_path, count):
    """One fetches, the others wait for it."""
    folder = tmp_path / "model"
    zoo.pace = 0.02
    children = [start(zoo.url, folder) for _ in range(count)]
    assert [ended(child) for child in children] == [0] * count
    check_whole(folder, HERE)
    assert sorted(zoo.asked("/models/")) == [f"GET /models/m1/{name}" for name in sorted(LISTED)]


@pytest.mark.parametrize(
    ("lock", "count"), [(NoLock, 2), (NoLock, 8), (NoLock, 16), (Refused, 2), (Unknown, 2)]
)
def test_at_once_without_locks(zoo, cache, tmp_path, monkeypatch, lock, count):
    """Everyone fetches, and nobody harms another."""
    monkeypatch.setattr(filelock, "FileLock", lock)
    folder = tmp_path / "model"
    zoo.pace = 0.01
    children = [start(zoo.url, folder) for _ in range(count)]
    assert [ended(child) for child in children] == [0] * count
    held = private(folder)
    assert ended(start(zoo.url, folder)) == 0
    check_whole(folder, HERE)
    assert held == []


@pytest.mark.parametrize("locks", [True, False], ids=["locks", "no locks"])
def test_killed_at_random_moments(zoo, cache, tmp_path, monkeypatch, locks):
    if not locks:
        monkeypatch.setattr(filelock, "FileLock", NoLock)
    zoo.pace = 0.01
    kills = Kills(11 + locks)
    for number in range(14):
        kills.round(zoo, tmp_path / f"model {number}", HERE, within=0.12)
    assert not any(kills.bad.values()), str(kills)
    assert kills.tried > 5


def test_one_of_several_is_killed(zoo, cache, tmp_path, monkeypatch):
    """The others go on, with locks or without."""
    monkeypatch.setattr(filelock, "FileLock", NoLock)
    zoo.pace = 0.01
    chance = random.Random(5)
    for number in range(4):
        folder = tmp_path / f"model {number}"
        children = [start(zoo.url, folder) for _ in range(4)]
        time.sleep(chance.uniform(0.02, 0.15))
        os.kill(children[0], 9)
        assert [ended(child) for child in children][1:] == [0] * 3
        assert ended(start(zoo.url, folder)) == 0
        check_whole(folder, HERE)


def test_a_kill_does_not_leave_a_copy_each(new_zoo, cache, tmp_path):
    """However often a download is killed: there is about one part of it on disk."""
    content = random.Random(1).randbytes(3_000_000)
    zoo, folder = new_zoo({"model.onnx": content}), tmp_path / "model"
    for _ in range(5):
        zoo.faults("model.onnx", cut(0.1), *[status(503)] * 9)
        assert ended(start(zoo.url, folder)) == 5
    sizes = [one.stat().st_size for one in (folder / ".zooselect-model").glob("*.part")]
    assert 1 <= len(sizes) <= 2
    zoo.faults("model.onnx")
    before = zoo.sent_of("model.onnx")
    assert ended(start(zoo.url, folder)) == 0
    assert zoo.sent_of("model.onnx") - before < len(content)
    check_whole(folder, {"model.onnx": content})


def test_a_process_of_its_own_is_interrupted(zoo, cache, tmp_path):
    """Ctrl-C: one line, 130, and what came is not fetched again."""
    zoo.pace = 0.1
    command = [sys.executable, "-m", "zooselect", "download", V1, "--api-url", zoo.url,
               "--dir", str(tmp_path / "model"), "--json"]  # fmt: skip
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while zoo.sent_of("model.onnx") < 200_000:
        assert child.poll() is None
        time.sleep(0.01)
    child.send_signal(2)
    out, err = child.communicate(timeout=20)
    assert (child.returncode, err) == (130, "error: interrupted\n")
    assert json.loads(out)["error"]["exit_code"] == 130
    zoo.pace = 0
    before = zoo.sent_of("model.onnx")
    assert subprocess.run(command, capture_output=True, check=False, timeout=30).returncode == 0
    assert zoo.sent_of("model.onnx") - before < len(_NETWORK) - 60_000
    check_whole(tmp_path / "model", HERE)
