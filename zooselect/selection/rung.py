"""The rung: which optimization of a size class answers, and what stands in for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from zooselect.record import BASE, PRUNED, PRUNED_QUANTIZED, QUANTIZED
from zooselect.selection.scope import Candidate
from zooselect.selection.size_classes import SizeClass

#: What stands in, in this order, where the class has not what is wanted. Base has no
#: stand-in of its own class: a base model of another size is nearer to what is meant.
STAND_INS: Mapping[str, tuple[str, ...]] = {
    QUANTIZED: (PRUNED_QUANTIZED, BASE, PRUNED),
    PRUNED_QUANTIZED: (PRUNED, QUANTIZED, BASE),
    BASE: (),
}


class Fallback(NamedTuple):
    """What was taken in place of what was wanted: optimizations, and why."""

    wanted: str
    got: str
    reason: str

    def to_dict(self) -> dict[str, object]:
        """The fallback as it stands in JSON output."""
        return {"wanted": self.wanted, "got": self.got, "reason": self.reason}


class Rung(NamedTuple):
    """The models that answer, before the best of them is chosen.

    Attributes:
        candidates: at least one, of one optimization.
        fallback: set when they are not what was wanted.
        least_sparse_first: the level wants no pruning, and nothing unpruned is INT8: the
            models nearest to dense come first.
    """

    candidates: tuple[Candidate, ...]
    fallback: Fallback | None = None

    @property
    def least_sparse_first(self) -> bool:
        """Whether a pruned model stands in for an unpruned one, so that less is better."""
        fallback = self.fallback
        return fallback is not None and (fallback.wanted, fallback.got) == (
            QUANTIZED,
            PRUNED_QUANTIZED,
        )


def find_rung(candidates: Sequence[Candidate], size_class: SizeClass, wanted: str) -> Rung | None:
    """Return the rung of a size class for an optimization, by fallback if need be.

    None when nothing may stand in.
    """
    in_class = [one for one in candidates if size_class.holds(one.size.millions)]
    exact = _of(in_class, wanted)
    if exact:
        return Rung(exact)
    for got in STAND_INS[wanted]:
        found = _of(in_class, got)
        if found:
            reason = f"no {wanted} model in the size class {size_class}"
            return Rung(found, Fallback(wanted, got, reason))
    return _base_of_another_size(candidates, size_class) if wanted == BASE else None


def _base_of_another_size(candidates: Sequence[Candidate], size_class: SizeClass) -> Rung | None:
    """The base models of the nearest size above a class, else of the largest below."""
    bases = _of(candidates, BASE)
    above = [one.size.millions for one in bases if one.size.millions > size_class.largest_millions]
    below = [one.size.millions for one in bases if one.size.millions < size_class.smallest_millions]
    if not above and not below:
        return None
    size, where = (min(above), "nearest above") if above else (max(below), "largest below")
    reason = f"no base model in the size class {size_class}; the {where} has {size:g} M"
    found = tuple(one for one in bases if one.size.millions == size)
    return Rung(found, Fallback(BASE, BASE, reason))


def _of(candidates: Sequence[Candidate], optimization: str) -> tuple[Candidate, ...]:
    return tuple(one for one in candidates if one.record.optimization == optimization)
