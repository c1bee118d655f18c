"""The patterns of `.gitignore` files, as git reads them (its manual page gitignore(5)).

Held against git itself by the tests. Libraries at hand match a path together with all
that is below it, which is not how git decides, folder by folder from the top, once
patterns are taken back by `!`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_CLASSES = {
    "alnum": "a-zA-Z0-9", "alpha": "a-zA-Z", "digit": "0-9", "lower": "a-z", "upper": "A-Z",
    "space": r"\s", "xdigit": "0-9a-fA-F",
}  # fmt: skip


class _Pattern(NamedTuple):
    """One line of a file.

    Attributes:
        regex: what is matched, from beginning to end.
        whole_path: whether against the path below the file's folder, or the name alone.
        folders_only: whether it is for folders alone.
        ignores: False for a pattern that takes others back.
    """

    regex: re.Pattern[str]
    whole_path: bool
    folders_only: bool
    ignores: bool


class Ignore:
    """The patterns of one file.

    Args:
        folder: the folder they are for, as an absolute path without a slash at its end.
        text: the file's content.
    """

    def __init__(self, folder: str, text: str) -> None:
        self._skip = len(folder) + 1
        lines = text.removeprefix("\ufeff").split("\n")
        # The last pattern that matches decides.
        self._patterns = [one for one in map(_parsed, reversed(lines)) if one is not None]

    def decides(self, path: str, name: str, is_folder: bool) -> bool | None:
        """Whether a path is ignored; None where no pattern matches it.

        Only the path itself is looked at, not the folders it is in.

        Args:
            path: an absolute path below the folder.
            name: its last part.
            is_folder: whether it is a folder.
        """
        below = path[self._skip :]
        for regex, whole_path, folders_only, ignores in self._patterns:
            if (is_folder or not folders_only) and regex.fullmatch(below if whole_path else name):
                return ignores
        return None


def ignored(path: str, name: str, is_folder: bool, rules: Iterable[Ignore]) -> bool:
    """Whether a path is ignored by the files of its folders, the deepest first."""
    for one in rules:
        decided = one.decides(path, name, is_folder)
        if decided is not None:
            return decided
    return False


def _parsed(line: str) -> _Pattern | None:
    line = line.removesuffix("\r")
    if line.startswith("#"):
        return None
    while line.endswith(" ") and not line.endswith("\\ "):
        line = line[:-1]
    ignores = not line.startswith("!")
    line = line if ignores else line[1:]
    folders_only = line.endswith("/")
    line = line.removesuffix("/")
    if not line:
        return None
    regex = _regex(line.removeprefix("/"))
    return _Pattern(regex, "/" in line, folders_only, ignores) if regex is not None else None


def _regex(pattern: str) -> re.Pattern[str] | None:
    """Translate a pattern; None for one that matches nothing."""
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            start, end = at - 1, at
            while pattern[end : end + 1] == "*":
                end += 1
            own_part = (not start or pattern[start - 1] == "/") and pattern[end : end + 1] in "/"
            if end - start == 1 or not own_part or "/" not in pattern:
                parts.append("[^/]*")
            elif end == len(pattern):
                parts.append(".*")
            else:
                parts.append("(?:.*/)?")
                end += 1
            at = end
        elif char == "?":
            parts.append("[^/]")
        elif char == "[":
            found = _bracket(pattern, at)
            if found is None:
                return None
            part, at = found
            parts.append(part)
        elif char == "\\":
            if at == len(pattern):
                return None
            parts.append(re.escape(pattern[at]))
            at += 1
        else:
            parts.append(re.escape(char))
    return re.compile("".join(parts), re.DOTALL)


def _bracket(pattern: str, at: int) -> tuple[str, int] | None:
    """Translate what follows a `[`; None if it has no end, or an unknown class."""
    negated = pattern[at : at + 1] in ("!", "^")
    at += negated
    first, inside = at, "^" if negated else ""
    before = ""  # what a range may begin with
    while at < len(pattern):
        char = pattern[at]
        if char == "]" and at > first:
            return f"(?!/)[{inside}]", at + 1
        named = re.match(r"\[:([a-z]+):\]", pattern[at:])
        if named:
            if named[1] not in _CLASSES:
                return None
            inside += _CLASSES[named[1]]
            at, before = at + named.end(), ""
            continue
        is_range = char == "-" and before != "" and pattern[at + 1 : at + 2] not in ("", "]")
        at += is_range
        if pattern[at : at + 1] == "\\":
            at += 1
        char = pattern[at : at + 1]
        if not is_range:
            inside += re.escape(char)
        elif before <= char:  # else a range of nothing
            inside += f"{re.escape(before)}-{re.escape(char)}"
        before = "" if is_range else char
        at += 1
    return None
