"""`zooselect scan` of 10,000 files against reading them with bare Python, and `grep -r`."""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import interleaved
from zooselect import Catalog

FILES = 10_000
RUNS = 5

_READ = """
import os, sys
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        with open(os.path.join(folder, name), "rb") as file:
            file.read()
"""
_GREP = ["grep", "-rnE", "zoo:[A-Za-z0-9_./-]+"]


def write(folder: Path, count: int, seed: int = 1) -> int:
    """Write a tree of source files, 100 a folder, 5 KB on average; return how many stubs it has.

    Every tenth file has a stub, every hundredth folder a `.gitignore` of ten lines.
    """
    choice = random.Random(seed)
    stubs = [record.stub for record in Catalog.embedded()]
    words = [f"name_{number}" for number in range(2000)] + ["state-of-the-art", "a/b", "x = (1, 2)"]
    found = 0
    for number in range(count):
        home = folder / f"part{number // 1000}" / f"sub{number // 100}"
        if number % 100 == 0:
            home.mkdir(parents=True)
        lines = [" ".join(choice.choices(words, k=7)) for _ in range(choice.randrange(160))]
        if number % 10 == 0:
            lines.append(f'model = Model("{choice.choice(stubs)}")')
            found += 1
        (home / f"file{number}.py").write_text("\n".join(lines))
    ignore = "\n".join(["*.log", "build/", "/dist", "!keep.log", "*.py[co]", "**/tmp", "a/**/b"])
    (folder / ".gitignore").write_text(ignore)
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stubs = write(folder, FILES)
        size = sum(path.stat().st_size for path in folder.rglob("*.py"))
        print(f"{FILES} files, {size / 1e6:.1f} MB, {stubs} stubs")
        commands = {
            "os.walk and read, bare Python (floor)": [sys.executable, "-c", _READ, name],
            "zooselect scan": [sys.executable, "-m", "zooselect", "scan", name],
            "zooselect scan --json": [sys.executable, "-m", "zooselect", "scan", name, "--json"],
        }
        if shutil.which("grep"):
            commands["grep -rnE zoo:…"] = [*_GREP, name]
        medians = interleaved(list(commands.values()), RUNS)
        for told, seconds in zip(commands, medians, strict=True):
            print(f"{told:<40}{seconds * 1e3:8.0f} ms {seconds / medians[0]:7.2f} x")


if __name__ == "__main__":
    main()
