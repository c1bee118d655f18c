"""Held to onnxruntime's own quantizer, on the same networks and samples."""

import logging

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from tests.apply.test_one_shot import outputs
from zooselect.apply import apply


class Reader(CalibrationDataReader):
    def __init__(self, data):
        self.files = iter(sorted(data.iterdir()))

    def get_next(self):
        file = next(self.files, None)
        return file and {name: array[None] for name, array in np.load(file).items()}


@pytest.fixture(params=["residual", "transformer"])
def both(request, network, tmp_path):
    """Files of the float network, ours and theirs in INT8, and the samples."""
    model, data = network(request.param)
    ours, theirs = tmp_path / "ours.onnx", tmp_path / "theirs.onnx"
    apply(model, 0.1, ours, data=data)
    (tmp_path / "float.onnx").write_bytes(model.read_bytes())  # it writes beside its input
    logging.disable(logging.WARNING)
    try:
        quantize_static(
            tmp_path / "float.onnx", theirs, Reader(data), quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, per_channel=True,
            op_types_to_quantize=["Conv", "Gemm", "MatMul"],
            extra_options={"WeightSymmetric": True, "MatMulConstBOnly": True},
        )  # fmt: skip
    finally:
        logging.disable(logging.NOTSET)
    return model, ours, theirs, data


def test_the_same_int8_weights(both):
    _, ours, theirs, _ = both
    own, other = (
        {one.name: numpy_helper.to_array(one) for one in onnx.load(path).graph.initializer}
        for path in (ours, theirs)
    )
    names = [name for name in own if name.endswith("_quantized") and own[name].dtype == np.int8]
    assert len(names) >= 10
    for name in names:
        difference = own[name].astype(int) - other[name].reshape(own[name].shape)
        # A tie may be rounded either way.
        assert np.abs(difference).max() <= 1
        assert np.mean(difference != 0) < 1e-3


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
