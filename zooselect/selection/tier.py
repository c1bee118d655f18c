"""The ladder of size classes under the knob, and its three tiers."""

from __future__ import annotations

from collections.abc import Sequence

from zooselect.level import LARGEST, MEDIUM, SMALLEST, TIERS
from zooselect.record import PRUNED_QUANTIZED
from zooselect.selection.scope import Candidate
from zooselect.selection.size_classes import SizeClass, size_classes


def ladder_classes(candidates: Sequence[Candidate], *, all_sizes: bool) -> tuple[SizeClass, ...]:
    """Return the classes the tiers are taken from, largest first.

    They are the classes that hold a pruned and quantized model, so that one network
    stays under the knob: first dense, then INT8, then sparse, and only then do smaller
    ones follow. All classes where no such model exists, or with `all_sizes`.
    """
    classes = size_classes(candidate.size.millions for candidate in candidates)
    if all_sizes:
        return classes
    sizes = {
        candidate.size.millions
        for candidate in candidates
        if candidate.record.optimization == PRUNED_QUANTIZED
    }
    held = tuple(one for one in classes if any(one.holds(size) for size in sizes))
    return held or classes


def tier_index(tier: str, count: int) -> int:
    """Return which of `count` (at least 1) classes, largest first, is a tier's."""
    return {LARGEST: 0, MEDIUM: (count - 1) // 2, SMALLEST: count - 1}[tier]


def tiers_of(index: int, count: int) -> tuple[str, ...]:
    """Return the tiers, none to all three, that the class at an index is."""
    return tuple(tier for tier in TIERS if tier_index(tier, count) == index)
