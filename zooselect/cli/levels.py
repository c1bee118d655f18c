"""`zooselect levels`: the whole axis from 0 to 1."""

from __future__ import annotations

from typing import Any

import click

from zooselect.api import LevelBand, levels
from zooselect.catalog.asked import Source
from zooselect.cli.options import (
    Tone,
    catalog_options,
    scope_options,
    task_argument,
)  # fmt: skip
from zooselect.cli.output import SCHEMA, figure, millions, out, out_json, table, wrapped
from zooselect.level import POLICY
from zooselect.selection.selection import Selection
from zooselect.task import Task


@click.command("levels")
@task_argument()
@scope_options
@catalog_options
def command(
    tone: Tone,
    source: Source,
    task: str,
    **options: Any,
) -> None:
    """Show each band of optim levels with its stub, size, optimization and quality.

    With --quiet: band and stub alone, a tab between them. A * marks a fallback.
    """
    axis = levels(task, catalog=source, **options)
    some = next(one.selection for one in axis if one.selection)
    metric = Task.parse(task).metric
    if tone.as_json:
        out_json(
            {
                "schema": SCHEMA,
                "policy": POLICY,
                "task": some.task,
                "dataset": some.dataset.to_dict() if some.dataset else None,
                "metric": metric,
                "bands": [_band(one) for one in axis],
                "size_classes": list(some.size_classes),
                "provenance": None if some.provenance is None else some.provenance.to_dict(),
            }
        )
        return
    if tone.quiet:
        for one in axis:
            out(f"{one.band}\t{one.selection.stub if one.selection else ''}")
        return
    head = ("level", "tier", "size", "optimization", metric or "quality")
    rows = table([head, *(_row(one) for one in axis)], right=(2, 4))
    out(rows[0])
    for one, row in zip(axis, rows[1:], strict=True):
        out(row)
        stub = one.selection.stub if one.selection else None
        out("\n".join(wrapped(stub or f"none: {one.reason}", 2)))
    for note, bands in _notes(axis).items():
        tone.notes(f"{', '.join(bands)}: {note}" if len(bands) < len(axis) else note)


def _notes(axis: tuple[LevelBand, ...]) -> dict[str, list[str]]:
    """Each note once, with the bands it holds for."""
    notes: dict[str, list[str]] = {}
    for one in axis:
        for note in one.selection.notes if one.selection else ():
            notes.setdefault(note, []).append(str(one.band))
    return notes


def _band(one: LevelBand) -> dict[str, object]:
    selection: Selection | None = one.selection
    answer: dict[str, object] = {"band": one.band.to_dict()}
    if selection is None or selection.model is None:
        return {**answer, "stub": None, "reason": one.reason}
    return {
        **answer,
        "stub": selection.stub,
        "exact": selection.exact,
        "fallback": None if selection.fallback is None else selection.fallback.to_dict(),
        "optimization": selection.model.optimization,
        "sparsity_percent": selection.model.sparsity_percent,
        "dense_millions": selection.dense_millions,
        "quality": selection.quality,
    }


def _row(one: LevelBand) -> tuple[str, ...]:
    selection = one.selection
    if selection is None or selection.model is None:
        return (str(one.band), one.band.tier or "", "-", "-", "-")
    return (
        str(one.band),
        one.band.tier or "",
        millions(selection.dense_millions),
        selection.model.optimization + ("" if selection.exact else " *"),
        figure(selection.quality),
    )
