"""The Pareto front: which models no other is better than in everything.

One row dominates another when both have a quality on record, the same figures are on
record of both, none is worse and at least one is better. So an unknown figure never
dominates and is never dominated: a model without a quality is not compared at all (less
is always smaller; without the quality that costs, the comparison would say nothing), and
a figure that one of two has and the other lacks keeps them apart.

This is a strict partial order: figures alike in kind are compared as vectors, all others
not. Hence the front is never empty, every dominated row is dominated by a row of the
front, and taking dominated rows away leaves the front as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Figures(NamedTuple):
    """What of a model is compared; None for what is not on record.

    Attributes:
        dense_millions: dense size, in millions of parameters; less is better.
        int8: whether weights and activations are INT8, which is lighter than float.
        sparsity_percent: share of zero weights, 0 to 100; more is lighter.
        quality: on one metric and data set; more is better.
        size_bytes: compressed size; less is better.
        throughput: under one condition; more is better.
    """

    dense_millions: float
    int8: bool
    sparsity_percent: float | None
    quality: float | None
    size_bytes: int | None
    throughput: float | None

    @property
    def vector(self) -> tuple[float | None, ...]:
        """The figures turned so that more is better."""
        return (
            self.quality,
            -self.dense_millions,
            float(self.int8),
            self.sparsity_percent,
            None if self.size_bytes is None else -self.size_bytes,
            self.throughput,
        )


def dominates(one: Figures, other: Figures) -> bool:
    """Whether one model is as good as another in everything, and better in something."""
    if one.quality is None or other.quality is None:
        return False
    pairs = list(zip(one.vector, other.vector, strict=True))
    if any((mine is None) != (its is None) for mine, its in pairs):
        return False
    known = [(mine, its) for mine, its in pairs if mine is not None and its is not None]
    return all(mine >= its for mine, its in known) and any(mine > its for mine, its in known)


def dominators(figures: Mapping[str, Figures]) -> dict[str, tuple[str, ...]]:
    """Return, for each row, the rows of the front that dominate it; none for the front itself.

    Args:
        figures: the rows' figures, by stub.
    """
    # Only rows with the same figures on record can meet; there, a dominator is greater as
    # a tuple and so comes first, and one pass against the front so far is enough.
    alike: dict[tuple[bool, ...], list[str]] = {}
    for stub, one in figures.items():
        alike.setdefault(tuple(value is None for value in one.vector), []).append(stub)
    found: dict[str, tuple[str, ...]] = {}
    for group in alike.values():
        group.sort(key=lambda stub: (_descending(figures[stub]), stub))
        front: list[str] = []
        for stub in group:
            above = _above(figures, front, stub)
            if not above:
                front.append(stub)
            found[stub] = above
    return {stub: found[stub] for stub in figures}


def _above(figures: Mapping[str, Figures], front: Sequence[str], stub: str) -> tuple[str, ...]:
    return tuple(sorted(one for one in front if dominates(figures[one], figures[stub])))


def _descending(one: Figures) -> tuple[float, ...]:
    return tuple(-value for value in one.vector if value is not None)
