"""What came out, measured: by reading the written file back and by running it."""

from __future__ import annotations

import os
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from math import isfinite, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from zooselect.apply.network import Network
from zooselect.apply.quantize import QUANTIZED
from zooselect.plan.onnx_layers import DOMAINS, WEIGHTED

if TYPE_CHECKING:
    from zooselect.apply.network import Array

_BLOCK = 1 << 20

#: Operators onnxruntime makes of a layer it multiplies in integers.
INTEGER = {
    "QLinearConv", "QLinearMatMul", "QGemm", "MatMulIntegerToFloat", "MatMulInteger",
    "ConvInteger",
}  # fmt: skip


class Drift(NamedTuple):
    """How far outputs are from those of another model, over all samples.

    Attributes:
        relative_error: norm of the difference by norm of the other's, of the float outputs;
            None where none can be compared, infinite where one is finite and the other not.
        top1_agreement: fraction of rows whose greatest entry is the same, of the first float
            output of rows (batch x classes); None where no output is one.
    """

    relative_error: float | None
    top1_agreement: float | None

    def to_dict(self) -> dict[str, object]:
        """The drift as it stands in JSON output, which has no infinity."""
        error = self.relative_error
        finite = error if error is not None and isfinite(error) else None
        return {**self._asdict(), "relative_error": finite}


class Weight(NamedTuple):
    """A layer's weight as it stands in the written file.

    Attributes:
        numel, zeros: how many numbers there are, and how many of them mean zero.
        int8: whether the layer gets its weight and its input from 8-bit integers.
    """

    numel: int
    zeros: int
    int8: bool


class Outputs:
    """Outputs of a model for samples, kept on disk to be compared with later."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder / name
        self._folder.mkdir()
        self._count = 0

    def add(self, outputs: Sequence[Array]) -> None:
        """Keep the outputs for the next sample; those that are no numbers are left out."""
        import numpy as np

        for at, array in enumerate(outputs):
            if isinstance(array, np.ndarray) and array.dtype.kind == "f":
                np.save(self._folder / f"{self._count}-{at}.npy", array, allow_pickle=False)
        self._count += 1

    def get(self, sample: int, at: int) -> Array | None:
        """Return an output for a sample."""
        import numpy as np

        path = self._folder / f"{sample}-{at}.npy"
        return np.load(path, allow_pickle=False) if path.exists() else None


class Comparison:
    """Sums up how far outputs are from kept ones, sample after sample."""

    def __init__(self, kept: Outputs) -> None:
        self._kept = kept
        self._count = 0
        self._difference = self._size = 0.0
        self._compared = False
        self._rows = self._equal = 0
        self._classes: int | None = None

    def add(self, outputs: Sequence[Array]) -> None:
        """Compare the outputs for the next sample."""
        import numpy as np

        for at, array in enumerate(outputs):
            other = self._kept.get(self._count, at)
            if other is None or other.shape != getattr(array, "shape", None):
                continue
            self._compared = True
            known = other.astype(np.float64)
            # Masks are infinite, and mean the same where both are.
            differs = (array != known) & ~(np.isnan(array) & np.isnan(known))
            difference = np.subtract(array, known, where=differs, out=np.zeros_like(known))
            self._difference += float(np.sum(np.nan_to_num(difference, nan=np.inf) ** 2))
            self._size += float(np.sum(known[np.isfinite(known)] ** 2))
            if array.ndim == 2 and array.shape[1] > 1 and self._classes in (None, at):
                self._classes = at
                self._rows += len(array)
                self._equal += int(np.sum(array.argmax(1) == other.argmax(1)))
        self._count += 1

    @property
    def drift(self) -> Drift:
        """What it comes to so far."""
        error = None
        if self._compared:
            size = sqrt(self._size)
            error = sqrt(self._difference) / size if size else float(self._difference > 0)
        return Drift(error, self._equal / self._rows if self._rows else None)


def count_zeros(network: Network, name: str) -> int:
    """How many numbers of a tensor are zero."""
    import numpy as np

    array = network.get(name)
    return int(array.size - np.count_nonzero(array))


def weights_in(network: Network) -> dict[str, Weight]:
    """Return the weights of a written network's layers, by their names before quantization."""
    import numpy as np

    source = {name: node for node in network.model.graph.node for name in node.output}
    found: dict[str, Weight] = {}
    for node in network.model.graph.node:
        if node.op_type not in WEIGHTED or node.domain not in DOMAINS or len(node.input) < 2:
            continue
        name = node.input[1]
        back = source.get(name)
        if name in network:
            weight = Weight(network.get(name).size, count_zeros(network, name), False)
        elif back is not None and back.op_type == "DequantizeLinear" and back.input[0] in network:
            numbers = network.get(back.input[0])
            axis = next((one.i for one in back.attribute if one.name == "axis"), 1)
            point = network.get(back.input[2]) if len(back.input) > 2 else np.zeros((), np.int8)
            if point.ndim:
                point = point.reshape([-1 if at == axis else 1 for at in range(numbers.ndim)])
            behind = source.get(node.input[0])
            taken = behind is not None and behind.op_type == "DequantizeLinear"
            zeros = int(np.count_nonzero(numbers == point))
            # Behind that may stand a number: of two copies, for two ways to multiply.
            name = back.input[0].rpartition(QUANTIZED)[0]
            weight = Weight(numbers.size, zeros, numbers.dtype == np.int8 and taken)
        else:
            continue
        found[name] = weight if name not in found else _worst(found[name], weight)
    return found


def _worst(one: Weight, other: Weight) -> Weight:
    return Weight(one.numel, min(one.zeros, other.zeros), one.int8 and other.int8)


def operators(network: Network) -> dict[str, int]:
    """How many nodes there are of each operator."""
    return dict(sorted(Counter(node.op_type for node in network.model.graph.node).items()))


def compressed_size(files: Sequence[Path], each: Callable[[int, int], None]) -> int:
    """Bytes the files come to under gzip, level 6, without its few bytes of header.

    Blocks are packed on their own, on all cores; that makes less than a thousandth more.

    Args:
        files: what to pack.
        each: told how many bytes are done, and how many there are.
    """
    from concurrent.futures import ThreadPoolExecutor

    cores = os.cpu_count() or 1
    size = sum(one.stat().st_size for one in files)
    done = total = 0
    with ThreadPoolExecutor(cores) as pool:
        for path in files:
            with open(path, "rb") as file:
                while blocks := [one for _ in range(cores) if (one := file.read(_BLOCK))]:
                    total += sum(pool.map(_packed, blocks))
                    done += sum(map(len, blocks))
                    each(done, size)
    return total


def _packed(block: bytes) -> int:
    return len(zlib.compress(block, 6))
