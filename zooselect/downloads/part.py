"""Files on their way: private to one process, resumed only by what is proven.

Beside a part stands a note of how many of its bytes are proven, by their digest. A part
that another process left is never written to: its proven bytes are copied.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from zooselect.downloads.digest import Digest
from zooselect.downloads.listing import RemoteFile

_BLOCK = 1 << 20
#: Bytes after which a note is written anew: what a kill may cost.
_NOTE_EVERY = 32 << 20
#: Seconds after which a part of a process that cannot be looked up counts as abandoned.
_ABANDONED = 86_400.0


#: Private files that threads of this process are at work on.
_ours: set[Path] = set()


def private_path(folder: Path, name: str, kind: str) -> Path:
    """Return a path nobody else uses, which tells what it is for and who uses it.

    Args:
        folder: where.
        name: of the file it is to become.
        kind: `part` for what may be gone on with, `tmp` for what may not.
    """
    owner = f"{_host()}.{os.getpid()}.{secrets.token_hex(4)}"
    path = folder / f"{_key_of(name)}.{owner}.{kind}"
    _ours.add(path)
    return path


def release(path: Path) -> None:
    """Leave a private file to whoever comes next."""
    _ours.discard(path)


def forget_note(path: Path) -> None:
    """Remove what is noted of a part that has got its own name."""
    _ours.discard(path)
    with contextlib.suppress(OSError):
        _note_of(path).unlink()


def discard(path: Path) -> None:
    """Remove a private file."""
    with contextlib.suppress(OSError):
        path.unlink()
    forget_note(path)


class Proof(NamedTuple):
    """What is known of a part: enough to go on, or to begin anew.

    Attributes:
        validator: a strong entity tag of the content it is a part of; None without.
        digest: `sha256:…` or `md5:…` of the whole, as its keeper states it; None without.
        size: bytes proven.
        sha256: hex digest of these bytes.
    """

    validator: str | None
    digest: str | None
    size: int
    sha256: str


class Part:
    """A private file being filled.

    Attributes:
        path: where it is.
        size: bytes so far.
        validator: strong entity tag of what it is filled from; None without.
    """

    def __init__(self, folder: Path, file: RemoteFile) -> None:
        self._file = file
        self._key = _key_of(file.name)
        self._folder = folder
        self.path = private_path(folder, file.name, "part")
        self.validator: str | None = None
        self.size = 0
        self._noted = 0
        self._out: BinaryIO = open(self.path, "xb")  # noqa: SIM115  # closed by `close`
        self._digest = self._new_digest()

    def _new_digest(self) -> Digest:
        return Digest(md5=self._file.md5 is not None and self._file.sha256 is None)

    @property
    def provable(self) -> bool:
        """Whether what is appended can be shown to belong to what is there."""
        return self.size > 0 and (self.validator is not None or _digest_of(self._file) is not None)

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._out.write(data)
        self._digest.update(data)
        self.size += len(data)
        if self.size - self._noted >= _NOTE_EVERY:
            self.note()

    def restart(self) -> None:
        """Forget what is there."""
        self._out.seek(0)
        self._out.truncate()
        self.size = self._noted = 0
        self.validator = None
        self._digest.close()
        self._digest = self._new_digest()
        _note_of(self.path).unlink(missing_ok=True)

    def note(self) -> None:
        """Write down what is proven by now, for whoever goes on after a kill."""
        self._out.flush()
        proof = Proof(self.validator, _digest_of(self._file), self.size, self._digest.sha256())
        path = _note_of(self.path)
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(json.dumps(proof._asdict()))
        os.replace(temporary, path)
        self._noted = self.size

    def finish(self) -> tuple[str, str | None]:
        """Bring all bytes to disk; return their SHA-256 and, where it was wanted, their MD5."""
        self._out.flush()
        os.fsync(self._out.fileno())
        self.note()  # who is killed now has it all the same
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
        """Take over the proven bytes of the largest part that others left of the same content.

        Copied, never written to: its owner may be alive, whatever a lock or a process table
        of another machine says.
        """
        found = [
            (proof.size, other, proof)
            for other in self._folder.glob(f"{self._key}.*.part")
            if other != self.path and (proof := _proof_of(other)) and self._fits(proof)
        ]
        for size, other, proof in sorted(found, reverse=True, key=lambda one: one[0]):
            with contextlib.suppress(OSError):
                for block in _blocks(other, size):
                    self.write(block)
                if (self.size, self._digest.sha256()) == (size, proof.sha256):
                    self.validator = proof.validator
                    self.note()
                    break
            self.restart()
        if self.size:
            # Else every kill would leave one more copy of what is there so far.
            for _, other, _ in found:
                if _is_dead(other):
                    discard(other)

    def _fits(self, proof: Proof) -> bool:
        digest = _digest_of(self._file)
        if digest is not None and proof.digest is not None:
            return digest == proof.digest
        return proof.validator is not None


def sweep(folder: Path, *, finished: bool = False) -> None:
    """Remove parts that nobody will go on with: those of dead processes.

    Args:
        folder: where parts are.
        finished: all of them are of no more use; else only old ones go.
    """
    now = time.time()
    # A note may have lost its part.
    for path in [*folder.glob("*.part"), *folder.glob("*.tmp"), *folder.glob("*.part.json")]:
        with contextlib.suppress(OSError):
            old = now - path.stat().st_mtime > _ABANDONED
            if old or (finished and _is_dead(path)):
                discard(path)


def _is_dead(path: Path) -> bool:
    """Whether the process a part belongs to is known to be gone."""
    pieces = path.name.split(".")
    if path.name.endswith(".json"):
        return not path.with_suffix("").exists()
    if len(pieces) < 4 or pieces[1] != _host() or not pieces[2].isdigit():
        return False
    pid = int(pieces[2])
    if pid == os.getpid():
        return path not in _ours
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _digest_of(file: RemoteFile) -> str | None:
    if file.sha256 is not None:
        return f"sha256:{file.sha256}"
    return None if file.md5 is None else f"md5:{file.md5}"


def _proof_of(path: Path) -> Proof | None:
    try:
        document: Any = json.loads(_note_of(path).read_bytes())
        proof = Proof(**document)
    except (OSError, ValueError, TypeError):
        return None
    return proof if type(proof.size) is int and proof.size > 0 else None


def _blocks(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while size > 0 and (block := file.read(min(_BLOCK, size))):
            size -= len(block)
            yield block


def _note_of(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _key_of(name: str) -> str:
    return sha256(name.encode()).hexdigest()[:16]


def _host() -> str:
    return sha256(socket.gethostname().encode()).hexdigest()[:8]
