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


@contextmanager
def watching(tone: Tone, title: str) -> Iterator[Progress]:
    """Give what shows a download's progress: bars where stderr is a terminal, else nothing."""
    if tone.quiet or tone.as_json or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield Silence()
        return
    # Imported here: it costs about 60 ms, which nobody without a terminal should pay.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as Bars

    console = Console(stderr=True, highlight=False, no_color=bool(os.environ.get("NO_COLOR")))
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        yield _Shown(bars, title)


class _Shown:
    """A bar a file, and one for all."""

    def __init__(self, bars: Any, title: str) -> None:
        self._bars = bars
        self._all = bars.add_task(title, total=None)
        self._of: dict[str, Any] = {}
        self._done: dict[str, int] = {}
        self._lock = threading.Lock()

    def plan(self, files: int, size: int | None) -> None:
        """See `Progress`."""
        self._bars.update(self._all, total=size)

    def start(self, name: str, size: int | None, done: int) -> None:
        """See `Progress`."""
        with self._lock:
            if name not in self._of:
                self._of[name] = self._bars.add_task(f"  {name}", total=size)
            self._bars.update(self._of[name], completed=done)
            self._bars.advance(self._all, done - self._done.get(name, 0))
            self._done[name] = done

    def advance(self, name: str, size: int) -> None:
        """See `Progress`."""
        with self._lock:
            self._bars.advance(self._of[name], size)
            self._bars.advance(self._all, size)
            self._done[name] += size

    def finish(self, name: str) -> None:
        """See `Progress`."""
        with self._lock:
            self._bars.remove_task(self._of.pop(name))
