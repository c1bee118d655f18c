"""Installed size of the default install, in a folder of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import ENVIRONMENT

REPOSITORY = Path(__file__).resolve().parent.parent


def installed(requirement: str) -> dict[str, int]:
    """Bytes on disk of each top-level entry that an install brings, byte code included."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check",
             "--target", folder, requirement],
            env=ENVIRONMENT, check=True,
        )  # fmt: skip
        return {
            entry.name: sum(one.stat().st_size for one in entry.rglob("*") if one.is_file())
            for entry in Path(folder).iterdir()
            if entry.is_dir()
        }


def main() -> None:
    sizes = installed(str(REPOSITORY))
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        print(f"{name:<40}{size / 1e6:8.2f} MB")
    print(f"{'in all':<40}{sum(sizes.values()) / 1e6:8.2f} MB")


if __name__ == "__main__":
    main()
