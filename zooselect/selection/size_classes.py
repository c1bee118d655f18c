"""Size classes: sizes so near each other that they count as one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

#: A size joins a class while the class's largest is at most this many times it.
WIDTH = 1.10


class SizeClass(NamedTuple):
    """A run of dense sizes, in millions of parameters; both ends belong to it."""

    largest_millions: float
    smallest_millions: float

    def holds(self, millions: float) -> bool:
        """Whether a dense size belongs to the class."""
        return self.smallest_millions <= millions <= self.largest_millions

    def __str__(self) -> str:
        if self.largest_millions == self.smallest_millions:
            return f"{self.largest_millions:g} M"
        return f"{self.smallest_millions:g}-{self.largest_millions:g} M"


def size_classes(sizes: Iterable[float]) -> tuple[SizeClass, ...]:
    """Group dense sizes (millions of parameters) into classes, largest first."""
    classes: list[SizeClass] = []
    largest = smallest = None
    for size in sorted(set(sizes), reverse=True):
        if largest is not None and smallest is not None:
            if largest <= WIDTH * size:
                smallest = size
                continue
            classes.append(SizeClass(largest, smallest))
        largest = smallest = size
    if largest is not None and smallest is not None:
        classes.append(SizeClass(largest, smallest))
    return tuple(classes)
