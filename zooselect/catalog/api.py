"""A SparseZoo-compatible API: one GraphQL request a question."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from zooselect.catalog.answer import Answer, digest_of
from zooselect.catalog.asked import Asked, FilesAt
from zooselect.catalog.parse import MOST_MODELS, load_json
from zooselect.catalog.provenance import SERVER
from zooselect.catalog.query import FIELDS, LEAST, Field, arguments_of, fewer, query
from zooselect.catalog.rows import item_of
from zooselect.errors import IntegrityError, ServerError
from zooselect.net.url import Address

if TYPE_CHECKING:
    from zooselect.net.client import Client

PATH = "v2/graphql"

#: How often a server that refuses fields is asked with less: in so many of them it may name what
#: it does not know, and then it is asked as clients of 1.8 did, of 1.5, and as all did.
_ROUNDS = 7
_BY_NAME = 3
#: Seconds after which a server that refuses is not asked once more.
_WITHIN = 60.0
#: A GraphQL server refuses a query with one of these.
_REFUSALS = (200, 400, 422)
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
_HINT = "is this the URL of a SparseZoo API? It is asked at /v2/graphql"
_SAID = 200  # characters of a server's message that ours shows
_COMPLAINTS = 10  # messages beside rows that are told
#: What ranking needs of the results.
_QUALITY = {"recordedUnits", "recordedValue"}


class RefusedError(ServerError):
    """The server does not take a query, whatever is left out of it."""


class Rows(NamedTuple):
    """What a server answers.

    Attributes:
        rows: the rows, as they came.
        complaints: what it complains of beside them.
        fields: what it was asked for in the end.
    """

    rows: list[Any]
    complaints: list[str]
    fields: tuple[Field, ...]


class Api:
    """A server of the SparseZoo protocol.

    Args:
        address: its base URL.
        client: gives the client to ask with; not called before something is asked.
        clock: seconds since the epoch.
    """

    source = "api"

    def __init__(
        self,
        address: Address,
        client: Callable[[], Client],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.location = address.shown
        self.key = address.key
        self.files = FilesAt("api", self.location, address, client)
        self._address = address.below(PATH)
        self._client = client
        self._clock = clock

    def question(self, asked: Asked) -> Asked:
        """Return the question as it is: each has an answer of its own."""
        return asked

    def ask(self, asked: Asked, known: Answer | None = None) -> Answer:
        """Ask for models, with all that ranking needs in one request.

        A server that refuses the query is asked again with less.

        Raises:
            NetworkError: no answer.
            ServerError: an answer that is an error, or holds not one usable model.
        """
        got = self.rows(arguments_of(asked), FIELDS)
        rows, told = got.rows, list(got.complaints)
        if not any(set(field.fields) >= _QUALITY for field in got.fields):
            told.append("it does not tell the quality of its models")
        if len(rows) > MOST_MODELS:
            raise ServerError(
                f"{self.location} answers with more than {MOST_MODELS:,} models", hint=_HINT
            )
        models, skipped = [], []
        for position, row in enumerate(rows):
            try:
                models.append(item_of(row, asked))
            except ValueError as error:
                skipped.append((f"model {position + 1}", str(error)))
        if rows and not models:
            raise ServerError(
                f"{self.location} answers with {len(rows)} models, none usable"
                f" ({skipped[0][0]}: {skipped[0][1]})",
                hint=_HINT,
            )
        disclose_shared_names(models)
        return Answer(
            self.source,
            self.location,
            asked,
            int(self._clock()),
            digest_of(models),
            models,
            skipped=tuple(skipped),
            repaired=tuple((SERVER, message) for message in told),
            whole=not got.complaints,
        )

    def rows(
        self, arguments: Mapping[str, str], fields: tuple[Field, ...], *, needed: str = ""
    ) -> Rows:
        """Return the rows of a query, asked for with less where the server refuses some of it.

        Args:
            arguments: of the operation `models`.
            fields: what to ask for; less, where the server refuses some.
            needed: a field that is not to be left out.

        Raises:
            NetworkError, ServerError: as `ask`.
            RefusedError: refused in words.
        """
        messages: list[str] = []
        began = self._clock()
        least = (*LEAST, *(field for field in fields if field.name == needed))
        for left in reversed(range(_ROUNDS)):
            document = self._post(query(arguments, fields))
            messages = _messages(document.get("errors"))
            data = document.get("data")
            rows = data.get("models") if isinstance(data, Mapping) else None
            if isinstance(rows, list) and (rows or not messages):
                return Rows(rows, messages[:_COMPLAINTS], fields)
            by_name = left >= _ROUNDS - _BY_NAME
            less = fewer(fields, messages, by_name=by_name) if messages else None
            if self._clock() - began > _WITHIN:
                break
            if less is None or (needed and all(field.name != needed for field in less)):
                break
            # A server that names one field a time is not asked for ever.
            fields = least if left == 1 else less
        if messages:
            raise RefusedError(f"{self._address.shown} answers: {messages[0]}", hint=_HINT)
        raise ServerError(f"{self._address.shown} answers without a list of models", hint=_HINT)

    def _post(self, text: str) -> Mapping[str, Any]:
        answer = self._client().fetch(
            "POST",
            self._address,
            headers=_JSON,
            body=json.dumps({"query": text}).encode(),
            accept=_REFUSALS,
        )
        try:
            document = load_json(answer.content, self.location)
        except IntegrityError:
            document = None
        refused = isinstance(document, Mapping) and document.get("errors")
        if not isinstance(document, Mapping) or (answer.status != 200 and not refused):
            raise ServerError(
                f"{self._address.shown} answers with status {answer.status}"
                " and no JSON object of GraphQL",
                hint=_HINT,
                status=answer.status,
            )
        return document


def disclose_shared_names(models: list[dict[str, Any]]) -> None:
    """Mark the items of one v2 name that has several v1 meanings: each names all of them."""
    meanings: dict[str, list[str]] = {}
    for item in models:
        if "stub_v2" in item:
            meanings.setdefault(item["stub_v2"], []).append(item["stub"])
    for item in models:
        stubs = sorted(set(meanings.get(item.get("stub_v2", ""), ())))
        if len(stubs) > 1:
            item["ambiguous_alias"] = {"candidates": stubs}


def _messages(errors: Any) -> list[str]:
    """What a server complains of; `errors` is a list, or one object, or not there."""
    if not errors:
        return []
    found = []
    for one in errors if isinstance(errors, list) else [errors]:
        message = one.get("message") if isinstance(one, Mapping) else one
        text = " ".join(str(message or "an error without a message").split())
        found.append(text[:_SAID])
    return found
