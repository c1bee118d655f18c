"""What a lock file holds: pinned questions, and the files of the models they came to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from zooselect.selection.question import Question

#: Options of a question that are texts, and those that are switches, as the file has them.
TEXTS = ("dataset", "architecture", "framework", "repo", "target")
SWITCHES = ("strict", "all_sizes", "include_unverified")

Key = tuple[object, ...]


class CatalogSeen(NamedTuple):
    """The catalog a question was answered from.

    Attributes:
        source: `snapshot`, `file`, `mirror` or `api`.
        location: its path or URL, without secrets.
        digest: `sha256:…` of its content; of an API, of its answer for the task.
    """

    source: str
    location: str
    digest: str


class Pin(NamedTuple):
    """A question, and the model it came to.

    Attributes:
        question: what was asked, in sparse-transfer mode.
        level: the optim level, 0 to 1.
        policy: version of the policies that say what a level means.
        stub: the model picked.
        wanted, got: optimizations (or sizes), where the pick was a fallback; else None.
        catalog: where the answer came from.
    """

    question: Question
    level: float
    policy: int
    stub: str
    wanted: str | None
    got: str | None
    catalog: CatalogSeen

    @property
    def key(self) -> Key:
        """What tells one pinned question from another, and the order they stand in."""
        question = self.question
        texts = tuple((value is not None, value or "") for value in options_of(question, TEXTS))
        return (question.task.name, self.level, *texts, *options_of(question, SWITCHES))

    def __str__(self) -> str:
        """The question in a line."""
        question = self.question
        texts = [f"{name} {getattr(question, name)!a}" for name in TEXTS
                 if getattr(question, name) is not None]  # fmt: skip
        switches = [name.replace("_", "-") for name in SWITCHES if getattr(question, name)]
        return ", ".join([f"{question.task.name} {self.level!r}", *texts, *switches])


class LockedFile(NamedTuple):
    """A file of a model, as it was listed when it was pinned.

    Attributes:
        name: relative to the model's folder, with a safe name.
        size: bytes; None where nobody said.
        sha256: hex digest; None where nobody stated it and it was not downloaded.
        md5: hex digest, where the server stated one.
    """

    name: str
    size: int | None = None
    sha256: str | None = None
    md5: str | None = None


class LockedModel(NamedTuple):
    """What downloading a model fetches: one file or more, sorted by name.

    Attributes:
        stub: the model's.
        source: who listed the files: `mirror` or `api`.
        location: its path or URL, without secrets.
        files: what is fetched of the model to run it.
    """

    stub: str
    source: str
    location: str
    files: tuple[LockedFile, ...]


class Lock(NamedTuple):
    """A lock file's content.

    Attributes:
        pins: sorted by question, each question once.
        models: of the models picked, those whose files are known; sorted by stub.
    """

    pins: tuple[Pin, ...] = ()
    models: tuple[LockedModel, ...] = ()

    @classmethod
    def of(cls, pins: Iterable[Pin], models: Iterable[LockedModel]) -> Lock:
        """Return a lock of pins, the last of a question; only models that are picked stay."""
        by_key = {pin.key: pin for pin in pins}
        picked = {pin.stub for pin in by_key.values()}
        by_stub = {model.stub: model for model in models if model.stub in picked}
        return cls(
            tuple(by_key[key] for key in sorted(by_key)),
            tuple(by_stub[stub] for stub in sorted(by_stub)),
        )

    def model(self, stub: str) -> LockedModel | None:
        """Return what is pinned of a model; None where its files are not known."""
        return next((model for model in self.models if model.stub == stub), None)


def options_of(question: Question, names: Iterable[str]) -> tuple[object, ...]:
    """Return some options of a question."""
    return tuple(getattr(question, name) for name in names)
