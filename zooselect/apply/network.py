"""An ONNX model at work: its graph in memory, its large tensors in a file beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zooselect.apply.tensors import (
    AGAIN,
    BLOCK,
    external,
    place_of,
    reading,
    tensor_bytes,
    whereabouts,
)
from zooselect.errors import IntegrityError, LocalFileError
from zooselect.onnx_graph import inner_graphs, tensors_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

#: Tensors of fewer bytes stay in the graph: shapes, axes, scalars.
_SMALL = 1024
_TENSORS = "weights.bin"
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
        place = place_of(tensor)
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
            self._taken = {*_names(self.model.graph), *self.names}
        count = 1
        given = name
        while given in self._taken:
            count += 1
            given = f"{name}_{count}"
        self._taken.add(given)
        return given

    def blocks(self, tensor: Any) -> Iterator[bytes]:
        """Yield the bytes of a tensor that stands in the working folder, piece by piece."""
        place = place_of(tensor)
        left = place["length"]
        with open(self.folder / _TENSORS, "rb") as file:
            file.seek(place["offset"])
            while left:
                block = file.read(min(BLOCK, left))
                left -= len(block)
                yield block

    def save(self, name: str) -> Path:
        """Write the model into the working folder, its tensors staying where they are."""
        path = self.folder / name
        path.write_bytes(self.model.SerializeToString(deterministic=True))
        return path

    def _write(self, tensor: Any, array: Array) -> None:
        import numpy as np
        from onnx import TensorProto, helper

        # What was there stays there: models saved before go on reading it.
        with open(self.folder / _TENSORS, "r+b") as file:
            offset = file.seek(0, os.SEEK_END)
            # Unlike tofile, this says why it cannot.
            file.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        name = tensor.name
        tensor.Clear()
        tensor.name = name
        tensor.data_type = helper.np_dtype_to_tensor_dtype(array.dtype)
        tensor.dims.extend(array.shape)
        tensor.data_location = TensorProto.EXTERNAL
        external(tensor, _TENSORS, offset, array.nbytes)


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
        raise IntegrityError(f"{path} is not an ONNX model, or cut short", hint=AGAIN) from error
    if not (model.graph.node and model.graph.output and model.opset_import):
        raise IntegrityError(f"{path} is not a whole ONNX model", hint=AGAIN)
    # Protobuf gives bytes for a text that is no UTF-8.
    if not all(isinstance(name, str) for name in _names(model.graph)):
        raise IntegrityError(f"{path} is not a sound ONNX model: a name is not UTF-8", hint=AGAIN)
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
        for inner in inner_graphs(node):
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
            raise IntegrityError(f"{path}: its initializer {index} has no name", hint=AGAIN)
    with open(folder / _TENSORS, "w+b") as file:
        for tensor in tensors_of(model.graph):
            _adopt(tensor, path, file)
    # Fields that were cleared give their memory back only with the message they stood in.
    skeleton = ModelProto.FromString(model.SerializeToString())
    return Network(skeleton, folder)


def check(path: Path, what: str) -> None:
    """Have ONNX's own checker look at a file.

    Raises:
        IntegrityError: it is not valid.
    """
    import onnx

    try:
        onnx.checker.check_model(str(path))
    except (onnx.checker.ValidationError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise IntegrityError(
            f"{what} is not valid ONNX: {reason}",
            hint="nothing was written; onnx.checker says so",
        ) from error


def _adopt(tensor: Any, path: Path, file: Any) -> None:
    """Move a tensor's content into a file; a small one is taken into the graph."""
    import numpy as np
    from onnx import TensorProto, numpy_helper

    if tensor.data_type == TensorProto.STRING:
        return
    if tensor.data_location != TensorProto.EXTERNAL:
        try:
            if not tensor.raw_data:
                array = numpy_helper.to_array(tensor)
                if tensor.ByteSize() >= _SMALL:
                    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
            content, size = tensor.raw_data, tensor_bytes(tensor)
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError(
                f"{path}: the tensor {tensor.name!a} is of no type, or not of its size",
                hint=AGAIN,
            ) from error
        if content and len(content) != size:
            raise IntegrityError(
                f"{path}: the tensor {tensor.name!a} has {len(content)} bytes,"
                f" its shape says {size}",
                hint=AGAIN,
            )
        if len(content) < _SMALL:
            return
        offset = file.seek(0, os.SEEK_END)
        file.write(content)
        tensor.ClearField("raw_data")
    else:
        source, start, length = whereabouts(tensor, path)
        with reading(source) as data:
            data.seek(start)
            if length < _SMALL:
                tensor.ClearField("external_data")
                tensor.data_location = TensorProto.DEFAULT
                tensor.raw_data = np.fromfile(data, np.uint8, length).tobytes()
                return
            offset = file.seek(0, os.SEEK_END)
            left = length
            while left:
                block = data.read(min(BLOCK, left))
                if not block:
                    raise IntegrityError(f"{source} was cut while it was read", hint="try again")
                file.write(block)
                left -= len(block)
        file.flush()
    tensor.data_location = TensorProto.EXTERNAL
    external(tensor, _TENSORS, offset, file.tell() - offset)
