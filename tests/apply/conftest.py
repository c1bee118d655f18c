"""Networks on disk, made once."""

from pathlib import Path
from typing import NamedTuple

import onnx
import pytest

from tests.apply.networks import ALL, write_samples

#: Run by `make test-apply` only: downloads packages, trains networks.
collect_ignore = ["slow"]


class OnDisk(NamedTuple):
    """A model file and a folder of samples."""

    model: Path
    data: Path


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
