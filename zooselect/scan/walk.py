"""The files to scan: what a person would call the source, and no more.

`.gitignore` files are obeyed as git does it: those of every folder down from the
repository's, the deepest last, negation and all, and `.git/info/exclude`. Two things
differ: a user's global excludes are not read, and a file that is ignored although it was
added to the repository is left out. What is named itself is always scanned. Symbolic
links are not followed, but for the one that is named: so nothing is read twice and no
loop is walked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

from zooselect.errors import LocalFileError
from zooselect.scan.ignore import Ignore, ignored

#: Larger files are data, not source.
MAX_BYTES = 16 * 1024 * 1024

_IGNORE_FILE = ".gitignore"
_NEVER = frozenset({".git", ".hg", ".svn"})

Note = Callable[[str, str], None]


#: The rules that hold in a folder, the deepest first.
_Rules = tuple[Ignore, ...]


def walk(roots: Sequence[str], note: Note, exclude: Sequence[str] = ()) -> Iterator[str]:
    """Yield the paths of the files below some roots, each once, sorted within each root.

    Args:
        roots: files and folders.
        note: told (path, reason) of each file or folder that cannot be read.
        exclude: patterns as in a `.gitignore` of each root; they decide before all others.

    Raises:
        LocalFileError: a root does not exist.
    """
    for root in roots:
        # A name with a NUL, or links that go round, exist no more than a missing file.
        try:
            os.stat(root)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise LocalFileError(
                f"cannot scan {ascii(root)[1:-1]}: {reason}", hint="name a file or a folder"
            ) from error
    seen: set[str] = set()
    patterns = os.fsencode("\n".join(exclude))
    for root in roots:
        if os.path.isdir(root):
            first = Ignore(os.path.abspath(root).rstrip(os.sep), patterns)
            files = _below(root, first, _outer_rules(root, note), note)
        else:
            files = iter((root,))
        for path in files:
            name = os.path.normpath(path)
            if name not in seen:
                seen.add(name)
                yield path


def _below(root: str, first: Ignore, outer: _Rules, note: Note) -> Iterator[str]:
    pending = [(root, True, outer)]
    while pending:
        path, is_folder, rules = pending.pop()
        if not is_folder:
            yield path
            continue
        try:
            with os.scandir(path) as listing:
                entries = sorted(listing, key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            note(path, error.strerror or str(error))
            continue
        real = os.path.abspath(path)
        if any(entry.name == _IGNORE_FILE and entry.is_file() for entry in entries):
            rules = (*_rules_of(os.path.join(path, _IGNORE_FILE), real, note), *rules)
        for entry, kind in _known(entries, note):
            whole = os.path.join(real, entry.name)
            if not ignored(whole, entry.name, kind, (first, *rules)):
                pending.append((entry.path, kind, rules))


def _known(entries: list[os.DirEntry[str]], note: Note) -> Iterator[tuple[os.DirEntry[str], bool]]:
    """Yield the files and folders, and which is a folder."""
    for entry in entries:
        if entry.name in _NEVER:
            continue
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_folder or entry.is_file(follow_symlinks=False):
                yield entry, is_folder  # else a link, a device, a pipe
        except OSError as error:
            note(entry.path, error.strerror or str(error))


def _outer_rules(root: str, note: Note) -> _Rules:
    """The rules above a root, from its repository's folder down; none if they ignore it."""
    inner = os.path.abspath(root)
    folders = [inner]
    while not os.path.lexists(os.path.join(folders[-1], ".git")):
        above = os.path.dirname(folders[-1])
        if above == folders[-1]:
            return ()  # not in a repository
        folders.append(above)
    top = folders[-1]
    exclude = os.path.join(top, ".git", "info", "exclude")
    rules = _rules_of(exclude, top, note) if os.path.isfile(exclude) else ()
    for folder, below in zip(reversed(folders[1:]), reversed(folders[:-1]), strict=True):
        ignore = os.path.join(folder, _IGNORE_FILE)
        if os.path.isfile(ignore):
            rules = (*_rules_of(ignore, folder, note), *rules)
        if ignored(below, os.path.basename(below), True, rules):
            return ()
    return rules


def _rules_of(path: str, folder: str, note: Note) -> _Rules:
    """The rules of one file, none if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return (Ignore(folder.rstrip(os.sep), file.read()),)
    except OSError as error:
        note(path, error.strerror or str(error))
        return ()
