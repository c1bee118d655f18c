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

from bisect import bisect_right, insort_right
from collections.abc import Mapping
from operator import ge, itemgetter, neg
from typing import NamedTuple

#: The figures on record, turned so that more is better: quality, size, then the others.
_Vector = tuple[float, ...]


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
    if one.quality is None or _known(one) != _known(other):
        return False
    mine, its = _vector(one), _vector(other)
    return mine != its and _no_worse(mine, its)


def dominators(figures: Mapping[str, Figures]) -> dict[str, tuple[str, ...]]:
    """Return, for each row, the rows of the front that dominate it; none for the front itself.

    Args:
        figures: the rows' figures, by stub.
    """
    found: dict[str, tuple[str, ...]] = dict.fromkeys(figures, ())
    # Only rows with the same figures on record can meet.
    alike: dict[tuple[bool, ...], list[tuple[_Vector, str]]] = {}
    for stub, one in figures.items():
        if one.quality is not None:
            alike.setdefault(_known(one), []).append((_vector(one), stub))
    for group in alike.values():
        # A dominator is greater as a tuple: best quality first, it comes before, and one pass
        # against the front so far is enough. Of that, what is larger cannot dominate.
        group.sort(key=lambda row: (*map(neg, row[0]), row[1]))
        front: list[tuple[float, _Vector, str]] = []
        for vector, stub in group:
            size = -vector[1]
            no_larger = front[: bisect_right(front, size, key=itemgetter(0))]
            above = [
                other for _, its, other in no_larger if its != vector and _no_worse(its, vector)
            ]
            found[stub] = tuple(sorted(above))
            if not above:
                insort_right(front, (size, vector, stub), key=itemgetter(0))
    return found


def _known(one: Figures) -> tuple[bool, ...]:
    return tuple(value is not None for value in one.vector)


def _vector(one: Figures) -> _Vector:
    return tuple(value for value in one.vector if value is not None)


def _no_worse(one: _Vector, other: _Vector) -> bool:
    return all(map(ge, one, other))
