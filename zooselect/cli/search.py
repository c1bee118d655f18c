"""`zooselect search`: the catalog, filtered, sorted and a page at a time."""

from __future__ import annotations

import click

from zooselect.api import search
from zooselect.catalog.asked import Asked, Source
from zooselect.catalog.search import SORTS, Filters, Found
from zooselect.cli.options import Tone, catalog_options, task_argument, words
from zooselect.cli.output import SCHEMA, figure, millions, out, out_json, wrapped
from zooselect.cli.quantities import parameter_count
from zooselect.errors import NotFoundError, UsageError
from zooselect.record import CONFIDENCES, OPTIMIZATIONS
from zooselect.task import Task

#: What the old client called a page, `page_length` 20, and never sent.
_PAGE_LENGTH = 20


@click.command("search")
@task_argument(required=False)
@click.option("--stub", metavar="PATTERN", help="Stub; in all patterns * stands for anything.")
@click.option("--domain", metavar="PATTERN", help="cv, nlp, nlg.")
@click.option("--sub-domain", metavar="PATTERN", help="Such as classification.")
@click.option("--architecture", metavar="PATTERN", help="Such as resnet_v1-50 or yolov5*.")
@click.option("--sub-architecture", metavar="PATTERN", help="Such as 50.")
@click.option("--framework", metavar="PATTERN", help="Such as pytorch.")
@click.option("--repo", metavar="PATTERN", help="Such as torchvision.")
@click.option("--dataset", metavar="PATTERN", help="Such as imagenet.")
@click.option("--training-scheme", metavar="PATTERN", help="Such as augmented.")
@click.option("--sparse-tag", metavar="PATTERN", help="Such as pruned9*.")
@click.option(
    "--optimization",
    multiple=True,
    metavar="WORD",
    shell_complete=words(*OPTIMIZATIONS),
    help=", ".join(OPTIMIZATIONS) + ".",
)
@click.option(
    "--confidence",
    multiple=True,
    metavar="WORD",
    shell_complete=words(*CONFIDENCES),
    help=", ".join(CONFIDENCES) + ".",
)
@click.option("--min-sparsity", type=float, metavar="PERCENT", help="Least stated sparsity.")
@click.option("--min-size", metavar="COUNT", help="Least dense size in parameters: 5M, 1.3B.")
@click.option("--max-size", metavar="COUNT", help="Greatest dense size in parameters.")
@click.option("--quality-known", is_flag=True, help="With a figure on the task's metric.")
@click.option(
    "--sort",
    default="stub",
    show_default=True,
    metavar="KEY",
    shell_complete=words(*SORTS),
    help=", ".join(SORTS) + "; figures high to low.",
)
@click.option("--reverse", is_flag=True, help="Turn the order round.")
@click.option("--page", type=click.IntRange(min=1), help="Which page; all models without.")
@click.option(
    "--page-length",
    type=click.IntRange(min=1),
    help=f"Models a page [with --page: {_PAGE_LENGTH}].",
)
@catalog_options
def command(
    tone: Tone,
    source: Source,
    task: str | None,
    optimization: tuple[str, ...],
    confidence: tuple[str, ...],
    min_sparsity: float | None,
    min_size: str | None,
    max_size: str | None,
    quality_known: bool,
    sort: str,
    reverse: bool,
    page: int | None,
    page_length: int | None,
    **patterns: str | None,
) -> None:
    """List models, each once though it may stand under two names.

    With --quiet: the stubs alone, one a line.
    """
    filters = Filters(
        patterns={name: pattern for name, pattern in patterns.items() if pattern is not None},
        optimizations=optimization,
        confidences=confidence,
        min_sparsity=min_sparsity,
        min_millions=None if min_size is None else parameter_count(min_size),
        max_millions=None if max_size is None else parameter_count(max_size),
        quality_known=quality_known,
    )
    wanted = None if task is None else Task.parse(task)
    catalog = source.of(Asked() if wanted is None else Asked(wanted.domain, wanted.sub_domain))
    found = search(task, filters, catalog=catalog, sort=sort, reverse=reverse)
    if not found:
        raise NotFoundError(
            f"none of the {len(catalog)} models in the catalog matches",
            hint="take a filter away; patterns match whole fields unless they hold a *",
        )
    length = page_length or (_PAGE_LENGTH if page else len(found))
    number = page or 1
    pages = -(-len(found) // length)
    if number > pages:
        raise UsageError(f"there is no page {number}", hint=f"the last page is {pages}")
    shown = found[(number - 1) * length : number * length]
    if tone.as_json:
        out_json(
            {
                "schema": SCHEMA,
                "total": len(found),
                "page": number,
                "page_length": length,
                "pages": pages,
                "models": [one.to_dict() for one in shown],
                "provenance": catalog.provenance.to_dict(),
            }
        )
        return
    for one in shown:
        out("\n".join([one.record.stub] if tone.quiet else _lines(one)))
    if pages > 1:
        first = (number - 1) * length + 1
        more = f"; next: --page {number + 1}" if number < pages else ""
        tone.notes(f"{first} to {first + len(shown) - 1} of {len(found)} models{more}")


def _lines(one: Found) -> list[str]:
    record = one.record
    sparsity = "" if record.sparsity_percent is None else f" {record.sparsity_percent:g} %"
    facts = [
        record.optimization + sparsity,
        millions(None if one.size is None else one.size.millions),
        f"{one.metric} {figure(one.quality)}"
        if one.quality is not None
        else "no quality on record",
        f"confidence {record.confidence or 'not stated'}",
    ]
    lines = wrapped(record.stub, 0)
    for alias in one.aliases:
        lines += wrapped(f"also {alias}", 4)
    return [*lines, "    " + ", ".join(facts)]
