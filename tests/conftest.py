"""What all tests share: a clean environment, small catalogs, and ways to run the command line."""

import json
import os
import subprocess
import sys
from typing import NamedTuple

import pytest
from hypothesis import settings

from tests.examples import SAME, examples
from tests.net.loopback import Loopback
from zooselect.cli.main import run

# A slow machine is no failure.
settings.register_profile("zooselect", deadline=None, derandomize=SAME, max_examples=examples(100))
settings.load_profile("zooselect")

RESNET = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet/"


class Outcome(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """Standard output as one strict JSON document."""
        return json.loads(self.out, parse_constant=_no_constant)

    @property
    def errors(self):
        """The lines of standard error that tell an error."""
        return [line for line in self.err.splitlines() if line.startswith("error: ")]


def _no_constant(name):
    raise AssertionError(f"{name} is not JSON")


@pytest.fixture(autouse=True, scope="session")
def _clean_environment(tmp_path_factory):
    """Without the settings of whoever runs the tests; child processes buffer as users' do."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if "ZOOSELECT" in name or name.startswith("SPARSEZOO") or name == "PYTHONUNBUFFERED":
                patch.delenv(name)
        patch.setenv("ZOOSELECT_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def cli(capsys):
    """Run the command line in this process."""

    def call(*arguments):
        capsys.readouterr()
        code = run([str(one) for one in arguments])
        return Outcome(code, *capsys.readouterr())

    return call


@pytest.fixture
def process():
    """Run the command line in a process of its own."""

    def call(*arguments, env=None, **options):
        command = [sys.executable, "-m", "zooselect", *map(str, arguments)]
        done = subprocess.run(
            command,
            env={**os.environ, **(env or {})},
            timeout=60,
            text=True,
            check=False,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )
        return Outcome(done.returncode, done.stdout or "", done.stderr or "")

    return call


@pytest.fixture
def loopback():
    """Start servers with scripted answers; they end with the test."""
    started = []

    def start(*answers, **options):
        started.append(Loopback(*answers, **options))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def catalog_file(tmp_path):
    """Write a catalog file of models, or with any content at all."""

    def write(models=(), *, content=None, name="catalog.json", **document):
        path = tmp_path / name
        if content is None:
            document = {"schema": 1, "compiled": "2026-01-02", "models": list(models), **document}
            content = json.dumps(document).encode()
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def small_catalog(catalog_file):
    """A catalog file of three models of one network."""
    return catalog_file(
        [
            {"stub": RESNET + "base-none", "confidence": "high"},
            {"stub": RESNET + "pruned90-none", "confidence": "high", "sparsity_percent": 90},
            {
                "stub": RESNET + "pruned95_quant-none",
                "confidence": "medium",
                "sparsity_percent": 95,
                "results": [{"metric": "top1_accuracy", "value": 75.5, "units": "%"}],
            },
        ]
    )
