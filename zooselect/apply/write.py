"""Writing a finished network, and giving files their names only when all is well."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from zooselect import __version__
from zooselect.apply.network import LARGEST_FILE, Network
from zooselect.apply.tensors import external, tensor_bytes
from zooselect.errors import LocalFileError, UsageError
from zooselect.level import POLICY
from zooselect.onnx_graph import tensors_of

#: What the keys of its metadata begin with.
_OWN = "zooselect."


def write_network(network: Network, path: Path) -> list[Path]:
    """Write a network; return its files, the model itself last.

    One file where that stays below the 2 GiB a protobuf message may have; else the tensors
    stand in `NAME.data` beside it.
    """
    from onnx import ModelProto, TensorProto

    model = ModelProto()
    model.CopyFrom(network.model)
    aside = [one for one in tensors_of(model.graph) if one.external_data]
    size = sum(tensor_bytes(one) for one in aside)
    data = path.with_name(path.name + ".data") if size > LARGEST_FILE else None
    with open(data, "wb") if data is not None else contextlib.nullcontext() as file:
        for tensor in aside:
            if data is None or file is None:
                content = b"".join(network.blocks(tensor))
                del tensor.external_data[:]
                tensor.data_location = TensorProto.DEFAULT
                tensor.raw_data = content
            else:
                start = file.tell()
                file.writelines(network.blocks(tensor))
                external(tensor, data.name, start, file.tell() - start)
        if file is not None:
            _sync(file)
    with open(path, "wb") as file:
        file.write(model.SerializeToString(deterministic=True))
        _sync(file)
    return [path] if data is None else [data, path]


def sign(network: Network, facts: Mapping[str, str]) -> None:
    """Say in a model's metadata who made it, by which policy, and from what."""
    own = {"tool": "zooselect", "version": __version__, "policy": str(POLICY), **facts}
    properties = network.model.metadata_props
    kept = [(one.key, one.value) for one in properties if not one.key.startswith(_OWN)]
    del properties[:]
    for key, value in (*kept, *((_OWN + key, value) for key, value in own.items())):
        properties.add(key=key, value=value)


def copy_model(source: Path, beside: Mapping[str, Path], folder: Path, name: str) -> list[Path]:
    """Copy a model and the files beside it, byte for byte; return them, the model last."""
    files = []
    for location, path in beside.items():
        target = folder / location
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        files.append(target)
    shutil.copyfile(source, folder / name)
    for path in (*files, folder / name):
        with open(path, "rb+") as file:
            _sync(file)
    return [*files, folder / name]


def publish(files: list[Path], folder: Path, target: Path) -> None:
    """Move files from a working folder to the target's, the target itself last."""
    for path in files:
        final = target.parent / path.relative_to(folder)
        final.parent.mkdir(parents=True, exist_ok=True)
        os.chmod(path, 0o666 & ~_umask())
        os.replace(path, final)


@contextlib.contextmanager
def working_folder(parent: Path) -> Iterator[Path]:
    """A private folder on the file system of the output, gone at the end come what may.

    Raises:
        LocalFileError: it, or anything in it, cannot be written.
    """
    import tempfile

    try:
        with tempfile.TemporaryDirectory(prefix=".zooselect-", dir=parent) as folder:
            yield Path(folder)
    except OSError as error:
        if isinstance(error, LocalFileError):
            raise
        raise LocalFileError(
            f"cannot work in {parent}: {error.strerror or error}",
            hint="apply needs room there for the model and its output",
        ) from error


def refuse_overwriting(source: Path, beside: Mapping[str, Path], target: Path) -> None:
    """Refuse an output that is a file of the input, or no file.

    Raises:
        UsageError: it is a file of the input.
        LocalFileError: it is a folder or a device.
    """
    if os.path.exists(target) and not os.path.isfile(target):
        # A device would be replaced by a file as well.
        kind = "a folder" if os.path.isdir(target) else "no regular file"
        raise LocalFileError(f"{target} is {kind}", hint="-o takes the name of a file")
    for path in (source, *beside.values()):
        for one in (target, target.with_name(target.name + ".data")):
            if os.path.exists(one) and one.samefile(path):
                raise UsageError(
                    f"the output {target} would overwrite the input {path}",
                    hint="give another name with -o",
                )


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _umask() -> int:
    # There is no way to ask for the mask but to set it.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
