"""What the tests of downloads share: a zoo of three files, the command, and a hard look at disk."""

import os
import random

import pytest

from tests.downloads.zoo_server import V1, Zoo

#: Run by `make test-faults` only: hundreds of kills, and files of hundreds of MB.
collect_ignore = ["slow"]

CONTENT = random.Random(7).randbytes(300_000)
FILES = {
    "model.onnx": CONTENT,
    "deployment/model.onnx": random.Random(8).randbytes(100_000),
    "deployment/config.json": b'{"a": 1}\n',
    "recipe.md": b"# recipe\n",
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch, request):
    """Retries wait for milliseconds; nothing here cuts the power, so nothing is synced."""
    monkeypatch.setattr("zooselect.net.retry._FIRST_WAIT", 0.002)
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    monkeypatch.setenv("ZOOSELECT_RETRY_BUDGET", "2")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("ZOOSELECT_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def new_zoo():
    """Start servers of files."""
    started = []

    def start(files=None):
        zoo = Zoo(FILES if files is None else files)
        started.append(zoo)
        return zoo

    yield start
    for zoo in started:
        zoo.close()


@pytest.fixture
def zoo(new_zoo):
    """A server of three small files."""
    return new_zoo()


@pytest.fixture
def get(cli, zoo, cache, tmp_path):
    """Download the zoo's model into `model`, from the API or the static mirror."""

    def run(*arguments, mirror=False, stub=V1, folder=tmp_path / "model"):
        source = ("--catalog", zoo.url) if mirror else ("--api-url", zoo.url)
        at = () if folder is None else ("--dir", folder)
        return cli("download", stub, *source, *at, *arguments)

    return run
