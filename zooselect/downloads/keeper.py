"""Who keeps a model's files: an API, a mirror on a web host, in a folder or in a store."""

from __future__ import annotations

import re
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

_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


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

    def opened(self, file: RemoteFile, offset: int, validator: str | None) -> Any:
        """Give, as a context, the body of a file, from `offset` on if that is possible.

        Args:
            file: one of a listing.
            offset: bytes that are here already.
            validator: the entity tag they belong to; None to go by a digest.

        Raises:
            NetworkError, ServerError: out of reach, or an answer that is no content.
        """


class RestartError(NetworkError):
    """What is here cannot be gone on with; from the beginning it may work."""

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="the server answers ranges wrongly", retry=True)


class _Content(NamedTuple):
    """A body of an HTTP answer."""

    answer: Answer
    decode: bool
    offset: int
    total: int | None
    validator: str | None
    whole: bool

    def read(self, size: int) -> bytes:
        return self.answer.read(size, decode=self.decode)


@contextmanager
def http_body(
    client: Client, address: Address, file: RemoteFile, offset: int, validator: str | None
) -> Iterator[_Content]:
    """Give the body of a file at a URL: one GET, with a range for what is here already.

    Raises:
        NetworkError, ServerError: as `Keeper.opened`.
    """
    headers = {"Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
        if validator is not None:
            headers["If-Range"] = validator
    with client.opened("GET", address, headers=headers) as answer:
        if answer.status == 206 and offset:
            yield _ranged(answer, offset, validator)
        elif answer.status == 200:
            yield _full(answer, file)
        elif answer.status in (206, 416):
            what = "does not go on where it was cut" if offset else "sends a part, unasked"
            raise RestartError(f"{address.shown} {what}")
        else:
            raise answer.error()


def _ranged(answer: Answer, offset: int, validator: str | None) -> _Content:
    said = _RANGE.fullmatch(answer.headers.get("content-range", ""))
    coded = _coding(answer.headers)
    if said is None or int(said[1]) != offset or coded:
        raise RestartError(f"{answer.address.shown} sends another range than asked")
    total = None if said[3] == "*" else int(said[3])
    last = int(said[2])
    if last < offset or (total is not None and last != total - 1):
        raise RestartError(f"{answer.address.shown} sends a part of the range asked")
    tag = _validator(answer)
    if validator is not None and tag not in (validator, None):
        raise RestartError(f"{answer.address.shown} sends a range of another content")
    return _Content(answer, False, offset, total or last + 1, tag, True)


def _full(answer: Answer, file: RemoteFile) -> _Content:
    length = _length(answer.headers)
    # Some hosts call the compression of an archive that of the transfer.
    archive = file.name.endswith((".gz", ".tgz"))
    told = file.size is not None and length is not None
    decode = bool(_coding(answer.headers)) and (file.size != length if told else not archive)
    chunked = "chunked" in answer.headers.get("transfer-encoding", "").lower()
    return _Content(
        answer,
        decode,
        0,
        None if decode else length,
        None if decode else _validator(answer),
        length is not None or chunked,
    )


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

    def opened(self, file: RemoteFile, offset: int, validator: str | None) -> Any:
        """Give the body of a file; see `Keeper.opened`."""
        address = self._address.below(quote(file.place))
        return http_body(self._client, address, file, offset, validator)


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
    def opened(self, file: RemoteFile, offset: int, validator: str | None) -> Iterator[_Read]:
        """Give the body of a file; see `Keeper.opened`."""
        try:
            opened = self._store.open_file(*self._models[file.place])
            with closing(opened):
                opened.seek(offset)
                yield _Read(opened, offset, file.size, self.location)
        except OSError as error:
            if isinstance(error, NetworkError):
                raise
            raise ServerError(
                f"{self.location}: {file.name}: {error}",
                hint="`zooselect mirror verify` tells more",
            ) from error


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
