"""The files of a model, as a SparseZoo API lists them."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urljoin

from zooselect.catalog.api import Api
from zooselect.catalog.asked import Asked
from zooselect.catalog.query import Field
from zooselect.catalog.rows import item_of
from zooselect.downloads.keeper import http_body
from zooselect.downloads.listing import Listing, RemoteFile
from zooselect.errors import NotFoundError, ServerError, UsageError
from zooselect.net.client import Client
from zooselect.net.url import Address, parse
from zooselect.stub import Stub

#: What makes a row's name certain.
_NAMES = (
    "modelId", "stub", "repoName", "domain", "task", "architecture", "subArchitecture",
    "framework", "repo", "sourceDataset", "trainingScheme", "sparseTag",
)  # fmt: skip
#: Ways to ask for files, the best first: clients before 1.6 knew no version.
_FILES = (
    Field("files", "(version: 2)", ("displayName", "downloadUrl", "fileSize", "fileType", "md5")),
    Field("files", "(version: 2)", ("displayName", "downloadUrl", "fileSize", "fileType")),
    Field("files", "", ("displayName", "fileSize", "fileType")),
)
_HEX = set(string.hexdigits)
_LARGEST = 1 << 62


class ApiFiles:
    """The files behind an API; see `Keeper`.

    Args:
        api: the server.
        address: its base URL.
        client: what to ask with.
    """

    def __init__(self, api: Api, address: Address, client: Client) -> None:
        self.location = address.shown
        self._api = api
        self._address = address
        self._client = client

    def listing(self, stub: Stub) -> Listing:
        """Return the files of a model by one of its names; one request.

        Raises:
            NotFoundError: the server does not have it under this name, or no files of it.
            UsageError: it is the name of several models.
            NetworkError, ServerError: no answer, or one of no use.
        """
        row, item = self._row(stub)
        files = row.get("files")
        rows = files if isinstance(files, list) else []
        found = tuple(
            file
            for one in rows
            if isinstance(one, Mapping) and (file := self._file(one, row.get("modelId")))
        )
        if not found:
            raise NotFoundError(
                f"{self.location} lists no files of {stub.canonical}", hint="ask another server"
            )
        names = dict.fromkeys(name for name in (item["stub"], item.get("stub_v2")) if name)
        return Listing(item["stub"], tuple(names), found, "api", self.location)

    def opened(self, file: RemoteFile, offset: int, validator: str | None) -> Any:
        """Give the body of a file; see `Keeper.opened`."""
        try:
            address = parse(file.place)
        except ValueError as error:
            raise ServerError(
                f"{self.location} lists {file.name!a} at what is no URL: {error}",
                hint="its listing is broken",
            ) from error
        if (self._address.origin[0], address.origin[0]) == ("https", "http"):
            raise ServerError(
                f"{self.location} lists {file.name!a} at an http URL, and is asked by https",
                hint="its listing would give the download away",
            )
        return http_body(self._client, address._replace(credentials=None), file, offset, validator)

    def _row(self, stub: Stub) -> tuple[Mapping[str, Any], dict[str, Any]]:
        """The one row of a name, and what it says of itself."""
        arguments = _arguments(stub)
        names = tuple(map(Field, _NAMES))
        failure: ServerError | None = None
        for field in _FILES:
            try:
                rows, _ = self._api.rows(arguments, (*names, field), needed="files")
                break
            except ServerError as error:
                if error.status is not None or error.retry:
                    raise
                failure = error
        else:
            raise failure or AssertionError("there are ways to ask")
        found: dict[str, tuple[Mapping[str, Any], dict[str, Any]]] = {}
        for row in rows:
            try:
                item = item_of(row, Asked())
            except ValueError:
                continue
            if stub.canonical in (item["stub"], item.get("stub_v2")):
                found.setdefault(item["stub"], (row, item))
        if not found:
            raise NotFoundError(
                f"{self.location} does not have {stub.canonical}", hint="ask another server"
            )
        if len(found) > 1:
            raise UsageError(
                f"{stub.canonical} is the name of {len(found)} models",
                hint="take one of " + ", ".join(sorted(found)),
            )
        return next(iter(found.values()))

    def _file(self, row: Mapping[str, Any], model_id: Any) -> RemoteFile | None:
        name, kind, url = row.get("displayName"), row.get("fileType"), row.get("downloadUrl")
        if not isinstance(name, str) or not name or not isinstance(kind, str):
            return None
        if isinstance(url, str) and url:
            place = _joined(self._address.url, url)
        elif isinstance(model_id, str):
            # Clients of 1.5 built the URL themselves, in this way.
            place = self._address.below(quote(f"v2/models/{model_id}/files/{name}")).url
        else:
            return None
        size, md5 = row.get("fileSize"), row.get("md5")
        return RemoteFile(
            name,
            kind,
            place,
            size if type(size) is int and 0 <= size < _LARGEST else None,
            None,
            md5.lower() if isinstance(md5, str) and len(md5) == 32 and set(md5) <= _HEX else None,
        )


def _joined(base: str, url: str) -> str:
    try:
        return urljoin(base, url)
    except ValueError:
        return url  # no URL, which is said when it is to be fetched


def _arguments(stub: Stub) -> dict[str, str]:
    """The arguments that name one model: its v2 name, or the parts of its v1 stub."""
    if stub.version == 2:
        return {"repoName": stub.path}
    values = {
        "domain": stub.domain,
        "task": stub.sub_domain,
        "architecture": stub.architecture,
        "subArchitecture": stub.sub_architecture,
        "framework": stub.framework,
        "repo": stub.repo,
        "sourceDataset": stub.source_dataset,
        "trainingScheme": stub.training_scheme,
        "sparseTag": stub.sparse_tag,
    }
    return {name: value for name, value in values.items() if value is not None}
