"""Hundreds of downloads killed at random moments; the counts are printed at the end."""

import os
import random
import time

import filelock
import pytest

from tests.downloads.children import Kills, ended, start
from tests.downloads.conftest import _quick, cache, new_zoo
from tests.downloads.disk import check_whole
from tests.downloads.slow.large import NO_LOCKS, process
from tests.downloads.test_processes import HERE, LISTED, NoLock
from tests.downloads.zoo_server import corrupt, cut, page, plain, refuse, status

__all__ = ["_quick", "cache", "new_zoo"]

# Loopback only.
pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


def tell(capsys, title, kills):
    with capsys.disabled():
        print(f"\n{title}: {kills}")
    assert not any(kills.bad.values()), str(kills)


@pytest.mark.parametrize("locks", [True, False], ids=["locks", "no locks"])
def test_killed(new_zoo, cache, tmp_path, monkeypatch, capsys, locks):
    if not locks:
        monkeypatch.setattr(filelock, "FileLock", NoLock)
    zoo = new_zoo(LISTED)
    zoo.pace = 0.01
    kills = Kills(100 + locks)
    for number in range(150):
        kills.round(zoo, tmp_path / f"model {number}", HERE, within=0.12)
    tell(capsys, f"killed, {'with' if locks else 'without'} locks", kills)
    assert kills.tried > 100


def test_killed_while_the_server_fails_too(new_zoo, cache, tmp_path, capsys):
    """Both at a time: signals, cuts, refusals, error pages and wrong bytes."""
    zoo = new_zoo(LISTED)
    zoo.pace = 0.005
    kills = Kills(7)
    faults = [cut(0.3), cut(0.6, hard=True), refuse, status(503), page(), corrupt(0.5),
              lambda reply: plain(reply.content)(reply)]  # fmt: skip

    def run(url, folder):
        if zoo.pace:
            names = [*LISTED, "/v2/graphql"]
            for name in names:
                zoo.faults(name, *kills.chance.sample(faults, 2))
        else:
            zoo.script.clear()
        return start(url, folder)

    for number in range(100):
        kills.round(zoo, tmp_path / f"model {number}", HERE, within=0.12, run=run)
    tell(capsys, "killed while the server fails", kills)
    assert kills.tried > 60


def test_killed_while_the_model_changes(new_zoo, cache, tmp_path, capsys):
    """Two versions in turn: one or the other is there, or none; never one of each."""
    zoo = new_zoo(LISTED)
    chance = random.Random(3)
    folder = tmp_path / "model"
    versions = [LISTED, {**LISTED, "model.onnx": LISTED["model.onnx"][::-1]}]
    mixed = tried = 0
    for number in range(100):
        zoo.files = dict(versions[number % 2])
        here = {**HERE, "model.onnx": zoo.files["model.onnx"]}
        zoo.pace = 0.01
        child = start(zoo.url, folder, "--refresh")
        time.sleep(chance.uniform(0, 0.15))
        os.kill(child, 9)
        tried += ended(child) != 0
        kills = Kills(0)
        for version in versions:
            kills = Kills(0)
            kills._look(folder, {**HERE, "model.onnx": version["model.onnx"]})
            if kills.accepted == 0:
                break
        mixed += kills.accepted
        zoo.pace = 0
        assert ended(start(zoo.url, folder, "--refresh")) == 0
        check_whole(folder, here)
    with capsys.disabled():
        print(f"\nkilled while the model changes: faults tried: {tried}  mixtures: {mixed}")
    assert mixed == 0


@pytest.mark.parametrize("count", [8, 16])
def test_real_processes_without_locks(new_zoo, cache, tmp_path, count):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(NO_LOCKS)
    zoo, folder = new_zoo(LISTED), tmp_path / "model"
    zoo.pace = 0.05
    path = str(tmp_path / "site")
    children = [process(zoo, folder, PYTHONPATH=path) for _ in range(count)]
    ends = [(child.communicate(timeout=120)[1], child.returncode) for child in children]
    assert [code for _, code in ends] == [0] * count, ends
    assert len(zoo.asked("/m1/model.onnx")) > 1  # the locks do nothing indeed
    assert ended(start(zoo.url, folder)) == 0
    check_whole(folder, HERE)
