"""Whole processes: `zooselect resolve` and `import zooselect` against bare Python."""

from __future__ import annotations

import sys

from benchmarks.measure import interleaved

RUNS = 31
RESOLVE = [sys.executable, "-m", "zooselect", "resolve", "image-classification", "-l", "0.5"]


def main() -> None:
    commands = {
        "python -c pass (floor)": [sys.executable, "-c", "pass"],
        "python -c 'import zooselect'": [sys.executable, "-c", "import zooselect"],
        "python -c 'import click' (the CLI's library)": [sys.executable, "-c", "import click"],
        "zooselect resolve": RESOLVE,
        "zooselect resolve --json": [*RESOLVE, "--json"],
        "zooselect levels": [sys.executable, "-m", "zooselect", "levels", "question-answering"],
        "zooselect search (430 records)": [sys.executable, "-m", "zooselect", "search"],
    }
    medians = interleaved(list(commands.values()), RUNS)
    for name, seconds in zip(commands, medians, strict=True):
        print(f"{name:<46}{seconds * 1e3:8.1f} ms {seconds / medians[0]:7.2f} x")


if __name__ == "__main__":
    main()
