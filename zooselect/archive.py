"""Archives of models, read as what they are: data from outside.

Caps on size and number, no links, no devices, no name that leads out of a folder; and an
archive whose checksum is wrong is known as such, which the old clients never noticed.
"""

from __future__ import annotations

import contextlib
import gzip
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from zooselect.names import safe_name

#: Bytes read at a time.
BLOCK = 1 << 20

_MEMBERS = 20_000
_RATIO, _SMALLEST_CAP = 200, 1 << 30  # weights, also sparse ones, pack far less


class BrokenFileError(ValueError):
    """The content of a file is not what its name says."""


class Member:
    """The content of a file in an archive.

    Attributes:
        size: its bytes.
    """

    def __init__(self, content: IO[bytes], size: int) -> None:
        self._content = content
        self.size = size

    def read(self, size: int) -> bytes:
        """Return the next bytes; none at the end.

        Raises:
            BrokenFileError: the archive is cut short or corrupt.
        """
        with _archive_errors():
            return self._content.read(size)


class _Header(tarfile.TarInfo):
    """A member's header; what describes it, and is read into memory whole, is not endless."""

    _DESCRIBES = frozenset({
        tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
    })  # fmt: skip

    # The one method of tarfile that its source names for subclasses to extend.
    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in self._DESCRIBES and self.size > BLOCK:
            raise tarfile.ReadError("a header larger than any name")
        proceed: Callable[[tarfile.TarFile], tarfile.TarInfo] = getattr(super(), "_proc_member")  # noqa: B009
        return proceed(archive)


def archive_members(path: Path) -> Iterator[tuple[str, Member]]:
    """Yield the files of an archive, by their names, each to be read before the next.

    The archive is good only if the iteration comes to its end.

    Raises:
        BrokenFileError: no such archive, cut short, corrupt, a link or device in it, a name that
            is not safe, more than the caps allow.
        OSError: it cannot be read.
    """
    cap = max(_SMALLEST_CAP, path.stat().st_size * _RATIO)
    with (
        _archive_errors(),
        gzip.open(path, "rb") as plain,
        tarfile.open(fileobj=plain, mode="r|", tarinfo=_Header) as archive,
    ):
        size = 0
        for count, member in enumerate(archive):
            # A member of holes has more bytes than the archive has for it.
            size += member.size
            if count >= _MEMBERS or max(size, member.offset_data + member.size) > cap:
                raise BrokenFileError("an archive that unpacks to more than any model")
            if member.isdir():
                continue
            name = member.name.removeprefix("./")
            content = archive.extractfile(member) if member.isreg() else None
            if content is None:
                raise BrokenFileError(f"its member {name!a} is no plain file")
            try:
                yield safe_name(name), Member(content, member.size)
            except ValueError as error:
                raise BrokenFileError(f"its member {name!a} has an unsafe name: {error}") from error
        # The checksum stands behind what an unpacker reads: that is how the old
        # clients took corrupt archives for good ones.
        while plain.read(BLOCK):
            pass


@contextlib.contextmanager
def _archive_errors() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BrokenFileError(f"a cut or corrupt archive ({reason})") from error
