"""Every error zooselect raises on purpose, and the exit code each one means.

One base class, and each leaf also inherits the standard exception a caller
would catch anyway. The command line maps types to exit codes; it never looks
at texts.

Exit codes: 0 ok, 1 unexpected, 2 usage, 3 nothing found, 4 offline and not
cached, 5 network or server, 6 integrity, 7 local file system, 8 lock drift,
130 interrupted.
"""

from __future__ import annotations

from typing import ClassVar

EXIT_OK = 0
EXIT_INTERRUPTED = 130


class ZooSelectError(Exception):
    """Base of all errors raised on purpose.

    Attributes:
        message: one line that says what is wrong.
        hint: one line that says what to do about it; may be empty.
        exit_code: what the command line exits with.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        # KeyError and OSError format their arguments in ways of their own.
        return self.message


class UsageError(ZooSelectError, ValueError):
    """The question itself is wrong: a value out of range, a name nobody knows."""

    exit_code = 2


class StubError(UsageError):
    """A text that is no stub.

    Attributes:
        text: the text as given.
        position: index of the first character that does not fit.
    """

    def __init__(self, message: str, *, text: str, position: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.text = text
        self.position = position


class NotFoundError(ZooSelectError, LookupError):
    """The question is sound, and the catalog has nothing that answers it."""

    exit_code = 3


class NoCandidateError(NotFoundError):
    """No model of the catalog can be picked for the task, level and options.

    Attributes:
        nearest: the models that came nearest, as (stub, why it was not picked).
    """

    def __init__(
        self, message: str, *, hint: str = "", nearest: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.nearest = nearest


class OfflineError(ZooSelectError, ConnectionError):
    """No socket may be opened, and nothing on disk answers."""

    exit_code = 4


class NetworkError(ZooSelectError, ConnectionError):
    """A server could not be reached, or went away in the middle.

    Attributes:
        retry: whether asking again may help.
        retry_after: seconds the server asks to wait first; None where it does not say.
    """

    exit_code = 5

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        retry: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry = retry
        self.retry_after = retry_after


class ServerError(NetworkError):
    """A server answered, and its answer is an error, or not what it must be.

    Attributes:
        status: the HTTP status; None where the answer's content is what is wrong.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        retry: bool = False,
        retry_after: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint, retry=retry, retry_after=retry_after)
        self.status = status


class IntegrityError(ZooSelectError, ValueError):
    """Content that is not what it must be: a malformed catalog, a wrong digest."""

    exit_code = 6


class LocalFileError(ZooSelectError, OSError):
    """The local file system refused: missing, unreadable, unwritable, full."""

    exit_code = 7


class LockError(ZooSelectError, RuntimeError):
    """What is found is not what the lock file pins."""

    exit_code = 8
