"""Progress bars of downloads, on terminals."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from zooselect.cli.options import Tone
from zooselect.downloads.progress import Progress, Silence

#: Columns for what a bar says beside a name.
_FIGURES = 55


@contextmanager
def watching(tone: Tone, title: str) -> Iterator[Progress]:
    """Give what shows a download's progress: bars where stderr is a terminal, else nothing."""
    if tone.quiet or tone.as_json or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield Silence()
        return
    bars = _Bars(title)
    try:
        yield bars
    finally:
        bars.close()


class _Bars:
    """A bar for all, and one a file below it, each with its rate and the time left."""

    def __init__(self, title: str) -> None:
        # Imported here: it costs about 70 ms, which nobody without a terminal should pay.
        from tqdm import tqdm

        self._new: Any = tqdm
        self._title = title
        self._columns, self._rows = _terminal()
        self._all: Any = None
        self._of: dict[str, Any] = {}
        self._files = 0
        self._sizes: dict[str, int] = {}
        self._places: set[int] = set()
        self._lock = threading.Lock()

    def plan(self, files: int, size: int | None) -> None:
        """See `Progress`."""
        with self._lock:
            self._files = files
            if files and self._all is None:
                self._all = self._bar(self._title.rpartition("/")[2], size, 0)

    def start(self, name: str, size: int | None, done: int) -> None:
        """See `Progress`."""
        with self._lock:
            bar = self._of.get(name)
            if bar is None:
                place = next(one for one in range(1, 100) if one not in self._places)
                self._places.add(place)
                bar = self._of[name] = self._bar(f"  {name}", size, place)
            if size is not None:
                bar.total = self._sizes[name] = size
            if self._all is not None:
                if self._all.total is None and len(self._sizes) == self._files:
                    self._all.total = sum(self._sizes.values())
                self._all.update(done - bar.n)
            bar.n = done
            bar.refresh()

    def advance(self, name: str, size: int) -> None:
        """See `Progress`."""
        with self._lock:
            self._of[name].update(size)
            if self._all is not None:
                self._all.update(size)

    def finish(self, name: str) -> None:
        """See `Progress`."""
        with self._lock:
            bar = self._of.pop(name)
            self._places.discard(-bar.pos)
            bar.close()

    def tick(self) -> None:
        """See `Progress`."""

    def close(self) -> None:
        """Clear the bars away."""
        with self._lock:
            for bar in (*self._of.values(), *([self._all] if self._all is not None else [])):
                bar.close()

    def _bar(self, title: str, size: int | None, place: int) -> Any:
        # What a bar says of rate and time left is worth more than all of a name.
        most = max(10, self._columns - _FIGURES)
        shown = title if len(title) <= most else f"{title[: most - 1]}…"
        return self._new(
            desc=shown, total=size, position=place, unit="B", unit_scale=True, unit_divisor=1000,
            file=sys.stderr, leave=False, ncols=self._columns, nrows=self._rows, miniters=1,
            mininterval=0.1,
        )  # fmt: skip


def _terminal() -> os.terminal_size:
    """The terminal's size; one that does not tell it has what terminals always had."""
    try:
        columns, rows = os.get_terminal_size(sys.stderr.fileno())
    except OSError:
        columns, rows = 0, 0
    return os.terminal_size((columns or 80, rows or 24))
