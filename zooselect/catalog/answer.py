"""A server's answer as it is kept: the records as JSON, and when they were asked for."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from zooselect.catalog.asked import Asked, FilesAt

_SCHEMA = 1


class Answer(NamedTuple):
    """What a server said, as `schema: 1` items.

    Attributes:
        source: `api` or `mirror`.
        location: the server's URL, without secrets.
        asked: the question.
        fetched_at: seconds since the epoch.
        digest: `sha256:…` of the content, whatever order the models came in.
        models: one JSON object a model.
        compiled: date a mirror's catalog was compiled; None where it does not say.
        etag: a mirror's entity tag; None without.
        last_modified: a mirror's `Last-Modified`; None without.
        skipped: models that could not be used, as (name or position, reason).
        repaired: unreadable fields that were dropped, as (name or position, reason), and what
            the server says of itself, as (`SERVER`, message).
        whole: whether the server had nothing to complain of; what is not is asked again.
    """

    source: str
    location: str
    asked: Asked
    fetched_at: int
    digest: str
    models: list[Any]
    compiled: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    skipped: tuple[tuple[str, str], ...] = ()
    repaired: tuple[tuple[str, str], ...] = ()
    whole: bool = True

    def to_dict(self) -> dict[str, object]:
        """The answer as the cache keeps it."""
        return {
            "schema": _SCHEMA,
            "source": self.source,
            "url": self.location,
            "question": self.asked.to_dict(),
            "fetched_at": iso(self.fetched_at),
            "digest": self.digest,
            "compiled": self.compiled,
            "etag": self.etag,
            "last_modified": self.last_modified,
            "skipped": [list(one) for one in self.skipped],
            "repaired": [list(one) for one in self.repaired],
            "whole": self.whole,
            "models": self.models,
        }

    @classmethod
    def from_dict(cls, document: Any) -> Answer | None:
        """Return a kept answer; None for what is none, as another version may have kept it."""
        try:
            if document["schema"] != _SCHEMA or not isinstance(document["models"], list):
                return None
            return cls(
                source=str(document["source"]),
                location=str(document["url"]),
                asked=Asked(**document["question"]),
                fetched_at=seconds(document["fetched_at"]),
                digest=str(document["digest"]),
                models=document["models"],
                compiled=document["compiled"],
                etag=document["etag"],
                last_modified=document["last_modified"],
                skipped=_pairs(document["skipped"]),
                repaired=_pairs(document["repaired"]),
                whole=document["whole"] is True,
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            return None


class Server(Protocol):
    """A server that catalogs are asked of.

    Attributes:
        source: `api` or `mirror`, for provenance.
        location: its URL, for people: without secrets.
        key: stands for its URL in full, less credentials: what its answers are kept under.
        files: where the files of its models are.
    """

    source: str
    location: str
    key: str
    files: FilesAt

    def question(self, asked: Asked) -> Asked:
        """Return what the server is really asked: some have one answer for all."""

    def ask(self, asked: Asked, known: Answer | None) -> Answer:
        """Ask; `known` is an older answer, which the server may say still holds.

        Raises:
            NetworkError: no answer, or one of no use.
        """


def digest_of(models: Iterable[Any]) -> str:
    """Return the digest of some JSON items, whatever their order."""
    texts = sorted(json.dumps(item, sort_keys=True) for item in models)
    return "sha256:" + hashlib.sha256("\n".join(texts).encode()).hexdigest()


def iso(moment: float) -> str:
    """Seconds since the epoch as ISO 8601, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def seconds(text: str) -> int:
    """Return the seconds since the epoch of an ISO 8601 moment.

    Raises:
        ValueError: it is none.
    """
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def _pairs(values: Any) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(reason)) for name, reason in values)
