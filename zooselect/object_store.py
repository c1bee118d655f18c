"""Places that fsspec reaches: object stores and what else it knows, by URL."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from zooselect.errors import LocalFileError, UsageError


def is_url(place: str) -> bool:
    """Whether a place is a URL rather than a path."""
    return "://" in place


def shown(url: str) -> str:
    """A URL for people: without credentials."""
    scheme, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return scheme + mark + host.rpartition("@")[2] + slash + path


def filesystem(url: str) -> tuple[Any, str]:
    """Return the fsspec file system of a URL, and the path in it.

    Raises:
        UsageError: fsspec or what it needs for this kind is missing, or it knows no such kind.
        LocalFileError: it is out of reach.
    """
    try:
        # Imported by name: the package is an extra, and brings no types.
        fsspec = import_module("fsspec.core")
        # What it remembers of a folder would hide what others write to it.
        files, root = fsspec.url_to_fs(url, use_listings_cache=False)
    except ValueError as error:
        raise UsageError(
            f"cannot reach {shown(url)}: {error}", hint="a place that fsspec knows, or a folder"
        ) from error
    except ImportError as error:
        raise UsageError(
            f"cannot reach {shown(url)}: {error}", hint="pip install 'zooselect[s3]'"
        ) from error
    except Exception as error:  # some kinds connect at once
        raise LocalFileError(
            f"cannot reach {shown(url)}: {reason_of(error)}",
            hint="check its address and your rights",
        ) from error
    return files, str(root).rstrip("/")


def protocols(files: Any) -> tuple[str, ...]:
    """Return the names of a file system's kind: what its URLs begin with."""
    names = files.protocol
    return (names,) if isinstance(names, str) else tuple(names)


def reason_of(error: Exception) -> str:
    """Return in one line what an error of a store says; stores raise errors of their own."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(reason).split())
