"""Networks on disk, made once."""

from pathlib import Path
from typing import NamedTuple

import onnx
import pytest

from tests.apply.networks import ALL, write_samples
from zooselect.apply import Report, apply

#: Run by `make test-apply` only: downloads packages, trains networks.
collect_ignore = ["slow"]


class OnDisk(NamedTuple):
    """A model file and a folder of samples."""

    model: Path
    data: Path


class Applied(NamedTuple):
    """What came of a network at a level."""

    model: Path
    data: Path
    out: Path
    report: Report


@pytest.fixture(autouse=True, scope="module")
def _few_runs():
    """Tests ask for no precise latency."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zooselect.apply.runtime._MOST", 5)
        yield


@pytest.fixture(scope="session")
def applied(network, tmp_path_factory):
    """Return what came of a network at a level, made once; not to be changed."""
    made = {}

    def get(name, level):
        if (name, level) not in made:
            model, data = network(name)
            out = tmp_path_factory.mktemp(f"{name}-{level}") / "out.onnx"
            made[name, level] = Applied(model, data, out, apply(model, level, out, data=data))
        return made[name, level]

    return get


@pytest.fixture(scope="session")
def network(tmp_path_factory):
    """Return a network by name, on disk; not to be changed."""
    made = {}

    def get(name):
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            model, inputs = ALL[name]()
            onnx.save(model, folder / "model.onnx")
            made[name] = OnDisk(folder / "model.onnx", write_samples(folder / "data", inputs))
        return made[name]

    return get
