"""What a file of a model is, told from its name: the zoo's names and types in one table."""

from __future__ import annotations

import re
from typing import NamedTuple

MODEL = "model.onnx"
MODEL_ARCHIVE = "model.onnx.tar.gz"
DEPLOYMENT = "deployment"
DEPLOYMENT_ARCHIVE = "deployment.tar.gz"
DEPLOYED_MODEL = f"{DEPLOYMENT}/{MODEL}"
ONNX_TYPE = "onnx"

#: Folders whose files are files of the model under the folder's name.
FOLDERS = (DEPLOYMENT, "training", "onnx")


class Role(NamedTuple):
    """A file's place in a model.

    Attributes:
        name: its v2 name, with the folder.
        type: the zoo's file type.
    """

    name: str
    type: str


_PLAIN = {
    MODEL: ONNX_TYPE,
    MODEL_ARCHIVE: "onnx_gz",
    DEPLOYMENT_ARCHIVE: DEPLOYMENT,
    "model.md": "card",
    "benchmark.yaml": "benchmark",
    "benchmarks.yaml": "benchmarking",
    "metrics.yaml": "metrics",
    "analysis.yaml": "analysis",
    "eval.yaml": "eval",
}
_SAMPLE = re.compile(r"sample[-_](inputs|outputs|labels|originals)((?:_[\w.-]+)?)\.tar\.gz")
_RECIPE = re.compile(r"recipe(_[\w.-]+)?\.(md|yaml)")
_ONNX = re.compile(r"onnx/model\.\d+\.onnx")


def role_of(name: str) -> Role | None:
    """Return what a file in a model's folder is, by its path there; None for anything else."""
    kind = _PLAIN.get(name)
    if kind is not None:
        return Role(name, kind)
    folder, slash, _ = name.partition("/")
    if slash:
        if folder in (DEPLOYMENT, "training"):
            return Role(name, folder)
        return Role(name, ONNX_TYPE) if _ONNX.fullmatch(name) else None
    if _RECIPE.fullmatch(name):
        return Role(name, "recipe")
    if name == "original.md":  # the main recipe's name before version 2
        return Role("recipe.md", "recipe")
    sample = _SAMPLE.fullmatch(name)
    if sample:
        return Role(f"sample-{sample[1]}{sample[2]}.tar.gz", sample[1])
    return None


def is_onnx(name: str) -> bool:
    """Whether a file must be an ONNX network."""
    return name.endswith(".onnx")


def is_archive(name: str) -> bool:
    """Whether a file must be a compressed archive."""
    return name.endswith((".tar.gz", ".tgz"))
