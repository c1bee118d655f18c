"""What the commands do to a lock file: add, complete, upgrade, remove, check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from zooselect.errors import LocalFileError, LockError, NoCandidateError, NotFoundError, UsageError
from zooselect.lock.ask import Asking, Files, with_downloaded
from zooselect.lock.drift import Drift, NoPick, Report, compare, file_changes, file_drifts, merged
from zooselect.lock.file import edit
from zooselect.lock.lock import TEXTS, Key, Lock, LockedModel, Pin, options_of
from zooselect.lock.write import text
from zooselect.selection.question import Question
from zooselect.task import Task


class Outcome(NamedTuple):
    """What a command came to.

    Attributes:
        lock: what the file pins now.
        written: whether it was written; one that says the same already is not.
        changes: what is pinned otherwise than before, in lines.
        notes: what else a person must know, in lines.
        pin: the one that was added; None where none was.
    """

    lock: Lock
    written: bool
    changes: tuple[str, ...]
    notes: tuple[str, ...]
    pin: Pin | None = None


def check(lock: Lock, asking: Asking) -> Report:
    """Return what of a lock is no longer so; nothing is changed.

    Raises:
        OfflineError, NetworkError: a server is to be asked, and does not answer.
    """
    picks: dict[Key, Pin | NoPick] = {}
    for pin in lock.pins:
        try:
            picks[pin.key] = asking.pin(pin.question, pin.level)
        except NoCandidateError as error:
            picks[pin.key] = NoPick(error.message, asking.seen(pin.question.task))
    return compare(lock, picks, _files(lock.pins, asking))


def add(path: str, question: Question, level: float, asking: Asking) -> Outcome:
    """Pin what a question comes to now, in place of what the same question came to before.

    Raises:
        UsageError: an option that no file can hold.
        NoCandidateError: nothing to pick.
        LockError: the model's files are pinned for another question, and are others.
        OfflineError, NetworkError, LocalFileError, IntegrityError: as they say.
    """
    for name, value in zip(TEXTS, options_of(question, TEXTS), strict=True):
        try:
            text(str(value))
        except ValueError as error:
            raise UsageError(f"--{name} {value!a} is {error}", hint="give it in UTF-8") from error
    pin = asking.pin(question, level)
    found = asking.files(pin.stub, question.task)

    def change(before: Lock | None) -> tuple[Lock, tuple[str, ...]]:
        old = before or Lock()
        others = [one for one in old.pins if one.key != pin.key]
        locked = old.model(pin.stub)
        if locked is not None and found.model is not None and _needs(others, pin.stub):
            refuse(path, file_drifts(locked, found.model))
        models = [*old.models, *_model(locked, found, asking)]
        new = Lock.of([*others, pin], models)
        return new, changes(old, new)

    lock, written, told = edit(path, asking.cache, change)
    return Outcome(lock, written, told, tuple(_unlisted(lock, {pin.stub: found})), pin)


def complete(path: str, asking: Asking) -> Outcome:
    """Make a lock file complete: what is missing of files and digests; no pick changes.

    Raises:
        LockError: something has drifted; nothing was written.
        OfflineError, NetworkError, LocalFileError, IntegrityError: as they say.
    """

    def change(before: Lock | None) -> tuple[Lock, tuple[tuple[str, ...], tuple[str, ...]]]:
        old = _there(before, path)
        report = check(old, asking)
        refuse(path, report.drifts)
        new = _renewed(old, asking)
        return new, (changes(old, new), tuple(_unlisted(new, _files(new.pins, asking))))

    lock, written, (told, notes) = edit(path, asking.cache, change)
    return Outcome(lock, written, told, notes)


def upgrade(path: str, asking: Asking) -> Outcome:
    """Pin what every question comes to now.

    Raises:
        NoCandidateError: nothing to pick for one of them; nothing was written.
        OfflineError, NetworkError, LocalFileError, IntegrityError: as they say.
    """

    def change(before: Lock | None) -> tuple[Lock, tuple[tuple[str, ...], tuple[str, ...]]]:
        old = _there(before, path)
        new = _renewed(old, asking)
        return new, (changes(old, new), tuple(_unlisted(new, _files(new.pins, asking))))

    lock, written, (told, notes) = edit(path, asking.cache, change)
    return Outcome(lock, written, told, notes)


def remove(path: str, tasks: Iterable[Task], level: float | None, cache: Path) -> Outcome:
    """Take the questions of some tasks out, or those at one level; all, or none on an error.

    Args:
        path: of the lock file.
        tasks: whose questions.
        level: of these alone; None for all levels.
        cache: folder of the cache.

    Raises:
        NotFoundError: one of the tasks has none.
        LocalFileError, IntegrityError: as they say.
    """
    asked = tuple(tasks)

    def change(before: Lock | None) -> tuple[Lock, tuple[str, ...]]:
        old = _there(before, path)
        gone = set()
        for task in asked:
            keys = {
                pin.key
                for pin in old.pins
                if pin.question.task == task and level in (None, pin.level)
            }
            if not keys:
                at = "" if level is None else f" at optim level {level!r}"
                raise NotFoundError(
                    f"{path} pins nothing for {task.name}{at}",
                    hint=f"it pins {', '.join(map(str, old.pins)) or 'nothing'}",
                )
            gone |= keys
        new = Lock.of([pin for pin in old.pins if pin.key not in gone], old.models)
        return new, changes(old, new)

    lock, written, told = edit(path, cache, change)
    return Outcome(lock, written, told, ())


def changes(old: Lock, new: Lock) -> tuple[str, ...]:
    """Return, in lines, what is pinned otherwise: picks, policies and files."""
    before = {pin.key: pin for pin in old.pins}
    after = {pin.key: pin for pin in new.pins}
    lines = []
    for key in sorted({*before, *after}):
        was, now = before.get(key), after.get(key)
        if was is None and now is not None:
            lines.append(f"{now}: {now.stub}")
        elif was is not None and now is None:
            lines.append(f"{was}: {was.stub} is no longer pinned")
        elif was is not None and now is not None:
            if was.stub != now.stub:
                sizes = [_count(one) for one in (old.model(was.stub), new.model(now.stub)) if one]
                both = f" ({' -> '.join(sizes)})" if len(sizes) == 2 else ""
                lines.append(f"{now}: {was.stub} -> {now.stub}{both}")
            if was.policy != now.policy:
                lines.append(f"{now}: policy {was.policy} -> {now.policy}")
    for model in new.models:
        locked = old.model(model.stub)
        if locked is None:
            lines.append(f"{model.stub}: {_count(model)}")
        elif locked.files != model.files:
            told = [
                f"{model.stub}: {one.name}: {one.locked or 'none'} -> {one.found or 'none'}"
                for one in file_changes(locked, model)
            ]
            lines += told or [f"{model.stub}: more digests"]
    listed = {model.stub for model in new.models}
    lines += [
        f"{model.stub}: its files are no longer pinned"
        for model in old.models
        if model.stub not in listed and _needs(new.pins, model.stub)
    ]
    return tuple(lines)


def refuse(path: str, drifts: Iterable[Drift]) -> None:
    """Raise what tells of drift, where there is some.

    Raises:
        LockError: there is.
    """
    found = tuple(drifts)
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        ask = next((drift.ask for drift in found if drift.ask is not None), None)
        raise LockError(
            f"{path} has drifted: {found[0].message}{more}",
            # To pin what another catalog has would lose what is pinned, by a slip perhaps.
            hint="`zooselect lock --upgrade` pins what is found now"
            if ask is None
            else f"ask where it was pinned from: {ask}",
        )


def _there(lock: Lock | None, path: str) -> Lock:
    if lock is None:
        raise LocalFileError(f"no lock file {path}", hint="`zooselect lock add TASK` makes one")
    return lock


def _renewed(old: Lock, asking: Asking) -> Lock:
    """What all questions come to now, with what is still known of the files."""
    pins = [_again(pin, asking) for pin in old.pins]
    files = _files(pins, asking)
    return Lock.of(
        pins,
        [one for stub, found in files.items() for one in _model(old.model(stub), found, asking)],
    )


def _again(pin: Pin, asking: Asking) -> Pin:
    now = asking.pin(pin.question, pin.level)
    same = (pin.stub, pin.policy) == (now.stub, now.policy)
    # What stands in for a catalog is no better word than that catalog's.
    return pin if same and asking.stands_in(pin.question.task) else now


def _model(locked: LockedModel | None, found: Files, asking: Asking) -> list[LockedModel]:
    """What to pin of a model's files: those found, else those pinned before."""
    if found.model is None:
        # A keeper without them is no reason to forget what they were, unless it was asked anew.
        return [] if locked is None or found.gone else [locked]
    return [with_downloaded(merged(locked, found.model), asking.cache)]


def _files(pins: Iterable[Pin], asking: Asking) -> dict[str, Files]:
    return {pin.stub: asking.files(pin.stub, pin.question.task) for pin in pins}


def _needs(pins: Iterable[Pin], stub: str) -> bool:
    return any(pin.stub == stub for pin in pins)


def _unlisted(lock: Lock, files: Mapping[str, Files]) -> list[str]:
    return [
        f"{stub}: its files {'stay' if lock.model(stub) else 'are not'} pinned: {found.reason}"
        for stub, found in files.items()
        if found.model is None
    ]


def _count(model: LockedModel) -> str:
    size = sum(file.size or 0 for file in model.files)
    return f"{len(model.files)} file{'s'[: len(model.files) != 1]}, {size:,} bytes"
