"""Real models, each through three levels, counted by hand in what was written."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tests.apply.slow.published import LEVELS, MODELS, measure, row


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_published_model(model, tmp_path, capsys):
    reports = measure(model, tmp_path)
    for level, report in zip(LEVELS, reports, strict=True):
        with capsys.disabled():
            print("\n" + row(model, report), end="")
        written = onnx.load(tmp_path / f"{level}.onnx")
        tensors = {one.name: numpy_helper.to_array(one) for one in written.graph.initializer}
        assert all(one.int8 for one in report.layers)
        for layer in report.layers:
            weight = tensors[f"{layer.name}_quantized"]
            assert weight.dtype == np.int8
            assert not tensors[f"{layer.name}_quantized_zero_point"].any()
            if layer.planned_zeros is not None:
                assert np.sum(weight == 0) >= layer.planned_zeros
                assert layer.planned_zeros == round(report.plan.layer_sparsity * weight.size)
        assert report.measured.bytes_after < report.measured.bytes_before
        assert report.measured.drift_from_pruned.relative_error is not None
    packed = [one.measured.bytes_compressed for one in reports]
    assert packed == sorted(packed, reverse=True)
