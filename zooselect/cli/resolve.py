"""`zooselect resolve`: the main job."""

from __future__ import annotations

import os
from typing import Any

import click

from zooselect.api import resolve
from zooselect.catalog.asked import Source
from zooselect.cli.options import (
    Tone,
    catalog_options,
    complete_stub,
    scope_options,
    task_argument,
    words,
)
from zooselect.cli.output import err, out, out_json
from zooselect.errors import LocalFileError, UsageError
from zooselect.level import DEFAULT_LEVEL, MODES, SPARSE_TRANSFER, parse_level_text, parse_mode
from zooselect.selection.selection import Selection


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
    "--mode",
    default=SPARSE_TRANSFER,
    show_default=True,
    metavar="MODE",
    shell_complete=words(*MODES),
    help=", ".join(MODES),
)
@scope_options
@click.option(
    "--model",
    metavar="STUB|PATH",
    shell_complete=complete_stub,
    help="Input model of the other two modes.",
)
@click.option("--force", is_flag=True, help="Take an input model already pruned or quantized.")
@click.option(
    "--layers", type=click.Path(), metavar="FILE", help="Its layers, a line each: name, dimensions."
)
@click.option(
    "--sparsity-scope",
    default="layers",
    metavar="SCOPE",
    shell_complete=words("layers", "model"),
    help="Whose sparsity the level means: of the pruned layers, or of the model.",
)
@click.option(
    "--recipe-format",
    metavar="FORMAT",
    shell_complete=words("sparseml", "llm-compressor", "plan-json"),
    help="sparseml [default], llm-compressor, plan-json.",
)
@click.option(
    "--recipe-out",
    type=click.Path(allow_dash=True),
    metavar="FILE",
    help="Write the recipe; - for stdout.",
)
@click.option("--set", "variables", multiple=True, metavar="NAME=VALUE", help="A recipe variable.")
@click.option("--explain", is_flag=True, help="Say why, on stderr.")
@catalog_options
def command(
    tone: Tone,
    source: Source,
    task: str,
    optim_level: str,
    mode: str,
    layers: str | None,
    recipe_format: str | None,
    recipe_out: str | None,
    variables: tuple[str, ...],
    explain: bool,
    **options: Any,
) -> None:
    """Pick the model for TASK at an optim level: its stub, alone on stdout.

    In the modes one-shot and training-aware: what to do to a model, and to which.
    """
    if layers is not None:
        # Read only for a mode that takes it, so that a wrong mode is told first.
        options["layers"] = _lines(layers) if parse_mode(mode) != SPARSE_TRANSFER else ()
    selection = resolve(task, parse_level_text(optim_level), mode, catalog=source, **options)
    if selection.plan is None:
        if recipe_format or recipe_out or variables:
            raise UsageError(
                "sparse transfer has no recipe to write",
                hint="the modes one-shot and training-aware have one",
            )
        out_json(selection.to_dict()) if tone.as_json else out(str(selection))
    else:
        _tell_plan(tone, selection, recipe_format or "sparseml", recipe_out, variables)
    if explain:
        err(selection.explain())
    else:
        tone.notes(*selection.notes)


def _tell_plan(
    tone: Tone,
    selection: Selection,
    recipe_format: str,
    recipe_out: str | None,
    variables: tuple[str, ...],
) -> None:
    from zooselect.plan.variables import parse_settings

    if recipe_out == "-" and tone.as_json:
        raise UsageError("--json and --recipe-out - both want stdout", hint="give a file name")
    answer = selection.to_dict(recipe_format, parse_settings(variables))
    recipe = answer["plan"]["recipe"]
    if recipe_out is not None and recipe is None:
        if recipe_out != "-" and os.path.exists(recipe_out):
            raise UsageError(
                f"level 0.0 has no recipe to write, and {recipe_out} holds another",
                hint="remove it: the input model is the baseline",
            )
        tone.notes("no recipe: at this level the input model is the baseline")
    elif recipe_out is not None and recipe_out != "-":
        from zooselect.files import write_whole

        write_whole(recipe_out, recipe.encode())
    if tone.as_json:
        out_json(answer)
    elif recipe_out == "-":
        if recipe is not None:
            out(recipe.rstrip("\n"))
        tone.notes(str(selection.plan))
    else:
        out(str(selection.plan))


def _lines(path: str) -> list[str]:
    try:
        with click.open_file(path, encoding="utf-8") as file:
            text: str = file.read()
            return text.splitlines()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise LocalFileError(
            f"cannot read layer list {path}: {reason}", hint="a name and dimensions a line"
        ) from error
