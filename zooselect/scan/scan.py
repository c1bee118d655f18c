"""A scan: every stub in some files, judged by a catalog."""

from __future__ import annotations

import codecs
import os
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zooselect.record import ModelRecord
from zooselect.scan.find import Finder, Occurrence
from zooselect.scan.names import STATUSES, Names
from zooselect.scan.walk import MAX_BYTES, walk

#: A zero byte this near the beginning makes a file binary, as git has it.
_HEAD = 8000
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One stub in one file.

    Attributes:
        file: the file's path, as it was reached from the path named.
        at: the stub, its place and what it means.
    """

    file: str
    at: Occurrence

    @property
    def status(self) -> str:
        """`known`, `ambiguous`, `misspelt` or `unknown`."""
        return self.at.judgement.status

    @property
    def hint(self) -> str | None:
        """What a person may want to know of it; None for nothing."""
        names = ", ".join(self.at.judgement.names)
        hint = (
            self.at.judgement.hint
            or {
                "known": "may never have been published" if self.at.judgement.unverified else "",
                "ambiguous": f"may mean any of {names}",
                "misspelt": f"did you mean {names}?",
                "unknown": f"nearest: {names}" if names else "",
            }[self.status]
        )
        return "; ".join(filter(None, (hint, self.at.problem))) or None


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan came to.

    Attributes:
        files: how many text files were read.
        binary: how many binary files were passed over.
        findings: the stubs, by file in the order walked, and by place.
        notes: files not read, or not read well, as (path, reason).
    """

    files: int
    binary: int
    findings: tuple[Finding, ...]
    notes: tuple[tuple[str, str], ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many stubs of each status."""
        counted = Counter(finding.status for finding in self.findings)
        return {status: counted[status] for status in STATUSES}


def scan(
    roots: Sequence[str],
    records: Iterable[ModelRecord],
    exclude: Sequence[str] = (),
    embedded: Iterable[ModelRecord] = (),
) -> Scan:
    """Find the stubs in files and say which of them the records know.

    A file that vanishes or cannot be read is noted, and the rest is scanned.

    Args:
        roots: files and folders; see `walk`.
        records: a catalog, or its records.
        exclude: patterns of what is left out; see `walk`.
        embedded: as `Names` takes it.

    Raises:
        LocalFileError: a root does not exist.
    """
    finder = Finder(Names(records, embedded))
    notes: list[tuple[str, str]] = []
    findings: list[Finding] = []
    files = binary = 0
    for path in walk(roots, lambda path, reason: notes.append((path, reason)), exclude):
        try:
            content = _read(path)
        except (OSError, ValueError) as error:
            notes.append((path, getattr(error, "strerror", None) or str(error)))
            continue
        text = _text(content, finder)
        if text is None:
            binary += 1
            continue
        files += 1
        found = [Finding(path, one) for one in finder.find(text)]
        if found and "\ufffd" in text:
            notes.append((path, "not UTF-8; read as far as it is"))
        findings += found
    return Scan(files, binary, tuple(findings), tuple(notes))


def _read(path: str) -> bytes:
    """A file's content; of a binary file the beginning may do.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no regular file, or a text too large to be source.
    """
    # Not to wait for ever on a pipe that took a file's place.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("not a regular file")
        if status.st_size > MAX_BYTES:
            head = file.read(_HEAD)
            if b"\0" in head:
                return head
            raise ValueError(f"larger than {MAX_BYTES // 2**20} MiB, not read")
        return file.read()


def _text(content: bytes, finder: Finder) -> str | None:
    """A file's text, empty where no stub can be in it; None for a binary file."""
    if content.startswith(_UTF_16):
        return content.decode("utf-16", "replace")
    if b"\0" in content[:_HEAD]:
        return None
    return content.decode("utf-8-sig", "replace") if finder.may_hold(content) else ""
