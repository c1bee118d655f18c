"""`zooselect compare`: the models in scope side by side, and which are worth having."""

from __future__ import annotations

from typing import Any

import click

from zooselect.catalog.asked import Asked, Source
from zooselect.cli.options import Tone, catalog_options, scope_options, task_argument, words
from zooselect.cli.output import (
    SCHEMA,
    figure,
    millions,
    one_line,
    out,
    out_json,
    table,
    width,
    wrapped,
)
from zooselect.cli.quantities import byte_count, fraction, parameter_count
from zooselect.compare.chart import Chart, chart_of
from zooselect.compare.comparison import Comparison, compare
from zooselect.compare.limits import OBJECTIVES, Limits
from zooselect.compare.row import Row
from zooselect.errors import UsageError
from zooselect.selection.question import Question
from zooselect.task import Task

_FORMATS = ("text", "csv")
_NONE = "n/a"


@click.command("compare")
@task_argument()
@click.option("--max-parameters", metavar="COUNT", help="Greatest dense size: 25.6M, 1.3B.")
@click.option("--max-size", "max_bytes", metavar="BYTES", help="Greatest size on disk: 50MB.")
@click.option(
    "--min-quality", type=float, metavar="FIGURE", help="Least quality, on the scale 0 to 100."
)
@click.option(
    "--min-recovery",
    metavar="FRACTION",
    help="Least quality relative to the same network's base model: 0.99 or 99%.",
)
@click.option(
    "--keep-unknown", is_flag=True, help="Keep models whose figure for a limit is not on record."
)
@click.option(
    "--objective",
    metavar="WORD",
    shell_complete=words(*OBJECTIVES),
    help="Best first by " + ", ".join(OBJECTIVES) + " [default: as optim levels go].",
)
@click.option("--metric", metavar="NAME", help="Compare on this metric, not the task's.")
@click.option(
    "--throughput-on", metavar="TEXT", help="Throughput under conditions that hold this text."
)
@click.option("--front", is_flag=True, help="Only models on the Pareto front.")
@click.option("--plot", type=click.Path(), metavar="FILE", help="Draw it: FILE.svg or FILE.png.")
@click.option(
    "--format",
    "form",
    default=_FORMATS[0],
    show_default=True,
    metavar="FORMAT",
    shell_complete=words(*_FORMATS),
    help=", ".join(_FORMATS),
)
@scope_options
@catalog_options
def command(
    tone: Tone,
    source: Source,
    task: str,
    max_parameters: str | None,
    max_bytes: str | None,
    min_quality: float | None,
    min_recovery: str | None,
    keep_unknown: bool,
    objective: str | None,
    metric: str | None,
    throughput_on: str | None,
    front: bool,
    plot: str | None,
    form: str,
    **scope: Any,
) -> None:
    """Compare the models for TASK on size, sparsity, quality, bytes and throughput.

    Models on the Pareto front are marked *, models that are not compared ?: their quality is
    not on record, or on another data set. With --quiet: the stubs alone.
    """
    if form not in _FORMATS:
        raise UsageError(f"unknown format {form!r}", hint="formats: " + ", ".join(_FORMATS))
    if tone.as_json and form != _FORMATS[0]:
        raise UsageError(f"--json and --format {form} both want stdout", hint="give one of them")
    limits = Limits(
        None if max_parameters is None else parameter_count(max_parameters),
        None if max_bytes is None else byte_count(max_bytes),
        min_quality,
        None if min_recovery is None else fraction(min_recovery),
        keep_unknown,
    )
    question = Question(Task.parse(task), **scope)
    catalog = source.of(Asked(question.task.domain, question.task.sub_domain))
    found = compare(
        catalog, question, limits,
        objective=objective, metric=metric, throughput_on=throughput_on,
    )  # fmt: skip
    shown = list(found.front if front else found.rows)
    chart = chart_of(found, shown)
    if plot is not None:
        _draw(chart, plot)
    if tone.as_json:
        document = {"schema": SCHEMA, **found.to_dict()}
        document["models"] = [row.to_dict() for row in shown]
        out_json(document)
    elif form == "csv":
        out(_csv(found, shown).rstrip("\n"))
    elif tone.quiet:
        out("\n".join(row.stub for row in shown))
    else:
        out("\n".join([*_table(found, shown), "", *_scatter(chart)]))
    tone.notes(*_notes(found))


def _draw(chart: Chart, path: str) -> None:
    from zooselect.compare.drawing import draw
    from zooselect.files import write_whole

    if path.lower().endswith(".svg"):
        from zooselect.compare.svg import svg

        write_whole(path, svg(draw(chart), chart.title))
    elif path.lower().endswith(".png"):
        from zooselect.compare.png import png

        write_whole(path, png(draw(chart)))
    else:
        raise UsageError(f"cannot draw {path!r}", hint="name a .svg or .png file")


_COLUMNS = (
    "stub", "aliases", "optimization", "dense_millions", "dense_basis", "sparsity_percent",
    "metric", "metric_dataset", "quality", "recovery", "compressed_size_bytes",
    "onnx_size_bytes", "throughput", "throughput_conditions", "confidence", "compared",
    "on_front", "dominated_by", "picked_at",
)  # fmt: skip


def _csv(found: Comparison, rows: list[Row]) -> str:
    import csv
    from io import StringIO

    text = StringIO()
    writer = csv.DictWriter(text, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        facts = {
            **row.to_dict(),
            "metric": found.metric if row.compared else None,
            "metric_dataset": found.metric_dataset if row.compared else None,
            "throughput_conditions": None if row.throughput is None else found.conditions,
            "confidence": row.record.confidence,
        }
        writer.writerow({name: _cell(facts[name]) for name in _COLUMNS})
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return " ".join(map(str, value)) if isinstance(value, list) else value


def _table(found: Comparison, rows: list[Row]) -> list[str]:
    head = ("", "size", "optimization", "sparsity", "quality", "recovery", "bytes", "per sec")
    numbers = {row.stub: str(number) for number, row in enumerate(found.rows, 1)}
    cells = [
        (
            numbers[row.stub] + _mark(row),
            millions(row.size.millions),
            row.record.optimization,
            _NONE if row.sparsity_percent is None else f"{row.sparsity_percent:g} %",
            _known(row.quality),
            _NONE if row.recovery is None else f"{row.recovery:.3f}",
            _size(row.compressed_bytes),
            _known(row.throughput),
        )
        for row in rows
    ]
    lines = table([head, *cells], right=(0, 1, 3, 4, 5, 6, 7))
    indent = len(lines[0]) - len(lines[0].lstrip())
    told = [lines[0]]
    for row, line in zip(rows, lines[1:], strict=True):
        told += [line, *wrapped(row.stub, min(indent, 6))]
        facts = []
        if row.bands:
            facts.append("pick at " + ", ".join(map(str, row.bands)))
        if row.elsewhere:
            facts.append("quality on another data set: " + ", ".join(sorted(row.qualities)))
        if row.dominated_by:
            above = sorted((numbers[stub] for stub in row.dominated_by), key=int)
            facts.append("dominated by " + ", ".join(above))
        told += wrapped("; ".join(facts), min(indent, 6)) if facts else []
    return told


def _mark(row: Row) -> str:
    if not row.compared:
        return "?"
    return "*" if row.on_front else " "


def _known(value: float | None) -> str:
    return _NONE if value is None else figure(value)


def _size(count: int | None) -> str:
    if count is None:
        return _NONE
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} B"


def _scatter(chart: Chart) -> list[str]:
    from zooselect.compare.drawing import told
    from zooselect.compare.scatter import scatter, signs

    legend = [
        f"{pick.mark}  level {pick.band + ':':<14}{told(pick.stub, pick.row)}"
        for pick in chart.picks
    ]
    wrapped_legend = [piece for line in legend for piece in _hung(line)]
    return [*scatter(chart, width()), *wrapped(signs(chart), 0), *wrapped_legend]


def _hung(line: str) -> list[str]:
    """A line of the legend; a stub too long for it goes below."""
    if len(line) <= width():
        return [line]
    head, _, stub = line.partition("zoo:")
    return [head.rstrip(), *wrapped("zoo:" + stub, 3)]


def _notes(found: Comparison) -> list[str]:
    notes = []
    if found.metric_dataset is not None:
        notes.append(f"quality: {found.metric} on {found.metric_dataset}")
    elif found.metric is None:
        notes.append("quality: the task has no metric; --metric names one")
    else:
        notes.append(f"quality: no {found.metric} on record; nothing is compared")
    if found.conditions is None:
        notes.append("per sec: no two models were measured under the same conditions")
    else:
        notes.append(f"per sec: {one_line(found.conditions)}")
    for stub in found.elsewhere:
        notes.append(f"not compared, its quality is on another data set: {stub}")
    if found.left_out:
        unknown = sum(reason.endswith("not on record") for _, reason in found.left_out)
        more = f", {unknown} of them for want of a figure (--keep-unknown)" if unknown else ""
        notes.append(f"left out by a limit: {len(found.left_out)}{more}")
    if found.objective is not None and found.best is None:
        notes.append(f"no {found.objective} is on record: the order says nothing")
    return notes
