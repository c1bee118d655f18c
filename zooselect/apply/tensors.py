"""Tensors of ONNX files: their size, and where their content stands."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from zooselect.errors import IntegrityError, LocalFileError
from zooselect.onnx_graph import tensors_of

BLOCK = 1 << 20
AGAIN = "export it again"
#: Types several of which stand in a byte.
_PACKED = {"UINT4": 2, "INT4": 2, "FLOAT4E2M1": 2, "UINT2": 4, "INT2": 4}


def tensor_bytes(tensor: Any) -> int:
    """How many bytes a tensor's shape and type come to.

    Raises:
        ValueError, KeyError: it has no type that numbers have.
    """
    from math import prod

    from onnx import TensorProto, helper

    count: int = prod(tensor.dims)
    each = _PACKED.get(TensorProto.DataType.Name(tensor.data_type))
    if each is not None:
        return -(-count // each)
    return count * int(helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize)


def external(tensor: Any, location: str, offset: int, length: int) -> None:
    """Say in which file a tensor's content stands."""
    del tensor.external_data[:]
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=str(value))


def place_of(tensor: Any) -> dict[str, int]:
    """Offset and length of a tensor in the working folder."""
    return {one.key: int(one.value) for one in tensor.external_data if one.key != "location"}


def external_files(path: Path, model: Any) -> dict[str, Path]:
    """Return the files a model keeps tensors in, by the locations it names them by.

    Raises:
        IntegrityError, LocalFileError: a tensor's place is missing, cut or unsafe.
    """
    from onnx import TensorProto

    found: dict[str, Path] = {}
    for tensor in tensors_of(model.graph):
        if tensor.data_location == TensorProto.EXTERNAL:
            source, _, _ = whereabouts(tensor, path)
            location = {one.key: one.value for one in tensor.external_data}["location"]
            found[location] = source
    return found


def whereabouts(tensor: Any, path: Path) -> tuple[Path, int, int]:
    """File, offset and length of a tensor outside the model, inside the model's folder.

    Raises:
        IntegrityError, LocalFileError: the place is missing, cut or unsafe.
    """
    place = {one.key: one.value for one in tensor.external_data}
    location = place.get("location", "")
    parts = Path(location).parts
    name = f"{path}: the tensor {tensor.name!a}"
    if not parts or Path(location).is_absolute() or ".." in parts or "\0" in location:
        raise IntegrityError(f"{name} is outside the model's folder: {location!a}", hint=AGAIN)
    source = path.parent / location
    if not source.is_file():
        raise LocalFileError(
            f"{name} is in {location}, which is not there",
            hint="external weights belong beside the model",
        )
    try:
        wanted = tensor_bytes(tensor)
        start = int(place.get("offset", 0))
        length = int(place.get("length", wanted))
    except (KeyError, ValueError):
        wanted, start, length = 0, -1, -1
    size = source.stat().st_size
    if start < 0 or length != wanted or start + length > size:
        raise IntegrityError(
            f"{name} does not lie within the {size} bytes of {location}", hint=AGAIN
        )
    return source, start, length


def sha256(path: Path) -> str:
    """Digest of a file.

    Raises:
        LocalFileError: it cannot be read.
    """
    digest = hashlib.sha256()
    with reading(path) as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def reading(path: Path) -> Any:
    """Open a file.

    Raises:
        LocalFileError: it cannot be read.
    """
    try:
        return open(path, "rb")
    except OSError as error:
        raise LocalFileError(
            f"cannot read {path}: {error.strerror}", hint="the model's weights stand there"
        ) from error
