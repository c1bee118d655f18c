"""A mirror on any static host or object store: its `catalog.json`.

A static host is asked whether it has changed before it is fetched again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from zooselect.catalog.answer import Answer
from zooselect.catalog.asked import Asked, FilesAt
from zooselect.catalog.file import CATALOG
from zooselect.catalog.parse import load_json, parse_document
from zooselect.errors import IntegrityError, LocalFileError, NetworkError, ServerError
from zooselect.net.url import Address
from zooselect.object_store import filesystem, reason_of, shown

if TYPE_CHECKING:
    from zooselect.net.client import Client

_NOT_MODIFIED = 304


class StaticMirror:
    """A `schema: 1` catalog at a URL.

    Args:
        address: of the file, or of the folder that has a `catalog.json`.
        client: gives the client to ask with; not called before something is asked.
        clock: seconds since the epoch.
    """

    source = "mirror"

    def __init__(
        self,
        address: Address,
        client: Callable[[], Client],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._address = address if address.shown.endswith(".json") else address.below(CATALOG)
        self.location = self._address.shown
        self.key = self._address.key
        folder = self._address.above()
        self.files = FilesAt("http", folder.shown, folder, client)
        self._client = client
        self._clock = clock

    def question(self, asked: Asked) -> Asked:
        """Return the one question there is: all records."""
        return Asked()

    def ask(self, asked: Asked, known: Answer | None = None) -> Answer:
        """Fetch the catalog, unless the server says that `known` still holds.

        Raises:
            NetworkError: no answer.
            ServerError: an answer that is an error, or is no catalog.
        """
        headers = {"Accept": "application/json"}
        if known is not None and known.etag:
            headers["If-None-Match"] = known.etag
        elif known is not None and known.last_modified:
            headers["If-Modified-Since"] = known.last_modified
        accept = (200, _NOT_MODIFIED) if len(headers) > 1 else (200,)
        fetched = self._client().fetch("GET", self._address, headers=headers, accept=accept)
        if fetched.status == _NOT_MODIFIED and known is not None:
            return known._replace(fetched_at=int(self._clock()))
        return _answer(
            self.location, fetched.content, int(self._clock()),
            _sendable(fetched.headers.get("etag")),
            _sendable(fetched.headers.get("last-modified")),
        )  # fmt: skip


class StoredMirror:
    """A mirror in an object store, or wherever else fsspec reaches.

    Args:
        url: where `mirror export` put it, such as `s3://bucket/zoo`.
        clock: seconds since the epoch.
    """

    source = "mirror"

    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        self._url = url.rstrip("/")
        self.location = self.key = shown(self._url)
        self.files = FilesAt("store", self._url)
        self._clock = clock

    def question(self, asked: Asked) -> Asked:
        """Return the one question there is: all records."""
        return Asked()

    def ask(self, asked: Asked, known: Answer | None = None) -> Answer:
        """Fetch the catalog.

        Raises:
            UsageError: fsspec or what it needs for this kind of place is missing.
            NetworkError: out of reach.
            ServerError: what is there is no catalog.
        """
        try:
            files, root = filesystem(self._url)
        except LocalFileError as error:
            raise NetworkError(error.message, hint=error.hint) from error
        try:
            content = bytes(files.cat_file(f"{root}/{CATALOG}"))
        except Exception as error:  # each kind of store raises its own
            raise NetworkError(
                f"no mirror at {self.location}: {CATALOG}: {reason_of(error)}",
                hint="`zooselect mirror export DIR URL` puts one there",
            ) from error
        return _answer(self.location, content, int(self._clock()))


def _sendable(value: str | None) -> str | None:
    """A header's value that can be sent back: one that cannot would fail every request after."""
    return value if value and value.isascii() and value.isprintable() else None


def _answer(
    location: str,
    content: bytes,
    now: int,
    etag: str | None = None,
    last_modified: str | None = None,
) -> Answer:
    try:
        document = load_json(content, location)
        _, compiled = parse_document(document, location)
    except IntegrityError as error:
        raise ServerError(error.message, hint="is this the URL of a mirror?") from error
    return Answer(
        "mirror",
        location,
        Asked(),
        now,
        "sha256:" + hashlib.sha256(content).hexdigest(),
        document["models"],
        compiled=compiled,
        etag=etag,
        last_modified=last_modified,
    )
