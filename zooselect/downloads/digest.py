"""Hashing beside the writing: on a thread of its own once a file is large."""

from __future__ import annotations

import hashlib
import threading
from queue import Queue
from typing import Any

#: Bytes from which a thread is worth its cost.
_LARGE = 8 << 20
_WAITING = 4  # chunks that wait to be hashed, at most


class Digest:
    """SHA-256 of what is fed to it, and MD5 where that is all a keeper states."""

    def __init__(self, *, md5: bool) -> None:
        self._hashes: list[Any] = [hashlib.sha256()]
        if md5:
            # To find transport errors, not enemies.
            self._hashes.append(hashlib.md5(usedforsecurity=False))
        self._fed = 0
        self._queues: list[Queue[bytes | None]] = []
        self._threads: list[threading.Thread] = []

    def update(self, data: bytes) -> None:
        """Feed some bytes."""
        self._fed += len(data)
        if not self._queues and self._fed > _LARGE:
            self._start()
        for queue in self._queues:
            queue.put(data)
        if not self._queues:
            for one in self._hashes:
                one.update(data)

    def sha256(self) -> str:
        """Return the digest of what was fed so far."""
        self._drain()
        return str(self._hashes[0].hexdigest())

    def md5(self) -> str | None:
        """Return the digest of what was fed so far; None where it was not asked for."""
        self._drain()
        return str(self._hashes[1].hexdigest()) if len(self._hashes) > 1 else None

    def close(self) -> None:
        """End the threads."""
        for queue in self._queues:
            queue.put(None)
        for thread in self._threads:
            thread.join()
        self._queues, self._threads = [], []

    def _start(self) -> None:
        for one in self._hashes:
            queue: Queue[bytes | None] = Queue(_WAITING)
            thread = threading.Thread(target=_hash, args=(queue, one), daemon=True)
            thread.start()
            self._queues.append(queue)
            self._threads.append(thread)

    def _drain(self) -> None:
        for queue in self._queues:
            queue.join()


def _hash(queue: Queue[bytes | None], into: Any) -> None:
    while (data := queue.get()) is not None:
        into.update(data)
        queue.task_done()
    queue.task_done()
