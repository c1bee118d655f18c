"""An ONNX model at work: its graph in memory, its large tensors in a file beside it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zooselect.errors import IntegrityError, LocalFileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

#: Tensors of fewer bytes stay in the graph: shapes, axes, scalars.
_SMALL = 1024
_BLOCK = 1 << 20
_TENSORS = "weights.bin"
_HINT = "export it again"
#: Protobuf messages end at 2 GiB; a margin for the graph itself.
LARGEST_FILE = (1 << 31) - (1 << 26)


class Network:
    """A model whose large tensors are read from and written to a file one at a time.

    Attributes:
        model: the model without its large tensors' content.
        folder: private working folder, which holds the tensors.
    """

    def __init__(self, model: Any, folder: Path) -> None:
        self.folder = folder
        self._taken: set[str] = set()
        self.replace(model)

    @property
    def names(self) -> set[str]:
        """Names of all initializers."""
        return set(self._tensors)

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def tensor(self, name: str) -> Any:
        """The initializer of a name, perhaps without its content."""
        return self._tensors[name]

    def get(self, name: str) -> Array:
        """Read a tensor; the array is the caller's own."""
        import numpy as np
        from onnx import helper, numpy_helper

        tensor = self._tensors[name]
        if not tensor.external_data:
            return np.array(numpy_helper.to_array(tensor))
        place = _place(tensor)
        kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
        with open(self.folder / _TENSORS, "rb") as file:
            file.seek(place["offset"])
            array: Array = np.fromfile(file, kind, place["length"] // kind.itemsize)
            return array.reshape(tuple(tensor.dims))

    def set(self, name: str, array: Array) -> None:
        """Replace the content of a tensor, or add a tensor."""
        old = self._tensors.get(name)
        if old is None:
            self._tensors[name] = old = self.model.graph.initializer.add(name=name)
        if array.nbytes < _SMALL:
            from onnx import numpy_helper

            old.CopyFrom(numpy_helper.from_array(array, name))
            return
        self._write(old, array)

    def adopt(self, tensor: Any) -> None:
        """Make an initializer known that was put into the graph from another place of it."""
        self._tensors[tensor.name] = tensor

    def replace(self, model: Any) -> None:
        """Go on with another model, whose large tensors are the same."""
        self.model = model
        self._tensors = {one.name: one for one in model.graph.initializer}

    def remove(self, name: str) -> None:
        """Take an initializer away; its room in the file is not used again."""
        del self._tensors[name]
        tensors = self.model.graph.initializer
        del tensors[next(at for at, one in enumerate(tensors) if one.name == name)]

    def fresh(self, name: str) -> str:
        """Return a name nothing in the graph has yet, made from another."""
        if not self._taken:
            nodes = self.model.graph.node
            values = {one for node in nodes for one in (*node.input, *node.output, node.name)}
            self._taken = values | self.names
        count = 1
        given = name
        while given in self._taken:
            count += 1
            given = f"{name}_{count}"
        self._taken.add(given)
        return given

    def save(self, name: str) -> Path:
        """Write the model into the working folder, its tensors staying where they are."""
        path = self.folder / name
        path.write_bytes(self.model.SerializeToString(deterministic=True))
        return path

    def _write(self, tensor: Any, array: Array) -> None:
        from onnx import TensorProto, helper

        # What was there stays there: models saved before go on reading it.
        with open(self.folder / _TENSORS, "r+b") as file:
            offset = file.seek(0, os.SEEK_END)
            array.tofile(file)
        name = tensor.name
        tensor.Clear()
        tensor.name = name
        tensor.data_type = helper.np_dtype_to_tensor_dtype(array.dtype)
        tensor.dims.extend(array.shape)
        tensor.data_location = TensorProto.EXTERNAL
        external(tensor, _TENSORS, offset, array.nbytes)


def external(tensor: Any, location: str, offset: int, length: int) -> None:
    """Say in which file a tensor's content stands."""
    del tensor.external_data[:]
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=str(value))


def parse_model(path: Path) -> Any:
    """Parse an ONNX file without the files its tensors may stand in.

    Raises:
        LocalFileError: it cannot be read.
        IntegrityError: it is no ONNX model.
    """
    import onnx

    try:
        model = onnx.load(os.fspath(path), load_external_data=False)
    except OSError as error:
        raise LocalFileError(
            f"cannot read {path}: {error.strerror}", hint="give the path of an ONNX file"
        ) from error
    except Exception as error:  # protobuf's own errors; which ones depends on its version
        raise IntegrityError(f"{path} is not an ONNX model, or cut short", hint=_HINT) from error
    if not (model.graph.node and model.graph.output and model.opset_import):
        raise IntegrityError(f"{path} is not a whole ONNX model", hint=_HINT)
    # Protobuf gives bytes for a text that is no UTF-8.
    if not all(isinstance(name, str) for name in _names(model.graph)):
        raise IntegrityError(f"{path} is not a sound ONNX model: a name is not UTF-8", hint=_HINT)
    return model


def _names(graph: Any) -> Iterator[Any]:
    """Yield every name in a graph and in those inside it, also of dimensions."""
    for value in (*graph.input, *graph.output, *graph.value_info):
        for size in value.type.tensor_type.shape.dim:
            yield size.dim_param
    for value in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        yield value.name
    for node in graph.node:
        yield from (*node.input, *node.output, node.name, node.op_type, node.domain)
        for attribute in node.attribute:
            yield attribute.name
            if attribute.HasField("t"):
                yield attribute.t.name
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                yield from _names(inner)


def open_network(path: Path, folder: Path, model: Any = None) -> Network:
    """Read a model into a working folder, tensor after tensor.

    Args:
        path: the model.
        folder: where to put its tensors.
        model: the model as `parse_model` gave it; it is emptied. None to parse it here.

    Raises:
        LocalFileError: a file of it cannot be read, or the folder not written.
        IntegrityError: not an ONNX model, or external data that is missing, cut or unsafe.
    """
    from onnx import ModelProto

    model = model or parse_model(path)
    for index, tensor in enumerate(model.graph.initializer):
        if not tensor.name:
            raise IntegrityError(f"{path}: its initializer {index} has no name", hint=_HINT)
    with open(folder / _TENSORS, "w+b") as file:
        for tensor in tensors_of(model.graph):
            _adopt(tensor, path, file)
    # Fields that were cleared give their memory back only with the message they stood in.
    skeleton = ModelProto.FromString(model.SerializeToString())
    return Network(skeleton, folder)


def _adopt(tensor: Any, path: Path, file: Any) -> None:
    """Move a tensor's content into a file; a small one is taken into the graph."""
    import numpy as np
    from onnx import TensorProto, numpy_helper

    if tensor.data_type == TensorProto.STRING:
        return
    if tensor.data_location != TensorProto.EXTERNAL:
        if tensor.ByteSize() < _SMALL:
            return
        if not tensor.raw_data:
            array = numpy_helper.to_array(tensor)
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
        content = tensor.raw_data
        if len(content) != tensor_bytes(tensor):
            raise IntegrityError(
                f"{path}: the tensor {tensor.name!a} has {len(content)} bytes,"
                f" its shape says {tensor_bytes(tensor)}",
                hint=_HINT,
            )
        offset = file.seek(0, os.SEEK_END)
        file.write(content)
        tensor.ClearField("raw_data")
    else:
        source, start, length = _external(tensor, path)
        with _reading(source) as data:
            data.seek(start)
            if length < _SMALL:
                tensor.ClearField("external_data")
                tensor.data_location = TensorProto.DEFAULT
                tensor.raw_data = np.fromfile(data, np.uint8, length).tobytes()
                return
            offset = file.seek(0, os.SEEK_END)
            left = length
            while left:
                block = data.read(min(_BLOCK, left))
                file.write(block)
                left -= len(block)
        file.flush()
    tensor.data_location = TensorProto.EXTERNAL
    external(tensor, _TENSORS, offset, file.tell() - offset)


def external_files(path: Path, model: Any) -> dict[str, Path]:
    """Return the files a model keeps tensors in, by the locations it names them by.

    Raises:
        IntegrityError, LocalFileError: a tensor's place is missing, cut or unsafe.
    """
    from onnx import TensorProto

    found: dict[str, Path] = {}
    for tensor in tensors_of(model.graph):
        if tensor.data_location == TensorProto.EXTERNAL:
            source, _, _ = _external(tensor, path)
            location = {one.key: one.value for one in tensor.external_data}["location"]
            found[location] = source
    return found


def tensors_of(graph: Any) -> Iterator[Any]:
    """Yield every tensor of a graph: initializers, attributes, those of inner graphs."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                yield from tensors_of(inner)


def tensor_bytes(tensor: Any) -> int:
    """How many bytes a tensor's shape and type come to."""
    from math import prod

    from onnx import TensorProto, helper

    packed = {TensorProto.UINT4, TensorProto.INT4, getattr(TensorProto, "FLOAT4E2M1", 4)}
    count: int = prod(tensor.dims)
    if tensor.data_type in packed:
        return (count + 1) // 2
    return count * int(helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize)


def sha256(path: Path) -> str:
    """Digest of a file.

    Raises:
        LocalFileError: it cannot be read.
    """
    digest = hashlib.sha256()
    with _reading(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _reading(path: Path) -> Any:
    try:
        return open(path, "rb")
    except OSError as error:
        raise LocalFileError(
            f"cannot read {path}: {error.strerror}", hint="the model's weights stand there"
        ) from error


def _external(tensor: Any, path: Path) -> tuple[Path, int, int]:
    """File, offset and length of a tensor outside the model, inside the model's folder."""
    place = {one.key: one.value for one in tensor.external_data}
    location = place.get("location", "")
    parts = Path(location).parts
    name = f"{path}: the tensor {tensor.name!a}"
    if not parts or Path(location).is_absolute() or ".." in parts or "\0" in location:
        raise IntegrityError(f"{name} is outside the model's folder: {location!a}", hint=_HINT)
    source = path.parent / location
    if not source.is_file():
        raise LocalFileError(
            f"{name} is in {location}, which is not there",
            hint="external weights belong beside the model",
        )
    try:
        start = int(place.get("offset", 0))
        length = int(place.get("length", tensor_bytes(tensor)))
    except ValueError:
        start = length = -1
    size = source.stat().st_size
    if start < 0 or length != tensor_bytes(tensor) or start + length > size:
        raise IntegrityError(
            f"{name} does not lie within the {size} bytes of {location}", hint=_HINT
        )
    return source, start, length


def _place(tensor: Any) -> dict[str, int]:
    return {one.key: int(one.value) for one in tensor.external_data if one.key != "location"}
