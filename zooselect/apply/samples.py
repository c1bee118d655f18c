"""Samples of a model's input: `.npz` files as Sparsify took them, or made up.

A file is one sample: for each input of the model an array under the input's name, without
the batch dimension or with it. Nothing in a file is ever unpickled, and nothing is unpacked
before its header says that it is what the model takes.
"""

from __future__ import annotations

import math
import os
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from zooselect.errors import IntegrityError, LocalFileError, UsageError

if TYPE_CHECKING:
    from zooselect.apply.network import Array, Network
    from zooselect.apply.runtime import Session

#: Bytes one array may have: more than any one picture, text or sound.
LARGEST_ARRAY = 1 << 30
_HEADER = 10_000
_LAYOUT = "one .npz file a sample: np.savez(file, **{input name: array without batch dimension})"


class Input(NamedTuple):
    """An input of a model.

    Attributes:
        name: its name.
        kind: the numpy type of its numbers.
        shape: its dimensions, None for one that may vary; None as a whole if unknown.
        limit: for whole numbers, the rows of the table they are looked up in, if any.
    """

    name: str
    kind: Any
    shape: tuple[int | None, ...] | None
    limit: int | None = None

    def __str__(self) -> str:
        if self.shape is None:
            return f"{self.kind} of any shape"
        sizes = ["batch" if at == 0 and not size else size or "any"
                 for at, size in enumerate(self.shape)]  # fmt: skip
        return f"{self.kind} [{', '.join(map(str, sizes))}]"


class Samples:
    """Samples to calibrate and to compare with, read one at a time.

    Attributes:
        synthetic: whether they are made up.
    """

    def __init__(self, inputs: tuple[Input, ...], files: tuple[Path, ...], made_up: int) -> None:
        self._inputs = inputs
        self._files = files
        self._made_up = made_up
        self.synthetic = not files

    def __len__(self) -> int:
        return len(self._files) or self._made_up

    def name(self, at: int) -> str:
        """What to call a sample in a message."""
        return str(self._files[at]) if self._files else f"made-up sample {at + 1}"

    def runs(self, session: Session) -> Iterator[list[Array]]:
        """Yield a network's outputs for each sample.

        Raises:
            UsageError: it does not run on one; the message says on which.
        """
        for at, sample in enumerate(self):
            try:
                outputs = session.run(sample)
            except UsageError as error:
                message = f"{self.name(at)}: {error.message}"
                raise UsageError(message, hint=error.hint) from error
            yield outputs

    def __iter__(self) -> Iterator[dict[str, Array]]:
        if self._files:
            for path in self._files:
                yield _read(path, self._inputs)
        else:
            import numpy as np

            random = np.random.default_rng(0)
            for _ in range(self._made_up):
                yield {one.name: _made_up(one, random) for one in self._inputs}


def inputs_of(network: Network) -> tuple[Input, ...]:
    """Return the inputs a model must be given.

    Raises:
        UsageError: one is no tensor of numbers.
    """
    from onnx import TensorProto, helper

    graph = network.model.graph
    found = []
    for value in graph.input:
        if value.name in network:
            continue
        tensor = value.type.tensor_type
        if tensor.elem_type in (TensorProto.UNDEFINED, TensorProto.STRING):
            raise UsageError(
                f"the input {value.name!a} is no tensor of numbers",
                hint="such models cannot be given samples; export the part behind it",
            )
        shape = None
        if tensor.HasField("shape"):
            shape = tuple(max(one.dim_value, 0) or None for one in tensor.shape.dim)
        kind = helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        found.append(Input(value.name, kind, shape, _rows(network, value.name)))
    return tuple(found)


def _rows(network: Network, name: str) -> int | None:
    for node in network.model.graph.node:
        if node.op_type == "Gather" and node.input[1] == name and node.input[0] in network:
            return int(network.tensor(node.input[0]).dims[0])
    return None


def read_folder(folder: Path, inputs: tuple[Input, ...], most: int) -> Samples:
    """Return the first samples of a folder, by name, their headers checked.

    Raises:
        LocalFileError: the folder cannot be read.
        UsageError: no sample in it, or one that does not fit the model.
        IntegrityError: a file that is no .npz, or not a safe one.
    """
    try:
        names = sorted(one for one in os.listdir(folder) if one.lower().endswith(".npz"))
    except OSError as error:
        raise LocalFileError(
            f"cannot read samples in {folder}: {error.strerror}", hint=_LAYOUT
        ) from error
    if not names:
        raise UsageError(f"no .npz file in {folder}", hint=_LAYOUT)
    files = tuple(folder / name for name in names[:most])
    for path in files:
        _read(path, inputs, headers_only=True)
    return Samples(inputs, files, 0)


def make_up(inputs: tuple[Input, ...], count: int) -> Samples:
    """Return samples of the right shapes and random content; seeded."""
    return Samples(inputs, (), count)


def _read(path: Path, inputs: tuple[Input, ...], headers_only: bool = False) -> dict[str, Array]:
    import numpy as np

    sample: dict[str, Array] = {}
    if not path.is_file():
        # Opening a pipe would wait for somebody to write to it.
        raise LocalFileError(f"cannot read {path}: no regular file", hint=_LAYOUT)
    try:
        with zipfile.ZipFile(path) as archive:
            members = {one.removesuffix(".npy"): one for one in archive.namelist()}
            for one in inputs:
                if one.name not in members:
                    found = ", ".join(sorted(members)[:8]) or "nothing"
                    raise UsageError(
                        f"{path}: no array for the input {one.name!a}; found {found}", hint=_LAYOUT
                    )
                member = members[one.name]
                with archive.open(member) as file:
                    shape, kind = _header(file)
                full = _batched(path, one, shape, kind)
                if headers_only:
                    continue
                with archive.open(member) as file:
                    array = _npy().read_array(file, allow_pickle=False, max_header_size=_HEADER)
                if not np.all(np.isfinite(array)):
                    raise UsageError(
                        f"{path}: the array {one.name!a} has NaN or infinite numbers",
                        hint="leave this sample out",
                    )
                sample[one.name] = np.array(np.broadcast_to(array, full), order="C")
    except (UsageError, IntegrityError):
        raise
    except OSError as error:
        raise LocalFileError(f"cannot read {path}: {error.strerror}", hint=_LAYOUT) from error
    except (
        zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError,
        MemoryError, OverflowError, SyntaxError, TypeError,
    ) as error:  # fmt: skip
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise IntegrityError(f"{path} is no sound .npz file: {reason}", hint=_LAYOUT) from error
    return sample


def _npy() -> Any:
    """Numpy's own reading of .npy files, which older numpy gives no types for."""
    from numpy.lib import format as npy

    return npy


def _header(file: Any) -> tuple[tuple[int, ...], Any]:
    """Shape and type that the head of a .npy member states."""
    npy = _npy()
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, kind = read(file, max_header_size=_HEADER)
    if kind.hasobject:
        raise ValueError("it holds pickled objects")
    if math.prod(shape) * kind.itemsize > LARGEST_ARRAY:
        raise ValueError(f"an array of {math.prod(shape) * kind.itemsize} bytes")
    return shape, kind


def _batched(path: Path, wanted: Input, shape: tuple[int, ...], kind: Any) -> tuple[int, ...]:
    """The shape of an array with its batch dimension."""
    full = shape
    if wanted.shape is None:
        full = (1, *shape)
    elif len(shape) + 1 == len(wanted.shape):
        # A model of a fixed batch gets the sample as often as that says.
        full = (wanted.shape[0] or 1, *shape)
    fits = wanted.shape is None or (
        len(full) == len(wanted.shape)
        and all(size in (None, have) for size, have in zip(wanted.shape, full, strict=True))
    )
    fits = fits and 0 not in full
    if kind != wanted.kind or not fits:
        raise UsageError(
            f"{path}: the input {wanted.name!a} takes {wanted}, with or without the first"
            f" dimension; found {kind} {list(shape)}",
            hint=_LAYOUT if kind == wanted.kind else f"array.astype(np.{wanted.kind})",
        )
    return full


#: Sizes of dimensions that may vary, behind the batch: of pictures, and of all else.
_PICTURE, _ELSE = 224, 32


def _made_up(one: Input, random: Any) -> Array:
    shape = (1,) if one.shape is None else one.shape
    size = _PICTURE if len(shape) == 4 else _ELSE
    full = [1 if at == 0 and not have else have or size for at, have in enumerate(shape)]
    if one.kind.kind == "f":
        return random.standard_normal(full).astype(one.kind)  # type: ignore[no-any-return]
    return random.integers(0, one.limit or 2, full).astype(one.kind)  # type: ignore[no-any-return]
