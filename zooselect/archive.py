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

_MEMBERS = 1_000  # of real archives none has a hundred
_RATIO, _SMALLEST_CAP = 200, 1 << 30  # weights, also sparse ones, pack far less
_TAIL = 16 << 20  # bytes of padding behind the last member
#: What describes members: of one, how many; of all, bytes.
_DESCRIPTIONS, _DESCRIBED = 8, 8 << 20


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


class _Archive(tarfile.TarFile):
    """An archive, with a count of what describes its members, which is read into memory."""

    described = 0
    chained = 0


class _Header(tarfile.TarInfo):
    """A member's header, read as strictly as one can."""

    _DESCRIBES = frozenset({
        tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
    })  # fmt: skip

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> _Header:
        """Read the next header; what is none is not taken for the end."""
        try:
            return super().fromtarfile(archive)
        except tarfile.HeaderError as error:
            if type(error).__name__ in ("InvalidHeaderError", "TruncatedHeaderError"):
                raise tarfile.ReadError(str(error)) from error
            raise

    # The one method of tarfile that its source names for subclasses to extend.
    def _proc_member(self, archive: _Archive) -> tarfile.TarInfo:
        if self.type in self._DESCRIBES:
            archive.described += self.size
            archive.chained += 1
        else:
            archive.chained = 0
        if archive.described > _DESCRIBED or archive.chained > _DESCRIPTIONS:
            raise tarfile.ReadError("headers larger than any names")
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
        _Archive.open(fileobj=plain, mode="r|", tarinfo=_Header) as archive,
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
                raise BrokenFileError(f"a link or device, {name!a}")
            try:
                yield safe_name(name), Member(content, member.size)
            except ValueError as error:
                raise BrokenFileError(f"a file with an unsafe name, {name!a}: {error}") from error
        # The checksum stands behind what an unpacker reads: that is how the old
        # clients took corrupt archives for good ones.
        tail = 0
        while block := plain.read(BLOCK):
            tail += len(block)
            if tail > _TAIL:
                raise BrokenFileError("an archive with more behind its end than padding")


@contextlib.contextmanager
def _archive_errors() -> Iterator[None]:
    try:
        yield
    except BrokenFileError:
        raise
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        # tarfile lets through what Python says of numbers and texts that are none.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BrokenFileError(f"a cut or corrupt archive ({reason})") from error
