"""Throughput figures: what was measured, under which conditions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

from zooselect.record import ModelRecord

#: What must agree before two figures are compared, in the order it is told.
_CONDITIONS = (
    "units", "engine", "device", "cores", "batch_size", "sequence_length", "scenario", "input",
)  # fmt: skip
_NAMED = {"cores": "cores", "batch_size": "batch", "sequence_length": "sequence"}

#: Without one of these, figures are only alike within the source that printed them.
_ESSENTIAL = ("device", "cores", "batch_size")
_SOURCE = "as in "


def throughputs(records: Iterable[ModelRecord]) -> dict[str, float]:
    """Return the throughputs on record of one model: the best figure of each condition.

    A condition is a text: units, engine, device, cores, batch size and whatever else the
    source states. Where it does not state device, cores or batch size, the source is part
    of the condition, for it may be presumed to have kept them alike and no other has.
    Figures are more is better: items, samples or tokens a second.
    """
    best: dict[str, float] = {}
    for record in records:
        items = record.raw.get("throughput")
        for item in items if isinstance(items, list) else ():
            if not isinstance(item, Mapping):
                continue
            value = item.get("value")
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                continue
            if not (math.isfinite(value) and value > 0):
                continue
            condition = _condition(item)
            best[condition] = max(float(value), best.get(condition, 0.0))
    return best


def commonest(of_rows: Iterable[Mapping[str, float]], wanted: str | None = None) -> str | None:
    """Return the condition most models have a figure under; None where no two have.

    A figure that one model alone has compares nothing. Of conditions equally common, those
    that name their machine come first.

    Args:
        of_rows: the throughputs of each model.
        wanted: take only conditions that hold this text, letter case alike; then one model
            is enough.
    """
    counts = Counter(
        condition
        for row in of_rows
        for condition in row
        if wanted is None or wanted.lower() in condition.lower()
    )
    shared = [one for one in counts if counts[one] > 1 or wanted is not None]
    return min(shared, key=lambda one: (-counts[one], _SOURCE in one, one), default=None)


def _condition(item: Mapping[str, object]) -> str:
    stated = [(key, item[key]) for key in _CONDITIONS if item.get(key) is not None]
    words = [f"{_NAMED[key]} {value}" if key in _NAMED else str(value) for key, value in stated]
    if any(item.get(key) is None for key in _ESSENTIAL):
        words.append(f"{_SOURCE}{item.get('source') or 'a source not named'}")
    return ", ".join(" ".join(word.split()) for word in words)
