"""Files of hundreds of MB: memory, and what a kill or a cut costs."""

import os
import random
import signal
import time

import pytest

from tests.downloads.conftest import _quick, cache, new_zoo
from tests.downloads.disk import check_whole
from tests.downloads.slow.large import process
from tests.downloads.zoo_server import cut

__all__ = ["_quick", "cache", "new_zoo"]

# Loopback only.
pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

MB = 1_000_000
_BLOCK = random.Random(1).randbytes(MB)


def finish(child):
    """The memory a child took, in MiB, after it ended well."""
    _, err = child.communicate(timeout=300)
    assert child.returncode == 0, err
    return int(err.splitlines()[-1]) / 1024


@pytest.mark.parametrize("md5", [True, False], ids=["md5", "no digest"])
def test_memory_of_300_mb(new_zoo, cache, tmp_path, capsys, md5):
    zoo = new_zoo({"model.onnx": _BLOCK * 300})
    zoo.md5 = md5
    memory = finish(process(zoo, tmp_path / "model"))
    with capsys.disabled():
        print(f"\n300 MB: {memory:.0f} MiB at most")
    assert memory < 80
    check_whole(tmp_path / "model", zoo.files)


def test_memory_of_four_at_a_time(new_zoo, cache, tmp_path, capsys):
    zoo = new_zoo({f"deployment/{number}.bin": _BLOCK * 60 + b"%d" % number for number in range(4)})
    memory = finish(process(zoo, tmp_path / "model"))
    with capsys.disabled():
        print(f"\n4 x 60 MB at a time: {memory:.0f} MiB at most")
    assert memory < 80
    check_whole(tmp_path / "model", zoo.files)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_200_mb_after_a_kill(new_zoo, cache, tmp_path, capsys, sign):
    zoo = new_zoo({"model.onnx": _BLOCK * 200})
    zoo.pace = 0.0005
    child = process(zoo, tmp_path / "model")
    while zoo.sent_of("model.onnx") < 120 * MB:
        assert child.poll() is None
        time.sleep(0.01)
    os.kill(child.pid, sign)
    child.communicate(timeout=30)
    time.sleep(0.5)  # the server is told
    before = zoo.sent_of("model.onnx")
    memory = finish(process(zoo, tmp_path / "model"))
    again = zoo.sent_of("model.onnx") - before
    with capsys.disabled():
        print(f"\n{sign.name} at {before / MB:.0f} of 200 MB: {again / MB:.1f} MB sent after it")
    # A note is written every 32 MiB; with Ctrl-C also at the end.
    assert again < (200 - 120 + 40) * MB
    assert memory < 80
    check_whole(tmp_path / "model", zoo.files)


def test_200_mb_after_a_cut(new_zoo, cache, tmp_path):
    zoo = new_zoo({"model.onnx": _BLOCK * 200})
    zoo.faults("model.onnx", cut(0.6), cut(0.5))
    finish(process(zoo, tmp_path / "model"))
    assert zoo.sent_of("model.onnx") == 200 * MB
    check_whole(tmp_path / "model", zoo.files)
