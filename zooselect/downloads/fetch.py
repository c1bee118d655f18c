"""One file: fetched, gone on with where that is provable, and verified before it is anything."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from zooselect.archive import BrokenFileError
from zooselect.downloads.keeper import Body, Here, Keeper, RestartError
from zooselect.downloads.listing import RemoteFile
from zooselect.downloads.manifest import Origin
from zooselect.downloads.part import Part
from zooselect.downloads.progress import CancelledError, Progress
from zooselect.errors import (
    IntegrityError,
    LocalFileError,
    LockError,
    NetworkError,
    ServerError,
    ZooSelectError,
)  # fmt: skip
from zooselect.files import file_error
from zooselect.mirror.content import check_head, check_network_head
from zooselect.mirror.roles import is_onnx
from zooselect.net.retry import ATTEMPTS

Wait = Callable[[int, NetworkError], None]

_CHUNK = 1 << 20

#: A body that brings fewer bytes a second over so many time-outs has stalled, whatever trickles in.
_STALLED_WITHIN, _STALLED_RATE = 3.0, 1024
#: How often a file is asked for of a server that stalls.
_STALLS = 2


class StalledError(NetworkError):
    """A body comes so slowly that it would never be whole."""


class Fetched(NamedTuple):
    """A verified file under its private name.

    Attributes:
        path: where it is.
        origin: its size and digests.
    """

    path: Path
    origin: Origin


class Fetcher:
    """Fetches files of one model into one folder.

    Args:
        keeper: who has them.
        folder: for private files, on the file system of the model's folder.
        wait: waits before the next attempt, or raises the error of the last one.
        timeout: seconds to wait between two bytes.
        progress: told of every byte.
        stop: set when the others have failed, or the user has had enough.
    """

    def __init__(
        self,
        keeper: Keeper,
        folder: Path,
        wait: Wait,
        timeout: float,
        progress: Progress,
        stop: threading.Event,
    ) -> None:
        self._keeper = keeper
        self._folder = folder
        self._wait = wait
        self._stalled_within = _STALLED_WITHIN * timeout
        self._progress = progress
        self._stop = stop

    def stop(self) -> None:
        """Have whoever fetches come to an end soon, and write down how far they are."""
        self._stop.set()
        self._keeper.interrupt()

    def fetch(self, file: RemoteFile) -> Fetched:
        """Fetch a file; what is wrong after having been gone on with is fetched once anew.

        Raises:
            NetworkError, ServerError: it cannot be had; what is proven of it stays.
            IntegrityError: what the keeper sends is not what it lists.
            LockError: it is not what the lock file pins.
            LocalFileError: the file system refused.
            CancelledError: stopped.
        BaseException: what `progress` raises; what is proven stays here, too.
        """
        try:
            return self._fetch(file)
        except NetworkError as error:
            if file.name not in error.message:
                error.message = f"{file.name}: {error.message}"
            raise
        except OSError as error:
            if isinstance(error, LocalFileError):
                raise
            raise file_error(f"cannot write {file.name} in {self._folder.parent}", error) from error

    def _fetch(self, file: RemoteFile) -> Fetched:
        part = Part(self._folder, file, self._keeper.location)
        try:
            part.adopt()
            self._progress.start(file.name, file.size, part.size)
            patched = self._fill(part, file)
            fetched, problem = self._finished(part, file)
            if problem is not None and patched:
                # The pieces do not belong together, whatever the server says.
                part.drop()
                part = Part(self._folder, file, self._keeper.location)
                self._progress.start(file.name, file.size, 0)
                self._fill(part, file)
                fetched, problem = self._finished(part, file)
            if problem is not None:
                raise _wrong(file, f"{self._keeper.location}: {file.name} {problem}")
            self._progress.finish(file.name)
        except BaseException as error:
            local = isinstance(error, OSError) and not isinstance(error, NetworkError)
            if local or isinstance(error, (IntegrityError, LockError)):
                # A disk that is full is not made fuller by what nobody could finish.
                part.drop()
            else:
                part.keep()
            raise
        return fetched

    def _fill(self, part: Part, file: RemoteFile) -> bool:
        """Fetch what is missing; whether what is there came in more than one piece."""
        pieces = int(part.size > 0)
        # What a digest does not tell, the server must: is what was left here still its content?
        doubtful = part.size > 0 and file.digest is None
        attempt = stalls = 0
        furthest = part.size
        while file.size is None or part.size < file.size or doubtful or not pieces:
            before = part.size
            try:
                self._piece(part, file)
                pieces += 1
                break
            except NetworkError as error:
                pieces += part.size > before
                stalls += isinstance(error, StalledError)
                if isinstance(error, RestartError) or not part.provable:
                    self._anew(part, file)
                    pieces, doubtful = 0, False
                elif part.size > furthest and not isinstance(error, StalledError):
                    attempt = 0  # it goes forward: that is no failure again
                    furthest, doubtful = part.size, False
                attempt += 1
                if self._stop.is_set():
                    raise _stopped() from error
                if attempt >= ATTEMPTS or stalls >= _STALLS or not error.retry:
                    raise
                if part.size:
                    part.note()
                self._wait(attempt, error)
        return pieces > 1

    def _piece(self, part: Part, file: RemoteFile) -> None:
        offset = part.size if part.provable else 0
        size = part.total if file.size is None else file.size
        # Of what is whole the last byte is asked for: the answer shows whether it still holds.
        asked = offset - 1 if offset == size else offset
        with self._keeper.opened(file, Here(asked, part.validator, part.total)) as body:
            if 0 < body.offset == asked < part.size:
                return
            if body.offset != part.size:
                self._anew(part, file)
            part.validator = body.validator or part.validator
            part.total = body.total or part.total
            if file.size is None and body.total is not None:
                self._progress.start(file.name, body.total, part.size)
            self._copy(body, part, file)
        expected = file.size or body.total or 0
        if part.size < expected:
            raise ServerError(
                f"{self._keeper.location}: {file.name} ends after {part.size:,} of {expected:,}"
                " bytes",
                hint="the connection was cut, or the server is wrong about the size",
                retry=True,
            )
        if not body.whole and file.size is None and file.digest is None:
            raise ServerError(
                f"{self._keeper.location}: nobody says how long {file.name} is",
                hint="a file that may be cut is not taken; ask another server",
            )

    def _copy(self, body: Body, part: Part, file: RemoteFile) -> None:
        limit = file.size if file.size is not None else body.total
        since, then = time.monotonic(), part.size
        while data := body.read(_CHUNK):
            if self._stop.is_set():
                raise _stopped()
            if limit is not None and part.size + len(data) > limit:
                self._anew(part, file)
                raise _wrong(
                    file,
                    f"{self._keeper.location}: {file.name} is longer than the {limit:,} bytes"
                    f" {'pinned' if file.pinned else 'it is said to have'}",
                )
            part.write(data)
            self._progress.advance(file.name, len(data))
            seconds = time.monotonic() - since
            if seconds > self._stalled_within:
                if part.size - then < seconds * _STALLED_RATE:
                    raise StalledError(
                        f"{self._keeper.location}: {file.name} comes at less than 1 kB/s",
                        hint="try again later; what came is kept",
                        retry=True,
                    )
                since, then = time.monotonic(), part.size

    def _anew(self, part: Part, file: RemoteFile) -> None:
        part.restart()
        self._progress.start(file.name, file.size, 0)

    def _finished(self, part: Part, file: RemoteFile) -> tuple[Fetched, str | None]:
        """The file as it is now, and what is wrong with it."""
        sha256, md5 = part.finish()
        fetched = Fetched(part.path, Origin(part.size, sha256, md5 or file.md5))
        said = "pinned" if file.pinned else "listed"
        if file.size is not None and part.size != file.size:
            return fetched, f"has {part.size:,} bytes, and not the {file.size:,} {said}"
        if file.sha256 is not None and sha256 != file.sha256:
            return fetched, f"is not the content {said}: its SHA-256 is another"
        if file.sha256 is None and file.md5 is not None and md5 != file.md5:
            return fetched, f"is not the content {said}: its MD5 is another"
        if file.digest is None and (part.size or is_onnx(file.name)):
            try:
                check_head(part.path, file.name)
                if file.size is None:
                    check_network_head(part.path, file.name)
            except BrokenFileError as error:
                return fetched, f"is {error}"
        return fetched, None


def _stopped() -> CancelledError:
    return CancelledError("stopped", hint="the same command goes on from here")


def _wrong(file: RemoteFile, message: str) -> ZooSelectError:
    if file.pinned:
        return LockError(message, hint="the lock file pins other content; nothing was kept")
    return IntegrityError(message, hint="the server's copy, its listing or the way here is broken")
