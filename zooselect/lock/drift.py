"""What is found now beside what is pinned: pure, so that every kind of drift can be tested."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from zooselect.lock.ask import Files
from zooselect.lock.lock import CatalogSeen, Key, Lock, LockedFile, LockedModel, Pin
from zooselect.lock.place import Moved, moved

PICK, POLICY, FILES = "pick", "policy", "files"


class Drift(NamedTuple):
    """Something pinned that is no longer so.

    Attributes:
        kind: `pick`, `policy` or `files`.
        subject: the question, or the model's stub.
        message: what has drifted, in a line, with the subject.
        locked: what is pinned.
        found: what is found; None for nothing.
        ask: how to ask where it was pinned from; None where that was asked.
    """

    kind: str
    subject: str
    message: str
    locked: str | None
    found: str | None
    ask: str | None = None

    def told_of(self, place: Moved | None) -> Drift:
        """The same drift, saying where it was pinned from if that was not asked."""
        if place is None:
            return self
        return self._replace(message=f"{self.message} ({place.told})", ask=place.ask)


class NoPick(NamedTuple):
    """A question that comes to nothing now.

    Attributes:
        reason: why.
        catalog: which was asked.
    """

    reason: str
    catalog: CatalogSeen


class Report(NamedTuple):
    """What became of what is pinned.

    Attributes:
        drifts: what is no longer so.
        notes: what else a person must know, in lines: what has changed without harm, and
            what could not be checked.
    """

    drifts: tuple[Drift, ...]
    notes: tuple[str, ...]


def compare(lock: Lock, picks: Mapping[Key, Pin | NoPick], files: Mapping[str, Files]) -> Report:
    """Compare a lock with what is found.

    A catalog that has changed and picks the same is told, and is no drift; nor is another
    place that has the same.

    Args:
        lock: what is pinned.
        picks: what each question comes to now, by key.
        files: what is known of each picked model's files now, by pinned stub.
    """
    drifts: list[Drift] = []
    notes: list[str] = []
    changed: Counter[tuple[str, str]] = Counter()
    for pin in lock.pins:
        now = picks[pin.key]
        place = moved(pin.catalog[:2], now.catalog[:2])
        if isinstance(now, NoPick):
            message = f"{pin}: {pin.stub} is pinned, and nothing is picked: {now.reason}"
            drifts.append(Drift(PICK, str(pin), message, pin.stub, None).told_of(place))
            continue
        if pin.policy != now.policy:
            message = f"{pin}: policy {pin.policy} is pinned, and policy {now.policy} is in force"
            drift = Drift(POLICY, str(pin), message, str(pin.policy), str(now.policy))
            drifts.append(drift.told_of(place))
        if pin.stub != now.stub:
            message = f"{pin}: {pin.stub} is pinned, and {now.stub} is picked"
            drifts.append(Drift(PICK, str(pin), message, pin.stub, now.stub).told_of(place))
        elif pin.catalog.digest != now.catalog.digest:
            changed[pin.catalog.location, now.catalog.location] += 1
    for (before, after), count in changed.items():
        what = f"{after} has changed" if before == after else f"{after} answers, not {before}"
        notes.append(f"{what}; {count} pick{'s are' if count > 1 else ' is'} the same")
    for stub in sorted({pin.stub for pin in lock.pins}):
        locked, found = lock.model(stub), files[stub]
        if locked is None:
            if found.model is not None:
                notes.append(f"{stub}: its files are not pinned yet; `zooselect lock` pins them")
        elif found.model is not None:
            drifts += file_drifts(locked, found.model)
            notes += _unproven(locked, found.model)
        elif found.gone:
            drifts.append(gone(locked, found.reason, found.place))
        else:
            notes.append(f"{stub}: its files were not checked: {found.reason}")
    return Report(tuple(drifts), tuple(notes))


def gone(locked: LockedModel, reason: str, asked: tuple[str, str] | None) -> Drift:
    """Return the drift of a model whose files are no longer there.

    Args:
        locked: what is pinned.
        reason: what tells that they are not.
        asked: source and location of who tells; None where that is not known.
    """
    message = f"{locked.stub}: its files are pinned, and gone: {reason}"
    names = ", ".join(file.name for file in locked.files)
    place = None if asked is None else moved((locked.source, locked.location), asked)
    return Drift(FILES, locked.stub, message, names, None).told_of(place)


class FileChange(NamedTuple):
    """A file that is not as it was.

    Attributes:
        name: of the file.
        locked, found: what differs of it first, e.g. `size 7` and `size 8`; None on the side
            where there is no such file.
    """

    name: str
    locked: str | None
    found: str | None


def file_changes(locked: LockedModel, found: LockedModel) -> list[FileChange]:
    """Return what of a model's files is not as pinned, as far as both sides state it."""
    before = {file.name: file for file in locked.files}
    after = {file.name: file for file in found.files}
    changes = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            changes.append(FileChange(name, _stated(old), _stated(new)))
        else:
            for key, was, now in _differences(old, new)[:1]:
                changes.append(FileChange(name, f"{key} {was}", f"{key} {now}"))
    return changes


def file_drifts(locked: LockedModel, found: LockedModel) -> list[Drift]:
    """Return what of a model's files is not as pinned, as drift."""
    place = moved((locked.source, locked.location), (found.source, found.location))
    drifts = []
    for one in file_changes(locked, found):
        head = f"{locked.stub}: {one.name}"
        if one.locked is None:
            drift = Drift(FILES, locked.stub, f"{head} is not pinned, and there", None, one.name)
        elif one.found is None:
            drift = Drift(FILES, locked.stub, f"{head} is pinned, and gone", one.name, None)
        else:
            has = one.found.partition(" ")[2]
            message = f"{head} is pinned with {one.locked}, and has {has}"
            drift = Drift(FILES, locked.stub, message, one.locked, one.found)
        drifts.append(drift.told_of(place))
    return drifts


def _stated(file: LockedFile | None) -> str | None:
    if file is None:
        return None
    return "of no stated size" if file.size is None else f"size {file.size}"


def merged(locked: LockedModel | None, found: LockedModel) -> LockedModel:
    """Return the files as found, with what is pinned of them and nobody states now.

    Of a file that has changed, nothing of old is kept.
    """
    before = {} if locked is None else {file.name: file for file in locked.files}
    return found._replace(files=tuple(_merged(before.get(one.name), one) for one in found.files))


def _merged(old: LockedFile | None, new: LockedFile) -> LockedFile:
    if old is None or _differences(old, new) or not _proven(old, new):
        return new
    stated = {key: value for key, value in new._asdict().items() if value is not None}
    return old._replace(**stated)


def _proven(old: LockedFile, new: LockedFile) -> bool:
    """Whether something shows the content to be the same, or neither side has any proof."""
    same = (old.sha256 and old.sha256 == new.sha256) or (old.md5 and old.md5 == new.md5)
    return bool(same) or not (new.sha256 or new.md5)


def _differences(old: LockedFile, new: LockedFile) -> list[tuple[str, object, object]]:
    pairs = (
        ("size", old.size, new.size),
        ("sha256", old.sha256, new.sha256),
        ("md5", old.md5, new.md5),
    )
    return [one for one in pairs if None not in one[1:] and one[1] != one[2]]


def _unproven(locked: LockedModel, found: LockedModel) -> list[str]:
    after = {file.name: file for file in found.files}
    names = [
        old.name
        for old in locked.files
        if (new := after.get(old.name)) is not None
        and not (old.sha256 and new.sha256)
        and not (old.md5 and new.md5)
    ]
    if not names:
        return []
    return [f"{locked.stub}: no digest to compare for {', '.join(names)}: names and sizes alone"]
