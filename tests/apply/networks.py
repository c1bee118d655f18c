"""The networks the tests of `apply` work on: the sample zoo's, and a few for one trap each."""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixtures"))

from sample_data import images, reviews
from sample_networks import encoder, residual_network

FLOAT = TensorProto.FLOAT


def residual():
    """A residual CNN of the sample zoo that tells its classes apart, and its data."""
    train = images(300, seed=1)
    return residual_network(8, seed=7).fitted(train).model, images(16, seed=3).inputs


def transformer():
    """A BERT-like encoder of the sample zoo, and its data."""
    corpus = reviews(500, seed=1)
    return encoder(32, 2, 2, corpus, seed=8).fitted(corpus).model, reviews(16, seed=3).inputs


class Builder:
    """A graph under construction with random weights; each layer's name is its module's."""

    def __init__(self, seed=5):
        self.random = np.random.default_rng(seed)
        self.nodes, self.tensors = [], {}

    def weight(self, name, *shape, scale=0.2):
        self.tensors[name] = self.random.normal(0, scale, shape).astype(np.float32)
        return name

    def op(self, kind, *inputs, name=None, **attributes):
        name = name or f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=f"n_{name}", **attributes))
        return name

    def conv(self, module, x, outs, ins, side=3, **more):
        weight = self.weight(f"{module}.weight", outs, ins, side, side)
        pads = [side // 2] * 4
        return self.op("Conv", x, weight, pads=pads, kernel_shape=[side, side], **more)

    def norm(self, module, x, channels):
        for part, shift in (("weight", 1.0), ("bias", 0.0), ("mean", 0.0), ("var", 1.0)):
            self.weight(f"{module}.{part}", channels)
            self.tensors[f"{module}.{part}"] = np.abs(self.tensors[f"{module}.{part}"]) + shift
        names = [f"{module}.{part}" for part in ("weight", "bias", "mean", "var")]
        return self.op("BatchNormalization", x, *names, epsilon=1e-3)

    def model(self, inputs, output, shape, opset=13, check=True, **more):
        graph = helper.make_graph(
            self.nodes,
            "net",
            [helper.make_tensor_value_info(name, FLOAT, dims) for name, dims in inputs.items()],
            [helper.make_tensor_value_info(output, FLOAT, shape)],
            [numpy_helper.from_array(array, name) for name, array in self.tensors.items()],
        )
        opsets = [helper.make_opsetid("", opset)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=8, **more)
        if check:
            onnx.checker.check_model(model, full_check=True)
        return model


def _pictures(side=12, channels=3):
    return {"x": np.random.default_rng(9).normal(size=(8, channels, side, side)).astype("f4")}


def normed(opset=13):
    """A residual CNN with batch norms, one of which no layer stands before."""
    b = Builder()
    x = b.op("Relu", b.norm("bn1", b.conv("conv1", "x", 16, 3), 16))
    y = b.op("Relu", b.norm("bn2", b.conv("conv2", x, 16, 16), 16))
    y = b.norm("bn3", b.conv("conv3", y, 16, 16), 16)
    x = b.op("Relu", b.norm("bn4", b.op("Add", x, y), 16))
    x = b.op("Clip", b.conv("conv4", x, 16, 1, group=16), *_limits(b))
    x = b.op("Flatten", b.op("GlobalAveragePool", x))
    b.weight("fc.weight", 10, 16)
    b.weight("fc.bias", 10)
    b.op("Gemm", x, "fc.weight", "fc.bias", name="y", transB=1)
    shape = ["batch", 3, 12, 12]
    return b.model({"x": shape}, "y", ["batch", 10], opset), _pictures()


def _limits(b):
    b.tensors |= {"low": np.array(0, np.float32), "high": np.array(6, np.float32)}
    return "low", "high"


def hidden():
    """Weights behind Transpose, Identity and Constant, and one that is looked up in too."""
    b = Builder()
    b.weight("first.weight", 24, 32)
    x = b.op("MatMul", "x", b.op("Transpose", "first.weight", perm=[1, 0]))
    b.weight("second.weight", 24, 24)
    x = b.op("MatMul", b.op("Relu", x), b.op("Identity", "second.weight"))
    tensor = numpy_helper.from_array(b.random.normal(size=(24, 24)).astype("f4") / 5)
    b.nodes.append(helper.make_node("Constant", [], ["third.weight"], value=tensor))
    x = b.op("MatMul", b.op("Tanh", x), "third.weight")
    b.weight("table.weight", 24, 24)
    b.tensors["one"] = np.array([1], np.int64)
    x = b.op("Add", x, b.op("Gather", "table.weight", "one"))
    x = b.op("MatMul", x, "table.weight")
    b.weight("left.weight", 4, 4)  # a weight on the left is out of reach
    x = b.op("MatMul", "left.weight", x)
    b.weight("head.weight", 24, 5)
    b.op("MatMul", x, "head.weight", name="y")
    data = {"x": np.random.default_rng(9).normal(size=(8, 4, 32)).astype("f4")}
    return b.model({"x": ["batch", 4, 32]}, "y", ["batch", 4, 5]), data


def shared():
    """Two convolutions of one weight and one bias, and a chain without any weight."""
    b = Builder()
    x = b.op("Relu", b.conv("stem", "x", 16, 3))
    b.weight("body.weight", 16, 16, 3, 3)
    b.weight("body.bias", 16)
    for _ in range(2):
        x = b.op("Conv", x, "body.weight", "body.bias", pads=[1] * 4)
        x = b.op("Relu", x)
    x = b.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    b.op("Flatten", b.op("GlobalAveragePool", b.conv("head", x, 10, 16, 1)), name="y")
    return b.model({"x": ["batch", 3, 12, 12]}, "y", ["batch", 10]), _pictures()


ALL = {
    "residual": residual,
    "transformer": transformer,
    "normed": normed,
    "hidden": hidden,
    "shared": shared,
}


def write_samples(folder, inputs, batch=False):
    """Write inputs as a folder of samples, with the batch dimension or without."""
    folder.mkdir()
    for at in range(len(next(iter(inputs.values())))):
        sample = {
            name: array[at : at + 1] if batch else array[at] for name, array in inputs.items()
        }
        np.savez(folder / f"{at:03}.npz", **sample)
    return folder
