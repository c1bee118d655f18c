"""Downloads of what is pinned, and of nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from zooselect.downloads.listing import Listing
from zooselect.downloads.manifest import Manifest
from zooselect.errors import LockError, NotFoundError
from zooselect.lock.ask import locked_model
from zooselect.lock.drift import file_drifts, gone
from zooselect.lock.lock import Lock, LockedModel
from zooselect.lock.place import how_to_ask
from zooselect.lock.work import refuse
from zooselect.stub import Stub
from zooselect.task import Task


class PinnedModel:
    """What a lock file says of a model; see `downloads.model.Pinned`.

    Args:
        model: what is pinned.
        path: of the lock file, for messages.
    """

    def __init__(self, model: LockedModel, path: str) -> None:
        self._model = model
        self._path = path

    def holds(self, manifest: Manifest) -> bool:
        """Whether a model that is here was fetched as what is pinned: every digest agrees."""
        for file in self._model.files:
            origin = manifest.origins.get(file.name)
            if origin is None or file.size not in (None, origin.size):
                return False
            if file.sha256 is not None:
                if file.sha256 != origin.sha256:
                    return False
            elif file.md5 is None or file.md5 != origin.md5:
                return False
        return True

    def missing(self, reason: str, asked: tuple[str, str] | None) -> NoReturn:
        """Refuse what is pinned and nowhere to be had; see `downloads.model.Pinned`.

        Raises:
            LockError: whoever was asked does not have it any more.
            NotFoundError: nobody was asked.
        """
        model = self._model
        if asked is not None:
            refuse(self._path, [gone(model, reason, asked)])
        raise NotFoundError(
            reason,
            hint=f"{self._path} pins its files from {model.source} {model.location}:"
            f" {how_to_ask(model.source, model.location)}",
        )

    def checked(self, listing: Listing) -> Listing:
        """Return a listing whose files must have the pinned sizes and digests.

        Raises:
            LockError: it lists something else.
        """
        try:
            found = locked_model(self._model.stub, listing)
        except NotFoundError as error:
            self.missing(error.message, (listing.source, listing.location))
        refuse(self._path, file_drifts(self._model, found))
        pinned = {file.name: file for file in self._model.files}
        return listing._replace(
            files=tuple(
                file
                if (want := pinned.get(file.name)) is None
                else file._replace(
                    size=file.size if want.size is None else want.size,
                    sha256=want.sha256 or file.sha256,
                    md5=want.md5 or file.md5,
                    pinned=(want.size, want.sha256 or want.md5) != (None, None),
                )
                for file in listing.files
            )
        )


def pinned_models(
    lock: Lock, what: Iterable[str], level: float | None, path: str
) -> list[LockedModel]:
    """Return the pinned models of some stubs and tasks; all without.

    Args:
        lock: what is pinned.
        what: stubs, and names or aliases of tasks.
        level: of the tasks, those questions alone; None for all.
        path: of the lock file, for messages.

    Raises:
        StubError: neither a task nor a stub.
        LockError: not pinned, or pinned without files.
    """
    asked = list(what)
    stubs = [] if asked else [pin.stub for pin in lock.pins]
    for one in asked:
        task = Task.find(one)
        name = Stub.parse(one).canonical if task is None else task.name
        found = [
            pin.stub
            for pin in lock.pins
            if (pin.stub == name if task is None else pin.question.task == task)
            and (task is None or level in (None, pin.level))
        ]
        if not found:
            at = "" if level is None else f" at optim level {level!r}"
            there = ", ".join(dict.fromkeys(pin.stub for pin in lock.pins))
            raise LockError(f"{path} does not pin {name}{at}", hint=f"it pins {there or 'nothing'}")
        stubs += found
    models = []
    for stub in dict.fromkeys(stubs):
        model = lock.model(stub)
        if model is None:
            raise LockError(
                f"{path} pins no files of {stub}",
                hint="`zooselect lock` pins them, with a mirror (--catalog) or server (--api-url)",
            )
        models.append(model)
    return models
