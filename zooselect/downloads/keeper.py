"""Who keeps a model's files: an API, a mirror on a web host, in a folder or in a store."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import quote

from zooselect.downloads.listing import Listing, RemoteFile
from zooselect.errors import NetworkError, NotFoundError, ServerError
from zooselect.mirror.store import parse_model
from zooselect.net.url import Address
from zooselect.record import ModelRecord

if TYPE_CHECKING:
    from zooselect.mirror.remote import Store
    from zooselect.net.client import Answer, Client

_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.IGNORECASE | re.ASCII)
_GZIP = 16 + zlib.MAX_WBITS


class Here(NamedTuple):
    """What is here already of a file's content.

    Attributes:
        offset: bytes.
        validator: strong entity tag of what they belong to; None to go by a digest.
        total: bytes of the whole, as earlier answers said; None where none did.
    """

    offset: int = 0
    validator: str | None = None
    total: int | None = None


class Body(Protocol):
    """The content of a file, from some byte on.

    Attributes:
        offset: where it begins; not always where it was asked to.
        total: bytes of the whole file; None where nobody says.
        validator: strong entity tag of the whole; None without.
        whole: whether an end is an end, and not perhaps a cut.
    """

    offset: int
    total: int | None
    validator: str | None
    whole: bool

    def read(self, size: int) -> bytes:
        """Return what has come, at most so many bytes; nothing at the end.

        Raises:
            NetworkError: the connection broke.
        """


class Keeper(Protocol):
    """Has the files of models.

    Attributes:
        location: its URL or path, without secrets.
    """

    location: str

    def opened(self, file: RemoteFile, here: Here) -> Any:
        """Give, as a context, the body of a file, from `here` on if that is possible.

        Raises:
            NetworkError, ServerError: out of reach, or an answer that is no content.
        """

    def interrupt(self) -> None:
        """End what other threads are reading at the moment, where that can be."""


class RestartError(NetworkError):
    """What is here cannot be gone on with; from the beginning it may work."""

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="the server answers ranges wrongly", retry=True)


class _Content(NamedTuple):
    """A body of an HTTP answer."""

    answer: Answer
    offset: int
    total: int | None
    validator: str | None
    whole: bool = True

    def read(self, size: int) -> bytes:
        return self.answer.read(size)


class _Zipped:
    """A body that was compressed for the transfer; it ends where the compression says so."""

    offset, total, validator, whole = 0, None, None, True

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._plain = zlib.decompressobj(_GZIP)
        self._rest = b""

    def read(self, size: int) -> bytes:
        while more := self._rest or self._answer.read(size):
            if self._plain.eof:  # such content may stand in several pieces
                self._plain = zlib.decompressobj(_GZIP)
            try:
                data = self._plain.decompress(more, size)
            except zlib.error as error:
                raise self._broken(f"is broken ({error})") from error
            self._rest = self._plain.unconsumed_tail or self._plain.unused_data
            if data:
                return data
        if not self._plain.eof:
            raise self._broken("is cut")
        return b""

    def _broken(self, how: str) -> ServerError:
        return ServerError(
            f"{self._answer.address.shown} sends compressed content that {how}",
            hint="try again later",
            retry=True,
        )


@contextmanager
def http_body(
    client: Client, address: Address, file: RemoteFile, here: Here
) -> Iterator[_Content | _Zipped]:
    """Give the body of a file at a URL: one GET, with a range for what is here already.

    Raises:
        NetworkError, ServerError: as `Keeper.opened`.
    """
    headers = {"Accept-Encoding": "identity"}
    if here.offset:
        headers["Range"] = f"bytes={here.offset}-"
        if here.validator is not None:
            headers["If-Range"] = here.validator
    with client.opened("GET", address, headers=headers) as answer:
        if answer.status == 206 and here.offset:
            yield _ranged(answer, file, here)
        elif answer.status == 200:
            yield _full(answer, file)
        elif answer.status in (206, 416):
            what = "does not go on where it was cut" if here.offset else "sends a part, unasked"
            raise RestartError(f"{address.shown} {what}")
        else:
            raise answer.error()


def _ranged(answer: Answer, file: RemoteFile, here: Here) -> _Content:
    def restart(what: str) -> RestartError:
        return RestartError(f"{answer.address.shown} sends {what}")

    said = _RANGE.fullmatch(answer.headers.get("content-range", "").strip())
    if said is None or int(said[1]) != here.offset or _coding(answer.headers):
        raise restart("another range than asked")
    total = int(said[3]) if said[3] != "*" else here.total or file.size
    if total is None:
        raise restart("a range of nobody knows how much")
    if int(said[2]) != total - 1:
        raise restart("a part of the range asked")
    tag = _validator(answer)
    # Who answers a condition says what holds (RFC 9110, section 15.3.7); a digest says more.
    proven = tag == here.validator or (tag is None and file.digest is not None)
    if here.total not in (None, total) or (here.validator is not None and not proven):
        raise restart("a range of another content")
    return _Content(answer, here.offset, total, tag)


def _full(answer: Answer, file: RemoteFile) -> _Content | _Zipped:
    length, coding = _length(answer.headers), _coding(answer.headers)
    chunked = "chunked" in answer.headers.get("transfer-encoding", "").lower()
    # Some hosts call the compression of an archive that of the transfer.
    told = file.size is not None and length is not None
    if coding and (file.size != length if told else not file.name.endswith((".gz", ".tgz"))):
        if coding in ("gzip", "x-gzip"):
            return _Zipped(answer)
        raise ServerError(
            f"{answer.address.shown} sends content in a coding nobody asked for, {coding!a:.40}",
            hint="is this the server you meant?",
        )
    return _Content(answer, 0, length, _validator(answer), length is not None or chunked)


def _validator(answer: Answer) -> str | None:
    tag = answer.headers.get("etag", "").strip()
    return tag if len(tag) > 2 and tag[0] == tag[-1] == '"' and tag.isascii() else None


def _length(headers: Mapping[str, str]) -> int | None:
    text = headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _coding(headers: Mapping[str, str]) -> str:
    coding = headers.get("content-encoding", "").strip().lower()
    return "" if coding == "identity" else coding


class HttpMirror:
    """A mirror on a static host.

    Args:
        address: the folder its `catalog.json` is in.
        client: what to ask with.
    """

    def __init__(self, address: Address, client: Client) -> None:
        self.location = address.shown
        self._address = address
        self._client = client

    def listing(self, record: ModelRecord) -> Listing:
        """Return the files of a model, as the mirror's catalog has them."""
        return mirror_listing(record, self.location)

    def opened(self, file: RemoteFile, here: Here) -> Any:
        """Give the body of a file; see `Keeper.opened`."""
        return http_body(self._client, self._address.below(quote(file.place)), file, here)

    def interrupt(self) -> None:
        """See `Keeper.interrupt`."""
        self._client.interrupt()


class _Read:
    """A body read from a mirror's store."""

    whole = True
    validator = None

    def __init__(self, opened: Any, offset: int, total: int | None, location: str) -> None:
        self._opened = opened
        self.offset = offset
        self.total = total
        self._location = location

    def read(self, size: int) -> bytes:
        try:
            return self._opened.read(size) or b""
        except OSError as error:
            raise NetworkError(f"{self._location}: {error}", hint="is it mounted?") from error


class StoreMirror:
    """A mirror in a folder of this machine, or wherever fsspec reaches."""

    def __init__(self, store: Store) -> None:
        self.location = store.location
        self._store = store
        self._models: dict[str, Any] = {}

    def listing(self, record: ModelRecord) -> Listing:
        """Return the files of a model, as the mirror's catalog has them."""
        listing = mirror_listing(record, self.location)
        model = parse_model(record.raw)
        self._models |= {
            file.place: (model, one) for file, one in zip(listing.files, model.files, strict=True)
        }
        return listing

    @contextmanager
    def opened(self, file: RemoteFile, here: Here) -> Iterator[_Read]:
        """Give the body of a file; see `Keeper.opened`."""
        try:
            opened = self._store.open_file(*self._models[file.place])
            with closing(opened):
                opened.seek(here.offset)
                yield _Read(opened, here.offset, file.size, self.location)
        except OSError as error:
            if isinstance(error, NetworkError):
                raise
            raise ServerError(
                f"{self.location}: {file.name}: {error}",
                hint="`zooselect mirror verify` tells more",
            ) from error

    def interrupt(self) -> None:
        """See `Keeper.interrupt`: a file system cannot be."""


def mirror_listing(record: ModelRecord, location: str) -> Listing:
    """Return the files that a mirror's record names.

    Raises:
        NotFoundError: the record names none.
        ServerError: it names them in a way that is of no use.
    """
    if not record.raw.get("files"):
        raise NotFoundError(
            f"the catalog of {location} has no files of {record.stub}",
            hint="ask a mirror or a server that keeps them: --catalog, --api-url",
        )
    try:
        model = parse_model(record.raw)
    except ValueError as error:
        raise ServerError(
            f"{location}: the files of {record.stub} are listed wrongly: {error}",
            hint="`zooselect mirror verify` tells its keeper more",
        ) from error
    files = tuple(
        RemoteFile(
            one.name, one.type, f"{model.folder}/{one.name}", one.size, one.sha256, one.md5
        )
        for one in model.files
    )  # fmt: skip
    return Listing(record.stub, (record.stub, *record.aliases), files, "mirror", location)
