"""What a file of a model is, by its name."""

import pytest

from zooselect.mirror.roles import role_of


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("model.onnx", ("model.onnx", "onnx")),
        ("model.onnx.tar.gz", ("model.onnx.tar.gz", "onnx_gz")),
        ("model.md", ("model.md", "card")),
        ("recipe.md", ("recipe.md", "recipe")),
        ("recipe_transfer-classification.md", ("recipe_transfer-classification.md", "recipe")),
        ("recipe_llm.yaml", ("recipe_llm.yaml", "recipe")),
        ("original.md", ("recipe.md", "recipe")),
        ("training/model.pth", ("training/model.pth", "training")),
        ("training/a/b.txt", ("training/a/b.txt", "training")),
        ("deployment/model.onnx", ("deployment/model.onnx", "deployment")),
        ("deployment.tar.gz", ("deployment.tar.gz", "deployment")),
        ("sample-inputs.tar.gz", ("sample-inputs.tar.gz", "inputs")),
        ("sample_outputs.tar.gz", ("sample-outputs.tar.gz", "outputs")),
        (
            "sample-outputs_deepsparse.tar.gz",
            ("sample-outputs_deepsparse.tar.gz", "outputs"),
        ),
        ("sample-labels.tar.gz", ("sample-labels.tar.gz", "labels")),
        ("sample-originals.tar.gz", ("sample-originals.tar.gz", "originals")),
        ("onnx/model.13.onnx", ("onnx/model.13.onnx", "onnx")),
        ("benchmark.yaml", ("benchmark.yaml", "benchmark")),
        ("benchmarks.yaml", ("benchmarks.yaml", "benchmarking")),
        ("metrics.yaml", ("metrics.yaml", "metrics")),
        ("LICENSE", None),
        ("README.md", None),
        (".gitattributes", None),
        ("model.onnx.tmp", None),
        ("onnx/other.onnx", None),
        ("sample-inputs/inp-0.npz", None),
        ("elsewhere/model.onnx", None),
        ("xmodel.md", None),
        ("model.md\n", None),
    ],
)
def test_roles(name, role):
    assert role_of(name) == role
