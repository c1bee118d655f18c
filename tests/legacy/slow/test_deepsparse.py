"""deepsparse 1.8.0, unmodified, runs models from their stubs."""

import io
import json
import platform
import tarfile
from pathlib import Path

import numpy as np
import pytest

from tests.legacy.conftest import NET, digests

pytestmark = [
    pytest.mark.allow_hosts(["127.0.0.1"]),
    pytest.mark.skipif(
        platform.system() != "Linux" or platform.machine() not in ("x86_64", "aarch64"),
        reason="deepsparse runs on Linux on x86-64 or ARM",
    ),
]

CLIENT = Path(__file__).with_name("deepsparse_client.py")
TEXT = "zoo:nlp/sentiment_analysis/samplebert-small/pytorch/zooselect/sst2/"
NAMES = [
    (NET + "base-none", "zoo:samplenet-small-imagenette-base"),
    (NET + "pruned80_quant-none", "zoo:samplenet-small-imagenette-pruned80_quantized"),
    (TEXT + "base-none", "zoo:samplebert-small-sst2-base"),
    (TEXT + "pruned80_quant-none", "zoo:samplebert-small-sst2-pruned80_quantized"),
]


@pytest.fixture(scope="module")
def python(python_of):
    return python_of("deepsparse", "python3.10")


@pytest.fixture
def run(python, server, old):
    def call(*calls):
        out = old(server.url, [python, CLIENT, json.dumps(calls)], timeout=300)
        return json.loads(out.splitlines()[-1])

    return call


def samples(zoo, stub, kind):
    """The arrays of each sample of a model, as the mirror has them."""
    with tarfile.open(zoo.file(stub, f"sample-{kind}.tar.gz")) as tar:
        return [
            dict(np.load(io.BytesIO(tar.extractfile(name).read())))
            for name in sorted(tar.getnames())
        ]


@pytest.mark.parametrize(("v1", "v2"), NAMES, ids=[v2.removeprefix("zoo:") for _, v2 in NAMES])
def test_compiles_and_runs_a_stub(run, zoo, tmp_path, v1, v2):
    sample = tmp_path / "sample.npz"
    np.savez(sample, **samples(zoo, v1, "inputs")[0])
    (expected,) = samples(zoo, v1, "outputs")[0].values()
    outcomes = run(*(["engine", {"stub": stub, "inputs": str(sample)}] for stub in (v1, v2)))
    assert outcomes[0] == outcomes[1]
    got = np.array(outcomes[0][0])[0]
    assert got.argmax() == expected.argmax()
    # INT8 arithmetic rounds in its own way in every engine.
    assert np.allclose(got, expected, atol=1e-3 if "base-none" in v1 else 0.5)
    held = zoo.files(v1)
    cached = digests(tmp_path / "home" / "zoo" / "neuralmagic" / v2.removeprefix("zoo:"))
    assert cached["deployment/model.onnx"] == held["deployment/model.onnx"]


@pytest.mark.parametrize("tag", ["base", "pruned80_quant"])
def test_a_text_classification_pipeline(run, zoo, tag):
    v1 = f"{TEXT}{tag}-none"
    words = zoo.file(v1, "training/vocab.txt").read_text().split("\n")
    texts = [
        " ".join(word for word in (words[index] for index in sample["input_ids"])
                 if not word.startswith("["))
        for sample in samples(zoo, v1, "inputs")
    ]  # fmt: skip
    labels = [
        ("negative", "positive")[next(iter(sample.values())).argmax()]
        for sample in samples(zoo, v1, "outputs")
    ]
    assert run(["classify", {"stub": v1, "texts": texts}]) == [labels]
