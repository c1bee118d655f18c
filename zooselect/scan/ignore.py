"""The patterns of `.gitignore` files, as git reads them: gitignore(5), and git's wildmatch.

Held against git itself by the tests. pathspec, the library for this, is none for here: it
refuses a whole file for one pattern that git takes for one that matches nothing, knows no
`[[:alpha:]]`, and reads one in five files of rare patterns otherwise than git. As in git,
patterns and names are bytes.
"""

from __future__ import annotations

import os
import re
import string
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, pairwise
from typing import NamedTuple

_GRAPH = string.ascii_letters + string.digits + string.punctuation
_CLASSES = {
    b"alnum": string.ascii_letters + string.digits, b"alpha": string.ascii_letters,
    b"blank": " \t", b"cntrl": "".join(map(chr, [*range(32), 127])), b"digit": string.digits,
    b"graph": _GRAPH, b"lower": string.ascii_lowercase, b"print": _GRAPH + " ",
    b"punct": string.punctuation, b"space": " \t\n\r", b"upper": string.ascii_uppercase,
    b"xdigit": string.hexdigits,
}  # fmt: skip

#: A line but for the spaces at its end; one behind a backslash is none of them.
_CONTENT = re.compile(rb"(?s)(?: *(?:\\.|\\\Z|[^ \\]))*")

#: One thing between brackets: a class, a range or a character.
_MEMBER = re.compile(rb"(?s)\[:([^\]]*):\]|\\?(.)(?:-(?!\])\\?(.))?")

#: What gives way in a pattern: folder by folder, at will, and within a name.
_FOLDERS, _ANYTHING, _STAR = rb"(?:.*?/)??", rb".*?", rb"[^/]*?"


class _Pattern(NamedTuple):
    """One line of a file.

    Attributes:
        regex: what is matched, from beginning to end.
        whole_path: whether against the path below the file's folder, or the name alone.
        folders_only: whether it is for folders alone.
        ignores: False for a pattern that takes others back.
    """

    regex: re.Pattern[bytes]
    whole_path: bool
    folders_only: bool
    ignores: bool


class Ignore:
    """The patterns of one file.

    Args:
        folder: the folder they are for, as an absolute path without a slash at its end.
        content: of the file.
    """

    def __init__(self, folder: str, content: bytes) -> None:
        self._skip = len(os.fsencode(folder)) + 1
        lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        number = count()
        parsed = (_parsed(line, number) for line in reversed(lines))
        # The last pattern that matches decides.
        self._patterns = [one for one in parsed if one is not None]
        # Most paths match none: one look says so.
        self._names, self._paths = (
            re.compile(
                b"|".join(one.regex.pattern for one in self._patterns if one.whole_path is whole)
                or b"(?!)",
                re.DOTALL,
            )
            for whole in (False, True)
        )

    def decides(self, path: bytes, name: bytes, is_folder: bool) -> bool | None:
        """Whether a path is ignored; None where no pattern matches it.

        Only the path itself is looked at, not the folders it is in.

        Args:
            path: an absolute path below the folder.
            name: its last part.
            is_folder: whether it is a folder.
        """
        below = path[self._skip :]
        if not self._names.fullmatch(name) and not self._paths.fullmatch(below):
            return None
        for regex, whole_path, folders_only, ignores in self._patterns:
            if (is_folder or not folders_only) and regex.fullmatch(below if whole_path else name):
                return ignores
        return None


def ignored(path: str, name: str, is_folder: bool, rules: Iterable[Ignore]) -> bool:
    """Whether a path is ignored by the files of its folders, the deepest first."""
    path_bytes, name_bytes = os.fsencode(path), os.fsencode(name)
    for one in rules:
        decided = one.decides(path_bytes, name_bytes, is_folder)
        if decided is not None:
            return decided
    return False


def _parsed(line: bytes, number: Iterator[int]) -> _Pattern | None:
    line = line.removesuffix(b"\r")
    if line.startswith(b"#"):
        return None
    content = _CONTENT.match(line)
    line = content[0] if content else b""
    ignores = not line.startswith(b"!")
    line = line if ignores else line[1:]
    folders_only = line.endswith(b"/")
    line = line.removesuffix(b"/")
    try:
        parts = list(_parts(line.removeprefix(b"/")))
    except ValueError:
        return None
    regex = re.compile(_regex(parts, ((_FOLDERS, _ANYTHING), (_STAR,)), number), re.DOTALL)
    return _Pattern(regex, b"/" in line, folders_only, ignores) if parts else None


def _parts(pattern: bytes) -> Iterator[bytes]:
    """Yield what a pattern is made of, as regular expressions.

    Raises:
        ValueError: it matches nothing: what a bracket or backslash begins has no end.
    """
    special = re.search(rb"[*?\[\\]|\Z", pattern)
    plain = special.start() if special else 0
    at = 0
    while at < len(pattern):
        start, char = at, pattern[at : at + 1]
        at += 1
        if char == b"*":
            while pattern[at : at + 1] == b"*":
                at += 1
            rest = pattern[at:]
            # Several go across folders where they stand between slashes. git matches what
            # stands before the first special character by itself: behind it, too.
            alone = (start == plain or pattern[start - 1 : start] == b"/") and (
                not rest or rest.startswith((b"/", b"\\/"))
            )
            if at - start == 1 or not alone:
                yield _STAR
            elif rest.startswith(b"/"):
                at += 1
                yield _FOLDERS
            else:
                yield _ANYTHING
        elif char == b"?":
            yield b"[^/]"
        elif char == b"[":
            members, at = _bracket(pattern, at)
            yield b"[%b]" % b"".join(b"\\x%02x" % one for one in members) if members else b"(?!)"
        elif char == b"\\":
            if at == len(pattern):
                raise ValueError
            yield re.escape(pattern[at : at + 1])
            at += 1
        else:
            yield re.escape(char)


def _bracket(pattern: bytes, at: int) -> tuple[list[int], int]:
    """Return the bytes that what follows a `[` stands for, and where it ends.

    Raises:
        ValueError: it has no end, or names a class there is not.
    """
    members: set[int] = set()
    negated = pattern[at : at + 1] in (b"!", b"^")
    at += negated
    first = at
    while at == first or pattern[at : at + 1] != b"]":
        member = _MEMBER.match(pattern, at)
        if member is None:
            raise ValueError
        name, lower, upper = member.groups()
        if name is None:
            # A range the wrong way round still has what it begins with.
            members.update(lower, range(lower[0], (upper or lower)[0] + 1))
        elif name in _CLASSES:
            members.update(map(ord, _CLASSES[name]))
        else:
            raise ValueError
        at = member.end()
    if negated:
        members = set(range(256)) - members
    return sorted(members - {ord("/")}), at + 1


def _regex(
    parts: Sequence[bytes], wild: Sequence[tuple[bytes, ...]], number: Iterator[int]
) -> bytes:
    """Put parts together, so that no name takes long.

    What gives way stays as it is where the parts behind it first fit: the next that gives
    way can make up for whatever was passed over.

    Args:
        parts: of a pattern.
        wild: those that give way, from what reaches farthest.
        number: tells groups apart.
    """
    if not wild:
        return b"".join(parts)
    bounds = [at for at, part in enumerate(parts) if part in wild[0]] + [len(parts)]
    text = _regex(parts[: bounds[0]], wild[1:], number)
    for start, stop in pairwise(bounds):
        piece = parts[start] + _regex(parts[start + 1 : stop], wild[1:], number)
        name = b"_%d" % next(number)
        text += piece if stop == len(parts) else b"(?=(?P<%b>%b))(?P=%b)" % (name, piece, name)
    return text
