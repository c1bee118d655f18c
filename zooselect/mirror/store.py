"""Reading a mirror: its models, their files, and where a file is.

Layout: `catalog.json` at the root, and each model's files under
`models/<stub path>/<content digest>/`. Nothing in the catalog is trusted: it may come
from anyone's disk.
"""

from __future__ import annotations

import os
import stat
import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from zooselect.catalog.file import CATALOG
from zooselect.catalog.parse import SCHEMA, load_json, parse_record
from zooselect.errors import IntegrityError, LocalFileError, NotFoundError
from zooselect.names import collisions, safe_name
from zooselect.record import ModelRecord

MODELS = "models"

_LARGEST = 1 << 63
_ID_CHARACTERS = set(string.ascii_letters + string.digits + "-_.")


@dataclass(frozen=True, slots=True)
class MirrorFile:
    """One file of a model.

    Attributes:
        name: its v2 name, with the folder: `model.onnx`, `deployment/config.json`.
        type: the zoo's file type: `onnx`, `onnx_gz`, `deployment`, `recipe`, …
        size: bytes, at least 1.
        sha256, md5: hex digests of the content.
    """

    name: str
    type: str
    size: int
    sha256: str
    md5: str

    def to_dict(self) -> dict[str, object]:
        """The file as it stands in a record's `files`."""
        return {
            "name": self.name,
            "type": self.type,
            "size": self.size,
            "sha256": self.sha256,
            "md5": self.md5,
        }


@dataclass(frozen=True, slots=True)
class MirrorModel:
    """One model of a mirror.

    Attributes:
        record: what is known of it; `aliases` has its name in the other grammar.
        model_id: its id in URLs: letters, digits, `-`, `_` and `.`.
        folder: where its files are: a POSIX path relative to the mirror.
        files: sorted by name.
    """

    record: ModelRecord
    model_id: str
    folder: str
    files: tuple[MirrorFile, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Every stub the model answers to in this mirror, its own first."""
        stated = (self.record.raw.get("stub_v1"), self.record.raw.get("stub_v2"))
        known = (name for name in self.record.aliases if name in stated)
        return (self.record.stub, *known)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


class Listing(NamedTuple):
    """What a mirror's catalog holds.

    Attributes:
        models: the usable models, sorted by stub.
        skipped: unusable ones, as (stub or position, reason).
        compiled: when the catalog was compiled; None where it does not say.
    """

    models: tuple[MirrorModel, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    compiled: str | None = None


@dataclass(frozen=True, slots=True)
class Mirror:
    """A mirror on this machine.

    Attributes:
        root: its folder.
    """

    root: Path

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Mirror:
        """Return the mirror in a folder.

        Raises:
            LocalFileError: no folder, no `catalog.json` in it, or unreadable.
            IntegrityError: its `catalog.json` is no catalog.
        """
        mirror = cls(Path(path))
        mirror.read()
        return mirror

    def models(self) -> tuple[MirrorModel, ...]:
        """Return the usable models of the catalog as it stands now, sorted by stub.

        Raises:
            LocalFileError, IntegrityError: as `open`.
        """
        return self.read().models

    def read(self) -> Listing:
        """Return the catalog as it stands now, with what of it is unusable.

        Raises:
            LocalFileError, IntegrityError: as `open`.
        """
        return parse_catalog(self.content(), str(self.root / CATALOG))

    def file_path(self, model: MirrorModel, name: str) -> Path:
        """Return where a file of a model is: real, and inside the mirror whatever links say.

        Raises:
            NotFoundError: the model has no such file.
            IntegrityError: the path leads out of the mirror.
        """
        if all(file.name != name for file in model.files):
            raise NotFoundError(
                f"{model.record.stub} has no file {name!a}", hint="`mirror ls --json` lists them"
            )
        return self.inside(f"{model.folder}/{name}")

    def inside(self, name: str) -> Path:
        """Return the real path of a safe name in this mirror.

        Raises:
            IntegrityError: the name is not safe, or a link leads out of the mirror.
        """
        root = os.path.realpath(self.root)
        try:
            real = os.path.realpath(os.path.join(root, safe_name(name)))
        except (ValueError, OSError) as error:
            raise IntegrityError(
                f"{name!a} is no name in a mirror: {error}", hint="`mirror verify` tells more"
            ) from error
        if os.path.commonpath([root, real]) != root:
            raise IntegrityError(
                f"{name!a} leads out of the mirror", hint="remove the link in its path"
            )
        return Path(real)

    @property
    def location(self) -> str:
        """Its folder's path."""
        return str(self.root)

    def stamp(self) -> tuple[int, int, int] | None:
        """Return what is another after `catalog.json` has changed; None without one."""
        try:
            status = os.stat(self.root / CATALOG)
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def open_file(self, model: MirrorModel, file: MirrorFile) -> BinaryIO:
        """Open a file of a model; it is there and has the size the mirror says.

        Raises:
            OSError: it is not, or is no plain file.
            NotFoundError, IntegrityError: as `file_path`.
        """
        # Whatever stands there by now: a link is not followed, a pipe not waited for.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        flags |= getattr(os, "O_BINARY", 0)
        descriptor = os.open(self.file_path(model, file.name), flags)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size != file.size:
            os.close(descriptor)
            raise OSError("not the size the mirror says")
        return open(descriptor, "rb", buffering=0)

    def content(self) -> bytes:
        """Return the bytes of `catalog.json` as they stand now.

        Raises:
            LocalFileError: no such file, or unreadable.
        """
        try:
            return (self.root / CATALOG).read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            reason = getattr(error, "strerror", None) or str(error)
            raise LocalFileError(
                f"no mirror in {ascii(str(self.root))[1:-1]}: {CATALOG}: {reason}",
                hint="`zooselect mirror init DIR` makes one",
            ) from error


def parse_catalog(content: bytes, location: str) -> Listing:
    """Return the models of a mirror's `catalog.json`; one bad model never loses the others.

    Raises:
        IntegrityError: not a schema-1 catalog.
    """
    document = load_json(content, location)
    items = document.get("models") if isinstance(document, Mapping) else None
    if not isinstance(items, list) or document.get("schema") != SCHEMA:
        raise IntegrityError(
            f"{location} is not a schema {SCHEMA} catalog", hint="`mirror verify` tells more"
        )
    models: dict[str, MirrorModel] = {}
    skipped = []
    for position, item in enumerate(items):
        try:
            model = parse_model(item)
        except ValueError as error:
            stub = item.get("stub") if isinstance(item, Mapping) else None
            skipped.append((ascii(stub)[1:-1] if stub else f"model {position + 1}", str(error)))
            continue
        if model.record.stub in models:
            skipped.append((model.record.stub, "a second model under the same stub"))
        models.setdefault(model.record.stub, model)
    compiled = document.get("compiled")
    return Listing(
        tuple(models[stub] for stub in sorted(models)),
        tuple(skipped),
        compiled if isinstance(compiled, str) else None,
    )


def parse_model(item: Any) -> MirrorModel:
    """Return the model of one record with `files`; it is whole or refused.

    Raises:
        ValueError: no stub, no id, a folder or file name that is not safe, a bad digest.
    """
    record = parse_record(item, [])
    model_id, files = item.get("model_id"), item.get("files")
    if not isinstance(model_id, str) or not is_id(model_id):
        raise ValueError("no usable `model_id`")
    try:
        folder = safe_name(item.get("folder"))
    except ValueError as error:
        raise ValueError(f"`folder`: {error}") from error
    if not folder.startswith(MODELS + "/"):
        raise ValueError(f"`folder` is not in {MODELS}/")
    if not isinstance(files, list) or not files:
        raise ValueError("no `files`")
    parsed = tuple(sorted(map(_parse_file, files), key=lambda file: file.name))
    for one, other in collisions_of(parsed):
        raise ValueError(f"files {one!a} and {other!a} collide")
    return MirrorModel(record, model_id, folder, parsed)


def collisions_of(files: tuple[MirrorFile, ...]) -> list[tuple[str, str]]:
    """Return the pairs of files that cannot stand side by side, equal names among them."""
    names = [file.name for file in files]
    twice = [(name, name) for name in dict.fromkeys(names) if names.count(name) > 1]
    return twice or collisions(names)


def is_id(text: str) -> bool:
    """Whether a text can be a model's id: one harmless component of a path and of a URL."""
    return 0 < len(text) <= 128 and set(text) <= _ID_CHARACTERS and bool(text.strip("."))


def _parse_file(item: Any) -> MirrorFile:
    if not isinstance(item, Mapping):
        raise ValueError("a file is not a JSON object")
    try:
        name = safe_name(item.get("name"))
    except ValueError as error:
        raise ValueError(f"a file's `name`: {error}") from error
    kind, size = item.get("type"), item.get("size")
    if not isinstance(kind, str) or not kind.isidentifier():
        raise ValueError(f"file {name!a}: no `type`")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 < size < _LARGEST:
        raise ValueError(f"file {name!a}: no `size`")
    digests = [_hex(item.get(key), length) for key, length in (("sha256", 64), ("md5", 32))]
    if None in digests:
        raise ValueError(f"file {name!a}: no `sha256` or `md5`")
    return MirrorFile(name, kind, size, str(digests[0]), str(digests[1]))


def _hex(value: Any, length: int) -> str | None:
    fits = isinstance(value, str) and len(value) == length
    return value if fits and set(value) <= set("0123456789abcdef") else None
