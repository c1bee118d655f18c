"""Writing local files: whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterator

from zooselect.errors import LocalFileError, ZooSelectError


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file so that no reader ever sees a part of it.

    The content goes to a temporary name in the same folder, is synced, and takes the
    final name last. Links are followed; what is no regular file (a device, a pipe) is
    written as it is.

    Raises:
        LocalFileError: the file system refused; what was there before is still there.
    """
    temporary = None
    try:
        target = os.path.realpath(path)
        mode = _mode_of(target)
        if mode is not None and not stat.S_ISREG(mode):
            with open(target, "wb") as file:
                file.write(content)
            return
        handle, temporary = tempfile.mkstemp(prefix=".zooselect-", dir=os.path.dirname(target))
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, stat.S_IMODE(mode) if mode is not None else 0o666 & ~_umask())
        os.replace(temporary, target)
        temporary = None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        missing = isinstance(error, FileNotFoundError)
        raise LocalFileError(
            f"cannot write {os.fspath(path)}: {reason}",
            hint="make the folder first" if missing else "nothing was changed",
        ) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def file_error(what: str, error: OSError | UnicodeEncodeError) -> LocalFileError:
    """Return what a file system refused as an error that says what to do.

    Args:
        what: what could not be done, and to which file.
        error: why not.
    """
    if isinstance(error, UnicodeEncodeError):
        return LocalFileError(
            f"{what}: a name with characters that this system's file names lack",
            hint="LC_ALL=C.UTF-8 may help",
        )
    if error.errno in _FULL:
        hint = "free some space"
    elif error.errno == errno.ENOENT:
        hint = "was it removed in between? try again"
    elif error.errno in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR):
        hint = "a file of another kind is in the way: move it away"
    else:
        hint = "check its rights"
    path = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, (str, bytes)) else ""
    return LocalFileError(f"{what}: {path}{error.strerror or error}", hint=hint)


@contextlib.contextmanager
def local_errors(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Turn what the file system refuses in a folder into an error that names it.

    Raises:
        LocalFileError: that error.
    """
    try:
        yield
    except (OSError, UnicodeEncodeError) as error:
        if isinstance(error, ZooSelectError):
            raise
        raise file_error(f"cannot write in {os.fspath(folder)}", error) from error


def _mode_of(path: str) -> int | None:
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return None


def _umask() -> int:
    # There is no way to ask for the mask but to set it.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
