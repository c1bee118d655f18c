"""Small genuine models, and mirrors to put them into."""

import gzip
import io
import json
import os
import tarfile
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from zooselect.mirror.describe import parse_names
from zooselect.mirror.gather import gather
from zooselect.mirror.publish import add, init

V1 = "zoo:cv/classification/labnet_v1-18/pytorch/lab/imagenet/pruned90_quant-none"
V2 = "zoo:labnet_v1-18-imagenet-pruned90_quantized"
RECIPE = "---\nmodifiers:\n  - !EpochRangeModifier\n    start_epoch: 0.0\n---\n# How\n"


@cache
def network(seed=0, size=64):
    """A small ONNX network, as bytes."""
    weights = np.random.default_rng(seed).random((size, size), dtype="float32")
    return _model([numpy_helper.from_array(weights, "w")]).SerializeToString()


def network_with_data(location="model.onnx_data", seed=0):
    """An ONNX network that keeps its weights in another file, and that file."""
    weights = np.random.default_rng(seed).random((64, 64), dtype="float32")
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=weights.shape)
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    return _model([tensor]).SerializeToString(), weights.tobytes()


def _model(initializers):
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 64]) for name in "xy"]
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "tiny", ends[:1], ends[1:], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model) if not initializers[0].external_data else None
    return model


def archive(files):
    """A .tar.gz of files."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as plain,
        tarfile.open(fileobj=plain, mode="w") as tar,
    ):
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def files_of(seed=0):
    """All files of a model in the old layout."""
    deployment = {"model.onnx": network(seed), "config.json": b'{"n": 1}', "tokenizer.json": b"{}"}
    return {
        "model.onnx": network(seed),
        "model.onnx.tar.gz": archive({"model.onnx": network(seed)}),
        "model.md": b"# A model\n",
        "recipe.md": RECIPE.encode(),
        "recipe_transfer.md": RECIPE.encode(),
        "training/config.json": b'{"n": 1}',
        **{f"deployment/{name}": content for name, content in deployment.items()},
        "deployment.tar.gz": archive(deployment),
        "sample-inputs.tar.gz": archive({"inp-0.npz": b"numbers"}),
        "metrics.yaml": b"top1: 1\n",
    }


def write(folder, files):
    """Write files into a folder, and return it."""
    for name, content in files.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return Path(folder)


def put(mirror, stub, *paths, alias=None, replace=False, given=None):
    """Add a model to a mirror, as the command does."""
    names, found = parse_names(stub, alias), gather(paths)
    return add(mirror, names, found.sources, given or {}, replace=replace)


def new(folder):
    """An empty mirror."""
    return init(Path(folder))


def contents(model, mirror):
    """A model's files as they are on disk."""
    return {file.name: mirror.file_path(model, file.name).read_bytes() for file in model.files}


def everything(folder):
    """All files below a folder, with their content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }


def records_of(mirror):
    """The catalog's models, as JSON."""
    return json.loads((mirror.root / "catalog.json").read_bytes())["models"]


def fork(work):
    """Run a function in a child process that never comes back; return its id."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # numpy's threads do no harm here
        child = os.fork()
    if child:
        return child
    code = 70
    try:
        work()
        code = 0
    finally:
        os._exit(code)
