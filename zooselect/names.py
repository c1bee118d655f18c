"""Names of files inside a model: data from outside, made safe to join to a folder.

The one rule for every place a name comes from: a command line, a cache folder, an
archive, a catalog. What passes is one and the same relative path on every system.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

#: What temporary files and folders of this package begin with.
TEMPORARY = ".zooselect-"

_LONGEST_COMPONENT = 255  # bytes; the limit of every common file system
_LONGEST_NAME = 1024
_NEVER = set('\\:*?"<>|')  # separators, drives, streams and what Windows cannot store
_DEVICES = {
    "con", "prn", "aux", "nul", "conin$", "conout$",
    *(f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"),
}  # fmt: skip


def safe_name(name: object) -> str:
    """Return a relative POSIX path that stays inside whatever folder it is joined to.

    Raises:
        ValueError: it would not, or some system could not store it; the message says why.
    """
    if not isinstance(name, str) or not name:
        raise ValueError("a name is a text that is not empty")
    if name.startswith("/"):
        raise ValueError("an absolute path")
    try:
        size = len(name.encode())
    except UnicodeEncodeError as error:
        raise ValueError("not valid Unicode") from error
    if size > _LONGEST_NAME:
        raise ValueError(f"longer than {_LONGEST_NAME} bytes")
    for char in name:
        if char in _NEVER or unicodedata.category(char) in ("Cc", "Zl", "Zp"):
            raise ValueError(f"the character {char!a}")
    for component in name.split("/"):
        _check_component(component)
    return name


def collisions(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return pairs of names that some file system cannot hold side by side.

    Names that differ in case or Unicode form only, and a file where another name needs a
    folder.
    """
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    found = []
    for name in sorted(set(names)):
        key = _key(name)
        other = files.get(key) or folders.get(key)
        parents = [key.rsplit("/", depth)[0] for depth in range(1, key.count("/") + 1)]
        other = other or next((files[parent] for parent in parents if parent in files), None)
        if other is not None:
            found.append((other, name))
        files.setdefault(key, name)
        for parent in parents:
            folders.setdefault(parent, name)
    return found


def _check_component(component: str) -> None:
    if component in ("", ".", ".."):
        raise ValueError(f"the path component {component!r}")
    if len(component.encode()) > _LONGEST_COMPONENT:
        raise ValueError(f"a path component longer than {_LONGEST_COMPONENT} bytes")
    if component[-1] in ". ":
        raise ValueError("a path component that ends in a dot or a space")
    if component.split(".", maxsplit=1)[0].rstrip().casefold() in _DEVICES:
        raise ValueError(f"the reserved name {component!r}")
    if component.casefold().startswith(TEMPORARY):
        raise ValueError(f"{TEMPORARY}… is kept for temporary files")


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
