"""The files of a model, as a SparseZoo API lists them."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urljoin

from zooselect.catalog.api import Api, RefusedError
from zooselect.catalog.asked import Asked
from zooselect.catalog.parse import optimization_of
from zooselect.catalog.query import Field
from zooselect.catalog.rows import item_of
from zooselect.downloads.keeper import Here, http_body
from zooselect.downloads.listing import TYPES, Listing, RemoteFile
from zooselect.errors import NotFoundError, ServerError, UsageError
from zooselect.mirror.roles import DEPLOYMENT, is_archive, role_of
from zooselect.net.client import Client
from zooselect.net.url import Address, parse
from zooselect.stub import Stub

#: What makes a row's name certain.
_NAMES = (
    "modelId", "stub", "repoName", "domain", "task", "architecture", "subArchitecture",
    "framework", "repo", "sourceDataset", "trainingScheme", "sparseTag",
)  # fmt: skip
#: What is left of them for a server that refuses more, though not by name.
_FEW_NAMES = ("modelId", "stub", "repoName")
#: Ways to ask for files, the best first: clients before 1.6 knew no version.
_FILES = (
    Field("files", "(version: 2)", ("displayName", "downloadUrl", "fileSize", "fileType", "md5")),
    Field("files", "(version: 2)", ("displayName", "downloadUrl", "fileSize", "fileType")),
    Field("files", "", ("displayName", "fileSize", "fileType")),
)
_HEX = set(string.hexdigits)
#: What stays in a URL as it is; servers that make one of a name may leave the rest to clients.
_SAFE = "%/:?#[]@!$&'()*+,;=~"
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
        found: dict[str, RemoteFile] = {}
        for one in files if isinstance(files, list) else ():
            file = self._file(one, row.get("modelId")) if isinstance(one, Mapping) else None
            if file is not None and found.setdefault(file.name, file) != file:
                raise ServerError(
                    f"{self.location} lists two files of {stub.canonical} as {file.name!a}",
                    hint="its listing is broken, or hostile; nothing was fetched",
                )
        if not found:
            raise NotFoundError(
                f"{self.location} lists no files of {stub.canonical}", hint="ask another server"
            )
        names = dict.fromkeys(name for name in (item["stub"], item.get("stub_v2")) if name)
        return Listing(item["stub"], tuple(names), tuple(found.values()), "api", self.location)

    def opened(self, file: RemoteFile, here: Here) -> Any:
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
        return http_body(self._client, address._replace(credentials=None), file, here)

    def interrupt(self) -> None:
        """See `Keeper.interrupt`."""
        self._client.interrupt()

    def _row(self, stub: Stub) -> tuple[Mapping[str, Any], dict[str, Any]]:
        """The one row of a name, and what it says of itself."""
        rows = self._rows(_arguments(stub))
        found: dict[str, tuple[Mapping[str, Any], dict[str, Any]]] = {}
        others: set[str] = set()
        for row, item in _items(rows):
            if stub.canonical in (item["stub"], item.get("stub_v2")):
                first, _ = found.setdefault(item["stub"], (row, item))
                _same_model(item["stub"], first, row)
            others.add(item["stub"])
        if not found and others and stub.version == 1:
            # A server of few words does not say which stub a row has; it may know one by it.
            rows = []
            with suppress(RefusedError):
                rows = self._rows({"stub": stub.canonical})
            named = [
                (row, item)
                for row, item in _items(rows)
                if item["stub"] in others and _may_be(stub, item["stub"])
            ]
            if len(named) == 1:
                row, item = named[0]
                return row, {**item, "stub": stub.canonical, "stub_v2": item["stub"]}
        if not found:
            raise NotFoundError(
                f"{self.location} does not have {stub.canonical}",
                hint=f"it has {', '.join(sorted(others)[:5])}, and does not say whether that is it"
                if others
                else "ask another server",
            )
        if len(found) > 1:
            raise UsageError(
                f"{stub.canonical} is the name of {len(found)} models",
                hint="take one of " + ", ".join(sorted(found)),
            )
        return next(iter(found.values()))

    def _rows(self, arguments: Mapping[str, str]) -> list[Any]:
        """The rows of some arguments, asked for in every way that clients ever did."""
        names = tuple(map(Field, _NAMES))
        refusal: RefusedError | None = None
        for field in _FILES:
            try:
                return self._api.rows(arguments, (*names, field), needed="files").rows
            except RefusedError as error:
                refusal, names = error, tuple(map(Field, _FEW_NAMES))
        raise refusal or AssertionError("there are ways to ask")

    def _file(self, row: Mapping[str, Any], model_id: Any) -> RemoteFile | None:
        called, kind, url = row.get("displayName"), row.get("fileType"), row.get("downloadUrl")
        if not isinstance(called, str) or not called:
            return None
        if not isinstance(kind, str) or kind not in TYPES:
            role = role_of(called)
            kind = role.type if role is not None else kind if isinstance(kind, str) else ""
        if isinstance(url, str) and url:
            place = _joined(self._address.url, url)
        elif isinstance(model_id, (str, int)):
            # Clients of 1.5 built the URL themselves, in this way.
            place = self._address.below(quote(f"v2/models/{model_id}/files/{called}")).url
        else:
            return None
        md5 = row.get("md5")
        return RemoteFile(
            _full_name(called, kind),
            kind,
            place,
            _size(row.get("fileSize")),
            None,
            md5.lower() if isinstance(md5, str) and len(md5) == 32 and set(md5) <= _HEX else None,
        )


def _items(rows: list[Any]) -> Iterator[tuple[Mapping[str, Any], dict[str, Any]]]:
    for row in rows:
        with suppress(ValueError):
            yield row, item_of(row, Asked())


def _same_model(stub: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    """Refuse two rows of a stub that are not of one model: a server of few words may have some.

    Raises:
        UsageError: they are of two.
    """
    told_apart = one.get("modelId") is None or one.get("modelId") != other.get("modelId")
    if told_apart and one.get("files") != other.get("files"):
        raise UsageError(
            f"{stub} is the name of several models there, and nothing tells them apart",
            hint="take a v1 stub, which says more, or another server",
        )


def _may_be(stub: Stub, name: str) -> bool:
    """Whether a v2 name can be that of a v1 stub's model."""
    other = Stub.parse(name)

    def said(one: Stub) -> tuple[object, ...]:
        tag = optimization_of(one.sparse_tag)
        return one.architecture, one.sub_architecture, one.source_dataset, tag

    return other.version == 2 and said(other) == said(stub)


def _full_name(name: str, kind: str) -> str:
    """A file's v2 name: before there were any, names lacked the folder or the `recipe_`."""
    if "/" in name:
        return name
    if kind in ("training", "framework"):
        return f"training/{name}"
    if kind == DEPLOYMENT and not is_archive(name):
        return f"{DEPLOYMENT}/{name}"
    if kind == "recipe" and not name.startswith("recipe"):
        return f"recipe_{name}"
    return name


def _size(value: Any) -> int | None:
    """A number of bytes, which some servers state as a text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value < _LARGEST else None


def _joined(base: str, url: str) -> str:
    try:
        return urljoin(base, quote(url, safe=_SAFE))
    except ValueError:
        return url  # no URL, which is said when it is to be fetched


def _arguments(stub: Stub) -> dict[str, str]:
    """The arguments that name one model: its v2 name, or the parts of its v1 stub.

    As old clients ask, without the training scheme: not every server knows that argument, and
    rows of other schemes are told by their names.
    """
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
        "sparseTag": stub.sparse_tag,
    }
    return {name: value for name, value in values.items() if value is not None}
