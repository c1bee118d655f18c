"""Several files at a time; the first error, and Ctrl-C, stop them all."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from zooselect.downloads.fetch import Fetched, Fetcher
from zooselect.downloads.listing import Wanted

_LOOK_EVERY = 0.2
#: Seconds the others have to write down how far they are.
_LAST_WORDS = 1.0


def fetch_all(
    fetcher: Fetcher, files: Sequence[Wanted], jobs: int, stop: threading.Event
) -> dict[str, Fetched]:
    """Fetch files, so many at a time; return them by name.

    Raises:
        ZooSelectError: the first error of any; the others have been stopped.
        BaseException: what a progress callback raises.
    """
    if len(files) <= 1 or jobs == 1:
        return {one.file.name: fetcher.fetch(one.file) for one in files}
    done: dict[str, Fetched] = {}
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
                stop.set()

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(jobs, len(files)))]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            while thread.is_alive() and not errors:
                thread.join(_LOOK_EVERY)
    finally:
        stop.set()
        # Those that wait for a server are not waited for: their parts are notes enough.
        for thread in threads:
            thread.join(_LAST_WORDS)
    if errors:
        raise errors[0]
    return done
