"""How a download tells how far it is."""

from __future__ import annotations

from typing import Protocol

from zooselect.errors import ZooSelectError


class CancelledError(ZooSelectError):
    """The download was stopped; what is proven of it stays on disk for the next time."""


class Progress(Protocol):
    """Told how far a download is, from several threads at a time.

    What one of its methods raises stops the download and reaches the caller of it: that is
    how a download is cancelled.
    """

    def plan(self, files: int, size: int | None) -> None:
        """So many files are to be fetched, with so many bytes; None where some size is unknown."""

    def start(self, name: str, size: int | None, done: int) -> None:
        """A file is begun, anew perhaps; so many bytes of it are here already."""

    def advance(self, name: str, size: int) -> None:
        """So many more bytes of a file are here."""

    def finish(self, name: str) -> None:
        """A file is here, and verified."""

    def tick(self) -> None:
        """Some time has passed: called several times a second, whether anything comes or not."""


class Silence:
    """Progress that nobody watches."""

    def plan(self, files: int, size: int | None) -> None:
        """See `Progress`."""

    def start(self, name: str, size: int | None, done: int) -> None:
        """See `Progress`."""

    def advance(self, name: str, size: int) -> None:
        """See `Progress`."""

    def finish(self, name: str) -> None:
        """See `Progress`."""

    def tick(self) -> None:
        """See `Progress`."""
