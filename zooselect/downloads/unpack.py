"""Archives unpacked into a model: flat, as the old clients do, and checked to the last byte."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import NamedTuple

from zooselect.archive import BLOCK, BrokenFileError, archive_members
from zooselect.downloads.private import discard, private_path
from zooselect.errors import IntegrityError, LocalFileError
from zooselect.mirror.content import check_head
from zooselect.mirror.roles import is_onnx
from zooselect.names import collisions

_NETWORK = "model.onnx"
_SPARE = 16 << 20


class Unpacked(NamedTuple):
    """A file of an archive under its private name.

    Attributes:
        name: what it is to be called, relative to the model's folder.
        path: where it is.
        size: bytes.
        sha256: hex digest.
    """

    name: str
    path: Path
    size: int
    sha256: str


def unpack(archive: Path, called: str, folder: str, state: Path) -> list[Unpacked]:
    """Unpack an archive's files under private names; all of them, or none.

    Args:
        archive: where it is.
        called: its name, for messages.
        folder: the folder its files go to in the model; empty for the model's own.
        state: folder for the private files.

    Raises:
        IntegrityError: cut, corrupt, hostile, or without a network.
        LocalFileError: no room.
    """
    found: list[Unpacked] = []
    names: set[str] = set()
    try:
        for member, content in archive_members(archive):
            name = member.rpartition("/")[2]
            name = f"{folder}/{name}" if folder else name
            if name in names:
                raise BrokenFileError(f"two files that would both be {name!a}")
            if content.size + _SPARE > shutil.disk_usage(state).free:
                raise LocalFileError(
                    f"no room to unpack {called}: {member!a} has {content.size:,} bytes",
                    hint="free some space",
                )
            path = private_path(state, name, "tmp")
            found.append(Unpacked(name, path, content.size, ""))
            names.add(name)
            digest = hashlib.sha256()
            with path.open("xb") as out:
                while block := content.read(BLOCK):
                    digest.update(block)
                    out.write(block)
                out.flush()
                os.fsync(out.fileno())
            found[-1] = found[-1]._replace(sha256=digest.hexdigest())
        for first, second in collisions(names):
            raise BrokenFileError(f"files that collide, {first!a} and {second!a}")
        for one in found:
            if is_onnx(one.name):
                check_head(one.path, one.name)
        if not any(name.rpartition("/")[2] == _NETWORK for name in names):
            raise BrokenFileError(f"no {_NETWORK}")
    except BaseException as error:
        for unpacked in found:
            discard(unpacked.path)
        if isinstance(error, BrokenFileError):
            raise IntegrityError(
                f"{called} holds {error}", hint="the server's copy is broken, or hostile"
            ) from error
        raise
    return found
