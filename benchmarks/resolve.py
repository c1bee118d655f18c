"""`resolve()` in process, at growing catalog sizes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.catalogs import write
from benchmarks.measure import median_call
from zooselect import Catalog, Selection, resolve
from zooselect.task import TASKS

LEVELS = (0.0, 0.1, 0.3, 0.5, 0.9)
TASK = "image_classification"


def _next_answer(catalog: Catalog, questions: Iterator[tuple[str, float]]) -> Selection:
    task, level = next(questions)
    return resolve(task, level, catalog=catalog)


def main() -> None:
    floor = median_call(lambda: sorted(range(100)), 2001)
    print(f"floor: sorting 100 numbers {floor * 1e6:.2f} us")
    print("records    load file    first question    next questions (median)       floor")
    with tempfile.TemporaryDirectory() as folder:
        for count in (430, 10_000, 100_000):
            path = Path(folder) / f"{count}.json"
            write(path, count)
            start = time.perf_counter()
            catalog = Catalog.from_file(path)
            load = time.perf_counter() - start
            start = time.perf_counter()
            resolve(TASK, 0.5, catalog=catalog)
            first = time.perf_counter() - start
            asked = [(task.name, level) for task in TASKS for level in LEVELS]
            for task, level in asked:
                resolve(task, level, catalog=catalog)
            median = median_call(partial(_next_answer, catalog, iter(asked * 1000)), 5000)
            print(
                f"{count:>7} {load:>10.3f} s {first * 1e3:>14.2f} ms {median * 1e6:>22.1f} us"
                f" {median / floor:>11.1f} x"
            )


if __name__ == "__main__":
    main()
