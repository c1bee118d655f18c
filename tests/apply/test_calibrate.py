import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from zooselect.apply import apply
from zooselect.apply.calibrate import outward
from zooselect.apply.runtime import Session


@given(st.floats(0, float(np.finfo(np.float32).max), width=32))
def test_a_range_is_rounded_outward_to_eight_bits(size):
    wide = outward(size)
    assert size <= wide <= size * (1 + 1 / 128)
    assert outward(wide) == wide
    bits = np.float64(wide).view(np.int64)
    assert bits & ((1 << 45) - 1) == 0


def test_what_cpus_differ_in_changes_no_byte(applied, tmp_path, monkeypatch):
    random = np.random.default_rng(0)

    class Other(Session):
        """Another CPU, whose sums differ in the last bits."""

        def run(self, sample):
            return [
                one * np.float32(1 + random.uniform(-1e-6, 1e-6)) for one in super().run(sample)
            ]

    model, data, here, _ = applied("hidden", 0.1)
    monkeypatch.setattr("zooselect.apply.calibrate.Session", Other)
    apply(model, 0.1, tmp_path / "there.onnx", data=data)
    assert here.read_bytes() == (tmp_path / "there.onnx").read_bytes()
    monkeypatch.setattr("zooselect.apply.calibrate.outward", float)
    apply(model, 0.1, tmp_path / "there.onnx", data=data)
    assert here.read_bytes() != (tmp_path / "there.onnx").read_bytes()
