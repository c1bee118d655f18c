"""Held to onnxruntime's own quantizer, on the same networks and samples."""

import logging
import tempfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper
from onnxruntime import GraphOptimizationLevel, InferenceSession, SessionOptions
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from tests.apply.networks import write_samples
from tests.apply.test_one_shot import outputs
from zooselect.apply import apply


class Reader(CalibrationDataReader):
    def __init__(self, data):
        self.files = iter(sorted(data.iterdir()))

    def get_next(self):
        file = next(self.files, None)
        return file and {name: array[None] for name, array in np.load(file).items()}


@pytest.fixture(scope="module", params=["residual", "transformer"])
def both(request, applied, tmp_path_factory):
    """Files of the float network, ours and theirs in INT8, and the samples."""
    model, data, ours, _ = applied(request.param, 0.1)
    folder = tmp_path_factory.mktemp("both")
    theirs = folder / "theirs.onnx"
    (folder / "float.onnx").write_bytes(model.read_bytes())  # it writes beside its input
    logging.disable(logging.WARNING)
    try:
        quantize_static(
            folder / "float.onnx", theirs, Reader(data), quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, per_channel=True,
            op_types_to_quantize=["Conv", "Gemm", "MatMul"],
            extra_options={"WeightSymmetric": True, "MatMulConstBOnly": True},
        )  # fmt: skip
    finally:
        logging.disable(logging.NOTSET)
    return model, ours, theirs, data


def _int8_weights(path):
    """Numbers and scales of the int8 weights of a file, channels first, by name."""
    graph = onnx.load(path).graph
    tensors = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    found = {}
    for node in graph.node:
        numbers = tensors.get(node.input[0])
        if node.op_type == "DequantizeLinear" and numbers is not None and numbers.dtype == np.int8:
            axis = next((one.i for one in node.attribute if one.name == "axis"), 1)
            found[node.input[0]] = np.moveaxis(numbers, axis, 0), tensors[node.input[1]]
    return found


def test_the_same_int8_weights(both):
    _, ours, theirs, _ = both
    own, other = _int8_weights(ours), _int8_weights(theirs)
    assert len(own) >= 10
    same = 0
    for name, (numbers, scales) in own.items():
        rows = zip(numbers, other[name][0], scales, other[name][1], strict=True)
        for mine, its, step, its_step in rows:
            # Where two neighbours are more than any one weight, the step is wider; at most twice.
            assert 0.999 < step / its_step < 2.001
            if step / its_step < 1.001:
                # A tie may be rounded either way.
                assert np.abs(mine.astype(int) - its).max() <= 1
                assert np.sum(mine != its) <= 1
                same += 1
    assert same > 20


def test_drift_is_no_larger(both):
    model, ours, theirs, data = both
    known = outputs(model, data)
    own, other = (np.linalg.norm(outputs(path, data) - known) for path in (ours, theirs))
    assert own <= 1.1 * other


def test_a_pruned_channel_keeps_its_bias(tmp_path, network):
    model, data = network("residual")
    document = onnx.load(model)
    tensors = {one.name: one for one in document.graph.initializer}
    weight = numpy_helper.to_array(tensors["layer1.0.conv1.weight"]).copy()
    bias = numpy_helper.to_array(tensors["layer1.0.conv1.bias"]).copy()
    weight[0], weight[1], bias[:2] = 0.0, 1e-30, 3.0
    for name, array in (("weight", weight), ("bias", bias)):
        tensor = tensors[f"layer1.0.conv1.{name}"]
        tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    onnx.save(document, tmp_path / "m.onnx")
    report = apply(tmp_path / "m.onnx", 0.1, tmp_path / "out.onnx", data=data)
    assert report.measured.drift.relative_error < 0.15


def _one_layer(kind, weight, shape, **attributes):
    """A network of one layer."""
    value = onnx.helper.make_tensor_value_info
    dims = ["a", "b", "c", "d"][: len(shape)]
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(kind, ["x", "w"], ["y"], **attributes)],
        "layer",
        [value("x", onnx.TensorProto.FLOAT, shape)],
        [value("y", onnx.TensorProto.FLOAT, dims)],
        [numpy_helper.from_array(weight, "w")],
    )
    opset = [onnx.helper.make_opsetid("", 13)]
    return onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)


@st.composite
def layers(draw):
    """A layer of one of the kinds kernels differ in, its weights mostly of one sign."""
    small = st.sampled_from([1, 2, 3, 4, 5, 8, 13])
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    kind = draw(st.sampled_from(["Conv", "Conv", "Gemm", "MatMul", "stack"]))
    if kind == "Conv":
        group, inputs, outputs = draw(st.sampled_from([1, 2, 4])), draw(small), draw(small)
        side = draw(st.sampled_from([1, 3]))
        shape = (1, group * inputs, 5, 5)
        weight, more = (group * outputs, inputs, side, side), {"group": group}
    else:
        rows, depth, columns = draw(small), draw(st.sampled_from([1, 3, 8, 33, 100])), draw(small)
        shape, weight, more = (rows, depth), (depth, columns), {}
        if kind == "stack":
            shape, weight = (3, *shape), (3, *weight)
        elif kind == "Gemm" and draw(st.booleans()):
            weight, more = (columns, depth), {"transB": 1}
    array = random.normal(draw(st.sampled_from([0.0, 3.0])), 1, weight).astype(np.float32)
    return kind.replace("stack", "MatMul"), array, shape, more


def _neighbours(numbers, kind, attributes):
    """Sums of two that kernels add in int16: inputs of a position, position after position."""
    if kind == "Conv":
        rows = numbers.transpose(0, 2, 3, 1).reshape(len(numbers), -1)
    else:
        rows = numbers if "transB" in attributes else np.swapaxes(numbers, -1, -2)
    even = rows[..., : rows.shape[-1] // 2 * 2].astype(int)
    return even[..., ::2] + even[..., 1::2]


@given(layers())
@settings(max_examples=12, deadline=None)
def test_no_sum_saturates(layer):
    kind, weight, shape, attributes = layer
    sample = np.ones(shape, np.float32)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        onnx.save(_one_layer(kind, weight, shape, **attributes), folder / "m.onnx")
        data = write_samples(folder / "data", {"x": sample[None]})
        apply(folder / "m.onnx", 0.1, folder / "out.onnx", data=data)
        written = onnx.load(folder / "out.onnx")
    tensors = {one.name: numpy_helper.to_array(one) for one in written.graph.initializer}
    numbers = tensors["w_quantized"]
    assert np.abs(numbers.astype(int)).max() <= 127
    assert 255 * np.abs(_neighbours(numbers, kind, attributes)).max(initial=0) < 1 << 15
    # And so this machine computes the same in integers as in float.
    integers, floats = (
        run(written, sample, level)
        for level in (GraphOptimizationLevel.ORT_ENABLE_ALL, GraphOptimizationLevel.ORT_DISABLE_ALL)
    )
    # A convolution rounds its result to one of 256 steps.
    assert np.abs(integers - floats).max() <= 0.01 * np.abs(floats).max()


def run(model, sample, level):
    options = SessionOptions()
    options.graph_optimization_level = level
    session = InferenceSession(model.SerializeToString(), options)
    return session.run(None, {"x": sample})[0]
