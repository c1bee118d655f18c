"""`zooselect download`: exactly the model, or nothing that looks like it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zooselect.catalog.asked import Source
from zooselect.cli.options import (
    Tone,
    catalog_options,
    complete_stub,
    file_option,
    scope_options,
    words,
)  # fmt: skip
from zooselect.cli.output import SCHEMA, err, out, out_json
from zooselect.errors import UsageError
from zooselect.settings import Settings

if TYPE_CHECKING:
    from zooselect.downloads.model import Pinned
    from zooselect.stub import Stub


@click.command("download")
@click.argument("what", metavar="STUB...|TASK", nargs=-1, shell_complete=complete_stub)
@click.option(
    "-l",
    "--optim-level",
    metavar="LEVEL",
    help="Of a TASK: download what `resolve` picks at this level [default: 0.5].",
)
@click.option(
    "--only",
    multiple=True,
    metavar="PART",
    shell_complete=words("model", "deployment", "training", "recipes", "samples", "card", "all"),
    help="model, deployment, training, recipes, samples, card, all [default: to run it].",
)
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False),
    help="The model's folder, not one in the cache; of several models, a folder of theirs.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be fetched, and fetch nothing.")
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=4, show_default=True, help="Files at a time."
)
@click.option("--locked", is_flag=True, help="What the lock file pins, and nothing else.")
@file_option
@scope_options
@catalog_options
def command(
    tone: Tone,
    source: Source,
    settings: Settings,
    what: tuple[str, ...],
    optim_level: str | None,
    only: tuple[str, ...],
    folder: str | None,
    dry_run: bool,
    jobs: int,
    locked: bool,
    lock_file: str | None,
    **options: Any,
) -> None:
    """Download models by STUB, or what TASK comes to at an optim level; print their folders.

    What is there already is not fetched again; a download that was cut is gone on with.
    With --locked: all models the lock file pins, or those of the STUBs and TASKs given; with
    other files than it pins, exit 8.
    """
    from zooselect.cli.progress import watching
    from zooselect.downloads.model import Terms, bring, check_parts, offer

    parts = check_parts(only)
    narrowed = [f"--{name.replace('_', '-')}" for name, value in options.items() if value]
    if locked:
        narrowed += ["--only"] if parts else []
        models = _pinned(settings, what, optim_level, lock_file, narrowed)
    elif lock_file is not None:
        raise UsageError("--file names a lock file", hint="add --locked to download what it pins")
    else:
        stubs = _stubs(tone, source, what, optim_level, options, narrowed)
        models = dict.fromkeys(stubs)
    answers = []
    for stub, pinned in models.items():
        at = None if folder is None else Path(folder)
        if at is not None and len(models) > 1:
            at = at.joinpath(*stub.path.split("/"))
        if dry_run:
            terms = Terms(at, parts, jobs, pinned=pinned)
            answers.append(_offered(tone, offer(stub, source, settings, terms)))
            continue
        with watching(tone, stub.canonical) as progress:
            terms = Terms(at, parts, jobs, progress, pinned)
            done = bring(stub, source, settings, terms, tone.notes)
        manifest = done.manifest
        answers.append(
            {
                "stub": manifest.stub,
                "folder": str(done.folder),
                "parts": list(manifest.parts),
                "fetched_bytes": done.fetched,
                "bytes": manifest.size,
                "source": {"source": manifest.source, "location": manifest.location,
                           "fetched_at": manifest.fetched_at},
                "files": [
                    {"name": file.name, "size": file.size, "sha256": file.sha256}
                    for _, file in sorted(manifest.files.items())
                ],
            }
        )  # fmt: skip
        if not tone.as_json:
            out(str(done.folder))
    if tone.as_json:
        out_json({"schema": SCHEMA, "dry_run": dry_run, "models": answers})


def _stubs(
    tone: Tone,
    source: Source,
    what: tuple[str, ...],
    optim_level: str | None,
    options: dict[str, Any],
    narrowed: list[str],
) -> list[Stub]:
    """The models that were asked for, by name or by task."""
    from zooselect.level import DEFAULT_LEVEL
    from zooselect.stub import Stub
    from zooselect.task import Task

    if not what:
        raise UsageError("Missing argument 'STUB...|TASK'", hint="name a model, or a task")
    if optim_level is None and len(what) == 1 and Task.find(what[0]):
        optim_level = str(DEFAULT_LEVEL)
    if optim_level is not None:
        return [_picked(tone, source, what, optim_level, options)]
    if narrowed:
        raise UsageError(
            f"{narrowed[0]} picks a model for a TASK",
            hint="give a TASK and --optim-level, or a STUB alone",
        )
    return [Stub.parse(one) for one in what]


def _pinned(
    settings: Settings,
    what: tuple[str, ...],
    optim_level: str | None,
    lock_file: str | None,
    narrowed: list[str],
) -> dict[Stub, Pinned | None]:
    """The models that the lock file pins, and what it says of them."""
    from zooselect.level import parse_level_text
    from zooselect.lock.file import path_of, read
    from zooselect.lock.locked import PinnedModel, pinned_models
    from zooselect.stub import Stub

    if narrowed:
        raise UsageError(
            f"--locked goes by the lock file, and not by {narrowed[0]}",
            hint="leave it out; `zooselect lock add` takes the options that pick a model",
        )
    level = None if optim_level is None else parse_level_text(optim_level)
    path = path_of(lock_file, settings)
    models = pinned_models(read(path), what, level, path)
    return {Stub.parse(model.stub): PinnedModel(model, path) for model in models}


def _picked(
    tone: Tone, source: Source, what: tuple[str, ...], level: str, options: dict[str, Any]
) -> Stub:
    from zooselect.api import resolve
    from zooselect.level import parse_level_text
    from zooselect.stub import Stub

    if len(what) > 1:
        raise UsageError("an optim level is of one TASK", hint="download one task at a time")
    selection = resolve(what[0], parse_level_text(level), catalog=source, **options)
    tone.notes(str(selection.stub), *selection.notes)
    return Stub.parse(str(selection.stub))


def _offered(tone: Tone, found: Any) -> dict[str, object]:
    """Tell what a download would come to."""
    plan = found.plan
    fetch = [] if plan is None else [one.file for one in plan.fetch]
    kept = [] if plan is None else sorted(plan.keep)
    if not tone.as_json:
        out(str(found.folder))
        for file in fetch:
            out(f"  fetch {file.name}  {'?' if file.size is None else f'{file.size:,}'} bytes")
        if plan is not None:
            for name, same in sorted(plan.copies.items()):
                out(f"  copy {name} of {same}")
        for name in kept:
            out(f"  here {name}")
        if plan is None and not tone.quiet:
            err("note: all of it is here already")
    return {
        "stub": found.stub,
        "folder": str(found.folder),
        "complete": not fetch,
        "fetch_bytes": 0 if plan is None else plan.size,
        "fetch": [{"name": file.name, "size": file.size} for file in fetch],
        "copies": {} if plan is None else dict(sorted(plan.copies.items())),
        "here": kept,
    }
