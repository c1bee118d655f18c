"""Run every benchmark in turn: `make bench`."""

from __future__ import annotations

from benchmarks import download, live, peer, resolve, scan, serve, size, start
from benchmarks.measure import machine


def main() -> None:
    print(f"machine: {machine()}")
    for module in (start, resolve, scan, size, peer, live, download, serve):
        print(f"\n## {module.__name__.removeprefix('benchmarks.')}: {module.__doc__}")
        module.main()


if __name__ == "__main__":
    main()
