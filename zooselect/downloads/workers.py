"""Several files at a time; the first error, and Ctrl-C, stop them all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue

from zooselect.downloads.fetch import Fetched, Fetcher
from zooselect.downloads.listing import Wanted
from zooselect.downloads.private import release

_LOOK_EVERY = 0.2
#: Seconds the others have to write down how far they are.
_LAST_WORDS = 1.0


def fetch_all(
    fetcher: Fetcher,
    files: Sequence[Wanted],
    jobs: int,
    stop: threading.Event,
    tick: Callable[[], None],
) -> dict[str, Fetched]:
    """Fetch files, so many at a time; return them by name.

    Args:
        fetcher: fetches one.
        files: what to fetch.
        jobs: how many at a time.
        stop: set when no more is to be fetched.
        tick: called several times a second, from here.

    Raises:
        ZooSelectError: the first error of any; the others have been stopped.
        BaseException: what a progress callback raises.
    """
    done: dict[str, Fetched] = {}
    try:
        _fetch_all(fetcher, files, jobs, stop, tick, done)
    except BaseException:
        for fetched in done.values():
            release(fetched.path)
        raise
    return done


def _fetch_all(
    fetcher: Fetcher,
    files: Sequence[Wanted],
    jobs: int,
    stop: threading.Event,
    tick: Callable[[], None],
    done: dict[str, Fetched],
) -> None:
    errors: list[BaseException] = []
    # The largest first: the last to end is then a small one.
    waiting = sorted(files, key=lambda one: -(one.file.size or 0))
    lock = threading.Lock()

    def work() -> None:
        while not stop.is_set():
            with lock:
                if not waiting:
                    return
                file = waiting.pop(0).file
            try:
                done[file.name] = fetcher.fetch(file)
            except BaseException as error:
                errors.append(error)
                stop.set()  # the first in line looks after the others

    over: SimpleQueue[None] = SimpleQueue()

    def worker() -> None:
        try:
            work()
        finally:
            over.put(None)

    threads = [threading.Thread(target=worker, daemon=True) for _ in range(min(jobs, len(files)))]
    for thread in threads:
        thread.start()
    # Not by `join`: an interrupted one takes a thread for ended that is not (Python to 3.12).
    left = len(threads)
    try:
        while left and not errors:
            tick()
            with suppress(Empty):
                over.get(timeout=_LOOK_EVERY)
                left -= 1
    finally:
        fetcher.stop()
        # Those that wait before asking again are not waited for: they wrote it down before.
        end = time.monotonic() + _LAST_WORDS
        while left and (rest := end - time.monotonic()) > 0:
            with suppress(Empty):
                over.get(timeout=rest)
                left -= 1
    if errors:
        raise errors[0]
