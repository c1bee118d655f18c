"""`zooselect apply`: seconds and peak memory against file size, beside onnxruntime's quantizer.

The floor is `quantize_static` alone, in a process of its own on the same file and samples:
it neither prunes nor measures anything.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import ENVIRONMENT

SIZES = (10_000_000, 100_000_000, 500_000_000)
SAMPLES = 4
_CHANNELS, _SIDE = 256, 8
_LAYER = _CHANNELS * _CHANNELS * 9 * 4  # bytes of one convolution


def write_model(path: Path, size: int) -> None:
    """Write a chain of convolutions of about so many bytes; large ones with external data."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(1)
    layers = max(3, size // _LAYER)
    nodes, weights = [], []
    for at in range(layers):
        sizes = (_CHANNELS, _CHANNELS, 3, 3)
        weight = random.standard_normal(sizes, np.float32) * np.float32((2 / 9 / _CHANNELS) ** 0.5)
        weights.append(numpy_helper.from_array(weight, f"layer{at}.weight"))
        nodes.append(
            helper.make_node("Conv", [f"x{at}", f"layer{at}.weight"], [f"c{at}"], pads=[1] * 4)
        )
        nodes.append(helper.make_node("Relu", [f"c{at}"], [f"x{at + 1}"]))
    shape: list[str | int] = ["batch", _CHANNELS, _SIDE, _SIDE]
    graph = helper.make_graph(
        nodes,
        "chain",
        [helper.make_tensor_value_info("x0", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(f"x{layers}", TensorProto.FLOAT, shape)],
        weights,
    )
    opset = [helper.make_opsetid("", 13)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    large = size > 1_900_000_000
    onnx.save(model, path, save_as_external_data=large, location=f"{path.name}.data")


def write_samples(folder: Path) -> None:
    """Write the samples of such a model."""
    import numpy as np

    folder.mkdir()
    random = np.random.default_rng(2)
    for at in range(SAMPLES):
        sample = random.standard_normal((_CHANNELS, _SIDE, _SIDE), np.float32)
        np.savez(folder / f"{at}.npz", x0=sample)


def quantize(source: str, data: str, target: str) -> None:
    """Quantize with onnxruntime alone."""
    import numpy as np
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.files = iter(sorted(Path(data).iterdir()))

        def get_next(self) -> dict[str, Any] | None:
            file = next(self.files, None)
            return None if file is None else {"x0": np.load(file)["x0"][None]}

    logging.disable(logging.WARNING)
    quantize_static(
        source, target, Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        op_types_to_quantize=["Conv", "Gemm", "MatMul"], extra_options={"WeightSymmetric": True},
        use_external_data_format=Path(f"{source}.data").exists(),
    )  # fmt: skip


def measured(command: list[str]) -> tuple[float, float]:
    """Seconds and peak MB of resident memory of a process.

    Raises:
        RuntimeError: it failed.
    """
    start = time.perf_counter()
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    taken = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[2:5]} failed")
    return taken, usage.ru_maxrss * 1024 / 1e6


def main(sizes: tuple[int, ...] = SIZES) -> None:
    print(f"{'model':>12}{'apply':>24}{'quantize_static alone':>28}")
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            source, data = folder / "model.onnx", folder / "data"
            # In another process: what a parent once held counts as a child's peak.
            make = [sys.executable, "-m", "benchmarks.apply", "make", str(folder), str(size)]
            subprocess.run(make, check=True)
            ours = [sys.executable, "-m", "zooselect", "apply", str(source), "--data", str(data)]
            theirs = [sys.executable, "-m", "benchmarks.apply", str(source), str(data)]
            own = measured([*ours, "-q", "-o", str(folder / "own.onnx")])
            other = measured([*theirs, str(folder / "other.onnx")])
            bytes_ = sum(one.stat().st_size for one in folder.glob("model.onnx*"))
            print(
                f"{bytes_ / 1e6:>9.0f} MB{own[0]:>12.1f} s{own[1]:>7.0f} MB"
                f"{other[0]:>16.1f} s{other[1]:>7.0f} MB",
                flush=True,
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"]:
        write_model(Path(sys.argv[2], "model.onnx"), int(sys.argv[3]))
        write_samples(Path(sys.argv[2], "data"))
    elif len(sys.argv) == 4:
        quantize(*sys.argv[1:])
    else:
        main(tuple(int(one) for one in sys.argv[1:]) or SIZES)
