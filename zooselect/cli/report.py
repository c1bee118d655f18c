"""`zooselect report`: a page to look at, for people who never heard of sparsity."""

from __future__ import annotations

import sys

import click

from zooselect.catalog.asked import Asked, Source
from zooselect.cli.options import Tone, catalog_options, complete_task
from zooselect.cli.output import SCHEMA, err, out_json
from zooselect.errors import NoCandidateError, UsageError
from zooselect.task import Task


@click.command("report")
@click.argument("tasks", metavar="[TASK]...", nargs=-1, shell_complete=complete_task)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(allow_dash=True),
    metavar="FILE",
    help="Where to write the page: FILE.html; - for stdout.",
)
@catalog_options
def command(tone: Tone, source: Source, tasks: tuple[str, ...], output: str) -> None:
    """Write one HTML file that shows what every optim level of some tasks comes to.

    Without TASK: of every task the catalog has models of. The file needs no network.
    """
    from zooselect.files import write_whole
    from zooselect.report.facts import tasks_of
    from zooselect.report.page import page

    if output == "-" and tone.as_json:
        raise UsageError("--json and -o - both want stdout", hint="give a file name")
    if output != "-" and not output.lower().endswith((".html", ".htm")):
        raise UsageError(f"the page is no {output!r}", hint="name a .html file, or - for stdout")
    named = tuple(dict.fromkeys(map(Task.parse, tasks)))
    one = named[0] if len(named) == 1 else None
    catalog = source.of(Asked(one.domain, one.sub_domain) if one else Asked())
    wanted = named or tasks_of(catalog)
    if not wanted:
        raise NoCandidateError("the catalog has no model of any task", hint="ask another catalog")
    content = page(catalog, wanted)
    if output == "-":
        sys.stdout.buffer.write(content)
        return
    write_whole(output, content)
    if tone.as_json:
        names = [task.name for task in wanted]
        out_json({"schema": SCHEMA, "output": output, "bytes": len(content), "tasks": names})
    elif not tone.quiet:
        count = f"{len(wanted)} task{'' if len(wanted) == 1 else 's'}"
        err(f"{output}: {count}, {len(content):,} bytes; open it in a browser")
