"""Files on their way: private to one process, resumed only by what is proven.

Beside a part stands a note of how many of its bytes are proven, by their digest. A part of
a process that is gone is taken over; one whose owner may be alive, whatever a lock says, is
never written to: its proven bytes are copied.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from zooselect.downloads.digest import Digest
from zooselect.downloads.listing import RemoteFile
from zooselect.downloads.private import (
    discard,
    is_abandoned,
    is_dead,
    key_of,
    note_of,
    private_path,
    release,
)  # fmt: skip

_BLOCK = 1 << 20
#: Bytes, or seconds, after which a note is written anew: what a kill may cost.
_NOTE_EVERY, _NOTE_AFTER = 32 << 20, 5.0


class Proof(NamedTuple):
    """What is known of a part: enough to go on, or to begin anew.

    Attributes:
        validator: a strong entity tag of the content it is a part of; None without.
        digest: `sha256:…` or `md5:…` of the whole, as its keeper states it; None without.
        total: bytes of the whole, as its keeper said; None where it did not.
        keeper: whose validator it is; another's may say the same of other content.
        size: bytes proven.
        sha256: hex digest of these bytes.
    """

    validator: str | None
    digest: str | None
    total: int | None
    keeper: str
    size: int
    sha256: str


class Part:
    """A private file being filled.

    Attributes:
        path: where it is.
        size: bytes so far.
        validator: strong entity tag of what it is filled from; None without.
        total: bytes of that; None where nobody says.
    """

    def __init__(self, folder: Path, file: RemoteFile, keeper: str) -> None:
        self._file = file
        self._keeper = keeper
        self._key = key_of(file.name)
        self._folder = folder
        self.path = private_path(folder, file.name, "part")
        self.validator: str | None = None
        self.total: int | None = None
        self.size = 0
        self._noted, self._noted_at = 0, time.monotonic()
        self._out: BinaryIO = open(self.path, "xb")  # noqa: SIM115  # closed by `close`
        self._digest = self._new_digest()

    def _new_digest(self) -> Digest:
        return Digest(md5=self._file.md5 is not None and self._file.sha256 is None)

    @property
    def provable(self) -> bool:
        """Whether what is appended can be shown to belong to what is there."""
        return self.size > 0 and (self.validator is not None or self._file.digest is not None)

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._out.write(data)
        self._digest.update(data)
        self.size += len(data)
        late = time.monotonic() - self._noted_at >= _NOTE_AFTER
        if late or self.size - self._noted >= _NOTE_EVERY:
            self.note()

    def restart(self) -> None:
        """Forget what is there."""
        self._out.seek(0)
        self._out.truncate()
        self.size = self._noted = 0
        self.validator = self.total = None
        self._digest.close()
        self._digest = self._new_digest()
        note_of(self.path).unlink(missing_ok=True)

    def note(self) -> None:
        """Write down what is proven by now, for whoever goes on after a kill."""
        self._out.flush()
        self._start_write_back()
        self._write_note(
            Proof(
                self.validator,
                self._file.digest,
                self.total,
                self._keeper,
                self.size,
                self._digest.sha256(),
            )
        )
        self._noted, self._noted_at = self.size, time.monotonic()

    def _start_write_back(self) -> None:
        """Have the disk begin with what came since the last note, so that `finish` waits less.

        What is still to be written is written before it may be forgotten: Linux begins at once.
        """
        if hasattr(os, "posix_fadvise"):
            start, size = self._noted, self.size - self._noted
            with contextlib.suppress(OSError):  # a file system that takes no advice is as good
                os.posix_fadvise(self._out.fileno(), start, size, os.POSIX_FADV_DONTNEED)

    def _write_note(self, proof: Proof) -> None:
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(json.dumps(proof._asdict()))
        os.replace(temporary, note_of(self.path))

    def finish(self) -> tuple[str, str | None]:
        """Bring all bytes to disk; return their SHA-256 and, where it was wanted, their MD5."""
        self.note()  # who is killed now has it all the same
        os.fsync(self._out.fileno())
        digests = self._digest.sha256(), self._digest.md5()
        self.close()
        return digests

    def close(self) -> None:
        """Close the file; what was written stays."""
        self._digest.close()
        self._out.close()

    def keep(self) -> None:
        """Close the file so that another process can go on with it."""
        with contextlib.suppress(OSError, ValueError):
            if self.size > self._noted:
                self.note()
        with contextlib.suppress(OSError):
            self.close()
        if self.size:
            release(self.path)
        else:
            discard(self.path)

    def drop(self) -> None:
        """Remove the file."""
        with contextlib.suppress(OSError):
            self.close()
        discard(self.path)

    def adopt(self) -> None:
        """Take over the proven bytes of the largest part that others left of the same content."""
        found = [
            (proof.size, other, proof)
            for other in self._folder.glob(f"{self._key}.*.part")
            if other != self.path and (proof := _proof_of(other)) and self._fits(proof)
        ]
        for size, other, proof in sorted(found, reverse=True, key=lambda one: one[0]):
            with contextlib.suppress(OSError):
                dead = is_dead(other)
                if dead:
                    self._write_note(proof)
                    os.replace(other, self.path)
                    self._out.close()
                    self._out = self.path.open("r+b")
                for block in _blocks(self.path if dead else other, size):
                    self._digest.update(block)
                    self.size += len(block)
                    if not dead:
                        self._out.write(block)
                if (self.size, self._digest.sha256()) == (size, proof.sha256):
                    self._out.seek(size)
                    self._out.truncate()
                    self.validator, self.total = proof.validator, proof.total
                    self.note()
                    break
            self.restart()
        if self.size:
            # Else every kill would leave one more copy of what is there so far.
            for _, other, _ in found:
                if is_abandoned(other):
                    discard(other)

    def _fits(self, proof: Proof) -> bool:
        if self._file.digest is not None and proof.digest is not None:
            return self._file.digest == proof.digest
        return proof.validator is not None and proof.keeper == self._keeper


def _proof_of(path: Path) -> Proof | None:
    try:
        document: Any = json.loads(note_of(path).read_bytes())
        proof = Proof(**document)
    except (OSError, ValueError, TypeError):
        return None
    return proof if type(proof.size) is int and proof.size > 0 else None


def _blocks(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while size > 0 and (block := file.read(min(_BLOCK, size))):
            size -= len(block)
            yield block
