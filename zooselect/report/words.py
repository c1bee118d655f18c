"""The page's words: figures and explanations, as people read them."""

from __future__ import annotations

import re

from zooselect.api import LevelBand
from zooselect.catalog.provenance import Provenance
from zooselect.level import Band
from zooselect.record import OPTIMIZATIONS, ModelRecord
from zooselect.selection.selection import Selection
from zooselect.task import Task

#: Characters shown of a text that anyone may have written.
MOST = 300

_ABOUT = {
    "snapshot": "The catalog that ships inside zooselect: a reconstruction from public records"
    " (release tables, documentation, tests, model cards, benchmark submissions), not the"
    " vendor's data.",
    "file": "A catalog file of someone's own, taken as it is.",
    "mirror": "The models that one mirror keeps, as its own catalog describes them.",
}


def title(task: Task, dataset: str | None = None) -> str:
    """A task's name as a heading, with a data set that is not the task's own."""
    name = task.name.replace("_", " ").capitalize()
    return name if dataset is None else f"{name} ({dataset})"


def optimization(name: str) -> str:
    """An optimization's name, e.g. `pruned + quantized`."""
    return name.replace("_", " + ")


def metric(name: str | None) -> str | None:
    """A metric's name, e.g. `top1 accuracy`."""
    return None if name is None else name.replace("_", " ")


def size(millions: float) -> str:
    """A dense size, e.g. `25.56 million` parameters."""
    if millions < 1000:
        return f"{millions:.4g} million"
    return f"{millions / 1000:.3g} billion"


def on_disk(count: int | None) -> str | None:
    """A size on disk, e.g. `38.2 MB`."""
    if count is None:
        return None
    return f"{count / 1e6:.3g} MB" if count < 999.5e6 else f"{count / 1e9:.3g} GB"


def figure(value: float) -> str:
    """A quality, on a scale from 0 to 100."""
    return f"{value:.4g}"


def spoken(text: str, task: Task) -> str:
    """A text of the explanation, with the names of optimizations and the metric as words."""
    names = {name: optimization(name) for name in OPTIMIZATIONS}
    if task.metric is not None:
        names[task.metric] = metric(task.metric) or ""
    known = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return cut(re.sub(rf"(?<![\w/-])(?:{known})(?![\w/-])", lambda found: names[found[0]], text))


def cut(text: str) -> str:
    """A text of a catalog's, on one line and no longer than a page bears."""
    line = "".join(char if char.isprintable() else " " for char in text)
    return line if len(line) <= MOST else line[: MOST - 1] + "\u2026"


def interval(band: Band) -> str:
    """A band's levels in words, e.g. `from 0.25 to below 0.5`."""
    if band.lower == band.upper:
        return f"{band.lower:g}"
    start = "from" if band.lower_inclusive else "above"
    end = "to" if band.upper_inclusive else "to below" if band.lower_inclusive else "and below"
    return f"{start} {band.lower:g} {end} {band.upper:g}"


def asks(band: Band) -> str:
    """What a band of sparse transfer asks for, as a sentence."""
    point = band.lower == band.upper
    levels = f"Level {band.lower:g} asks" if point else f"Levels {interval(band)} ask"
    name = optimization(band.optimization or "")
    article = "the" if point else "a"
    return f"{levels} for {article} {name} model of the {band.tier} size."


def explanation(one: LevelBand, task: Task, dense: LevelBand) -> list[str]:
    """Why a band comes to its model, sentence by sentence; `dense` is the band of level 0."""
    selection = one.selection
    if selection is None or selection.model is None:
        return [asks(one.band), cut(f"Nothing can be picked: {one.reason}")]
    lines = [asks(one.band), f"This model is {spoken(selection.why or '', task)}."]
    notes = (spoken(note, task) for note in selection.notes)
    lines += [f"{note[:1].upper()}{note[1:]}." for note in notes]
    return [*lines, *_where(selection.model, task), *_against(dense, selection)]


def size_classes(one: LevelBand, *, others: bool = False) -> str:
    """The sizes the tiers were taken from, in words; empty without an answer.

    Args:
        one: a band.
        others: whether there are models of other sizes.
    """
    if one.selection is None:
        return ""
    parts = []
    for size_class in one.selection.size_classes:
        largest, smallest = size_class["largest_millions"], size_class["smallest_millions"]
        tiers = size_class["tiers"]
        assert isinstance(tiers, list)
        assert isinstance(largest, float)
        assert isinstance(smallest, float)
        span = size(largest) if largest == smallest else f"{size(smallest)} to {size(largest)}"
        parts.append(f"{span} ({', '.join(tiers)})" if tiers else span)
    told = f"Sizes a level chooses from: {'; '.join(parts)}."
    if others:
        told += " There are other sizes, none of them both pruned and quantized."
    return told


def about(provenance: Provenance) -> str:
    """What a catalog is."""
    return _ABOUT.get(provenance.source, "A catalog.")


def _against(dense: LevelBand, selection: Selection) -> list[str]:
    """The dense model of level 0 with its figures, beside another."""
    base = dense.selection
    if base is None or base.model is None or base.dense_millions is None:
        return []
    if base.stub == selection.stub:
        return []
    quality = "no quality on record" if base.quality is None else f"quality {figure(base.quality)}"
    return [
        f"For comparison, level 0: {base.model.network}, {size(base.dense_millions)} parameters,"
        f" {quality}."
    ]


def _where(record: ModelRecord, task: Task) -> list[str]:
    """Where the quality of a record stands."""
    believed = [one for one in record.results if one.metric == task.metric and not one.suspect]
    best = max(believed, key=lambda one: one.percent, default=None)
    if best is None:
        return []
    on = f" on {best.dataset}" if best.dataset else ""
    units = f" {best.units}" if best.units else ""
    source = f", stated in {best.source}" if best.source else ", no source named"
    return [cut(f"Quality: {metric(best.metric)} {best.value:g}{units}{on}{source}.")]
