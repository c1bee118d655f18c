"""Servers' answers in the disk cache."""

from __future__ import annotations

from pathlib import Path

from zooselect.cache.answers import AnswerCache
from zooselect.cache.value import key_of
from zooselect.catalog.answer import Answer, Server
from zooselect.catalog.asked import Asked


class KeptAnswers:
    """The answers kept in a cache folder, by server and question."""

    def __init__(self, root: Path) -> None:
        self._cache = AnswerCache(root)

    def load(self, server: Server, asked: Asked) -> Answer | None:
        """Return what is kept of a question; None where nothing usable is."""
        answer = Answer.from_dict(self._cache.get(_key(server, asked)))
        return answer if answer is not None and answer.asked == asked else None

    def save(self, server: Server, answer: Answer) -> None:
        """Keep an answer, where that can be."""
        self._cache.put(_key(server, answer.asked), answer.to_dict())


def _key(server: Server, asked: Asked) -> str:
    return key_of("catalog", server.source, server.key, asked.to_dict())
