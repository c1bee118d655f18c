"""Takes over an old client's cache: whole models, checked, into the cache of this one."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

from zooselect.downloads.download import Job, fetch_model
from zooselect.downloads.folder import folder_of
from zooselect.downloads.keeper import StoreMirror
from zooselect.downloads.listing import ALL
from zooselect.downloads.manifest import read_manifest
from zooselect.downloads.progress import Silence
from zooselect.errors import LocalFileError, NetworkError
from zooselect.files import local_errors
from zooselect.mirror.adopt import Skipped, adopt
from zooselect.mirror.publish import init
from zooselect.stub import Stub


class Imported(NamedTuple):
    """What became of an old cache.

    Attributes:
        adopted: the models taken over, as (stub, folder here).
        skipped: folders that were not.
    """

    adopted: tuple[tuple[str, Path], ...]
    skipped: tuple[Skipped, ...]


def import_cache(root: Path, old: Path) -> Imported:
    """Copy every whole model of an old client's cache into the cache at `root`.

    Error pages, cut and corrupt files are told from models, as `mirror import` does.

    Raises:
        NotFoundError: no folder of a model there.
        UsageError: the `onnx` package is missing.
        LocalFileError: it cannot be read, or this cache not be written.
    """
    with local_errors(root):
        root.mkdir(0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".zooselect-import-", dir=root) as folder:
        mirror = init(Path(folder) / "mirror")
        adoption = adopt(mirror, old)
        keeper = StoreMirror(mirror)
        done = []
        skipped = list(adoption.skipped)
        for one in adoption.adopted:
            record = one.model.record
            target = folder_of(root, Stub.parse(record.stub))
            if read_manifest(target) is not None:
                skipped.append(Skipped(one.folder, record.stub, "in the cache already", True))
                continue
            listing = keeper.listing(record)._replace(location=str(one.folder))
            fetch_model(Job(target, listing, keeper, (ALL,), 1, _give_up, Silence()))
            done.append((record.stub, target))
    return Imported(tuple(done), tuple(skipped))


def _give_up(attempt: int, error: NetworkError) -> None:
    raise LocalFileError(error.message, hint="nothing of this model was taken over") from error
