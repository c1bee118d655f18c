"""How the benchmarks measure: interleaved runs, medians, ratios to a floor of the same run."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

#: Processes are measured as users run them: with byte code on disk, colours and caches off.
ENVIRONMENT = {
    key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"
} | {"NM_DISABLE_ANALYTICS": "1"}


def wall(command: Sequence[str]) -> float:
    """Seconds one run of a command takes.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    start = time.perf_counter()
    silent = subprocess.DEVNULL
    subprocess.run(command, env=ENVIRONMENT, stdout=silent, stderr=silent, check=True)
    return time.perf_counter() - start


def interleaved(commands: Sequence[Sequence[str]], runs: int) -> list[float]:
    """Median seconds of each command, taken in turns so that all meet the same weather."""
    for command in commands:
        wall(command)  # the first run warms the disk cache
    times: list[list[float]] = [[] for _ in commands]
    for _ in range(runs):
        for command, taken in zip(commands, times, strict=True):
            taken.append(wall(command))
    return [statistics.median(taken) for taken in times]


def median_call(call: Callable[[], object], runs: int) -> float:
    """Median seconds of a call in this process."""
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def machine() -> str:
    """The machine and Python the figures hold for."""
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()},"
        f" Python {sys.version.split()[0]}"
    )
