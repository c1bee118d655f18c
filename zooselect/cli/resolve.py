"""`zooselect resolve`: the main job."""

from __future__ import annotations

from typing import Any

import click

from zooselect.api import resolve
from zooselect.catalog.catalog import Catalog
from zooselect.cli.options import (
    Tone,
    catalog_options,
    scope_options,
    task_argument,
)  # fmt: skip
from zooselect.cli.output import err, out, out_json
from zooselect.level import DEFAULT_LEVEL, MODES, SPARSE_TRANSFER, parse_level_text


@click.command("resolve")
@task_argument()
@click.option(
    "-l",
    "--optim-level",
    default=str(DEFAULT_LEVEL),
    show_default=True,
    metavar="LEVEL",
    help="0.0 (largest, dense) to 1.0 (smallest, sparse), or 0% to 100%.",
)
@click.option(
    "--mode", default=SPARSE_TRANSFER, show_default=True, metavar="MODE", help=", ".join(MODES)
)
@scope_options
@click.option("--explain", is_flag=True, help="Say why, on stderr.")
@catalog_options
def command(
    tone: Tone,
    catalog: Catalog,
    task: str,
    optim_level: str,
    mode: str,
    explain: bool,
    **options: Any,
) -> None:
    """Pick the model for TASK at an optim level: its stub, alone on stdout.

    In the modes one-shot and training-aware: what to do to a model, and to which.
    """
    level = parse_level_text(optim_level)
    selection = resolve(task, level, mode, catalog=catalog, **options)
    if tone.as_json:
        out_json(selection.to_dict())
    else:
        out(str(selection if selection.plan is None else selection.plan))
    if explain:
        err(selection.explain())
    else:
        tone.notes(*selection.notes)
