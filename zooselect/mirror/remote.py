"""Reading a mirror wherever it is: a folder, an object store, or what else fsspec reaches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from zooselect.catalog.file import CATALOG
from zooselect.errors import LocalFileError
from zooselect.mirror.store import Mirror, MirrorFile, MirrorModel, parse_catalog
from zooselect.object_store import filesystem, is_url, protocols, reason_of

#: Bytes fetched at once beyond those asked for: few requests, and little memory a reader.
AHEAD = 1 << 20


class Opened(Protocol):
    """A file that is read; all but `close` raise OSError."""

    def seek(self, offset: int, /) -> object:
        """Go to a byte."""

    def read(self, size: int, /) -> bytes | None:
        """Return at most so many bytes from there on; none at the end."""

    def close(self) -> None:
        """Be done with it."""


class Store(Protocol):
    """What holds a mirror that is read: a folder of this machine, or what fsspec reaches."""

    @property
    def location(self) -> str:
        """Where it is, for people."""

    def content(self) -> bytes:
        """Return the bytes of `catalog.json` as they stand now.

        Raises:
            LocalFileError: no such file, or out of reach.
        """

    def stamp(self) -> object:
        """Return what is another after `catalog.json` has changed; None out of reach."""

    def open_file(self, model: MirrorModel, file: MirrorFile) -> Opened:
        """Open a file of a model; it is there and has the size the mirror says.

        Raises:
            OSError, ZooSelectError: it is not, or out of reach.
        """


def open_store(place: str) -> Store:
    """Return the mirror in a folder, or at an fsspec URL such as `s3://bucket/zoo`.

    Raises:
        UsageError: a URL, and fsspec or what it needs for this kind is missing.
        LocalFileError, IntegrityError: no mirror there, as `Mirror.open`.
    """
    if not is_url(place):
        return Mirror.open(place)
    files, root = filesystem(place)
    if "file" in protocols(files):
        return Mirror.open(root)  # which also sees to it that no link leads out of it
    store = Remote(place, files, root)
    parse_catalog(store.content(), place)
    return store


@dataclass(frozen=True)
class Remote:
    """A mirror that fsspec reaches.

    Attributes:
        location: its URL.
    """

    location: str
    _files: Any = field(repr=False)
    _root: str

    def content(self) -> bytes:
        """Return the bytes of `catalog.json` as they stand now.

        Raises:
            LocalFileError: no such file, or out of reach.
        """
        try:
            return bytes(self._files.cat_file(f"{self._root}/{CATALOG}"))
        except Exception as error:
            raise LocalFileError(
                f"no mirror at {self.location}: {CATALOG}: {reason_of(error)}",
                hint="`zooselect mirror export DIR URL` puts one there",
            ) from error

    def stamp(self) -> object:
        """Return what is another after `catalog.json` has changed; None out of reach."""
        try:
            # Each kind of store has its own: an entity tag, a version, a time.
            return repr(self._files.info(f"{self._root}/{CATALOG}"))
        except Exception:
            return None

    def open_file(self, model: MirrorModel, file: MirrorFile) -> Opened:
        """Open a file of a model; it is there and has the size the mirror says.

        Raises:
            OSError: it is not, or out of reach.
        """
        path = f"{self._root}/{model.folder}/{file.name}"
        try:
            opened = self._files.open(path, "rb", block_size=AHEAD, cache_type="readahead")
            # Most kinds have asked for it; to ask again would be a request more.
            size = getattr(opened, "size", None) or self._files.info(path)["size"]
        except Exception as error:
            raise OSError(reason_of(error)) from error
        if size != file.size:
            opened.close()
            raise OSError("not the size the mirror says")
        return _Opened(opened)


class _Opened:
    """A file of a store; whatever goes wrong is an OSError."""

    def __init__(self, opened: Any) -> None:
        self._opened = opened

    def seek(self, offset: int, /) -> None:
        try:
            self._opened.seek(offset)
        except Exception as error:
            raise OSError(reason_of(error)) from error

    def read(self, size: int, /) -> bytes:
        try:
            return bytes(self._opened.read(size))
        except Exception as error:
            raise OSError(reason_of(error)) from error

    def close(self) -> None:
        self._opened.close()
