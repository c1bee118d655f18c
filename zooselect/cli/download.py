"""`zooselect download`: exactly the model, or nothing that looks like it."""

from __future__ import annotations

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
from zooselect.cli.output import SCHEMA, Failure, end_report, out, out_json
from zooselect.errors import StubError, UsageError, ZooSelectError
from zooselect.settings import Settings

if TYPE_CHECKING:
    from zooselect.downloads.download import Downloaded
    from zooselect.downloads.model import Offer, Pinned
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
    from zooselect.downloads.model import Terms, bring, check_dir, check_parts, offer

    parts = check_parts(only)
    _check_asked(what, optim_level)
    narrowed = [f"--{name.replace('_', '-')}" for name, value in options.items() if value]
    if locked:
        narrowed += ["--only"] if parts else []
        models = _pinned(settings, what, optim_level, lock_file, narrowed)
    elif lock_file is not None:
        raise UsageError("--file names a lock file", hint="add --locked to download what it pins")
    else:
        stubs = _stubs(tone, source, what, optim_level, options, narrowed)
        models = dict.fromkeys(stubs)
    base = None if folder is None else check_dir(folder)
    answers: list[dict[str, object]] = []
    failed: list[tuple[Stub, ZooSelectError]] = []
    for stub, pinned in models.items():
        at = base.joinpath(*stub.path.split("/")) if base and len(models) > 1 else base
        terms = Terms(at, parts, jobs, pinned=pinned)
        try:
            if dry_run:
                answers.append(_offered(tone, offer(stub, source, settings, terms)))
                continue
            with watching(tone, stub.canonical) as progress:
                done = bring(stub, source, settings, terms._replace(progress=progress), tone.notes)
        except ZooSelectError as error:
            if len(models) == 1:
                raise
            # The others are worth having all the same.
            tone.notes(f"{stub.canonical}: {error.message}")
            failed.append((stub, error))
            continue
        answers.append(_answer(done))
        if not tone.as_json:
            out(str(done.folder))
    failure = _failure(failed, len(models))
    if tone.as_json:
        document: dict[str, object] = {"schema": SCHEMA, "dry_run": dry_run, "models": answers}
        if failure is not None:
            document["failed"] = [
                {"stub": stub.canonical, **Failure.of(error)._asdict()} for stub, error in failed
            ]
            document["error"] = failure._asdict()
        out_json(document)
    if failure is not None:
        end_report(failure)


def _failure(failed: list[tuple[Stub, ZooSelectError]], asked: int) -> Failure | None:
    """What several downloads come to of which some failed: the first error's exit code."""
    if not failed:
        return None
    stub, error = failed[0]
    what = f"{len(failed)} of {asked} models cannot be had; {stub.canonical}: {error.message}"
    return Failure.of(error)._replace(message=what)


def _answer(done: Downloaded) -> dict[str, object]:
    """Tell what was downloaded."""
    manifest = done.manifest
    return {
        "stub": manifest.stub,
        "folder": str(done.folder),
        "parts": list(manifest.parts),
        "fetched_bytes": done.fetched,
        "bytes": manifest.size,
        "source": {
            "source": manifest.source,
            "location": manifest.location,
            "fetched_at": manifest.fetched_at,
        },
        "files": [
            {"name": file.name, "size": file.size, "sha256": file.sha256}
            for _, file in sorted(manifest.files.items())
        ],
    }


def _check_asked(what: tuple[str, ...], optim_level: str | None) -> None:
    """Refuse an optim level that nothing goes by."""
    from zooselect.stub import Stub
    from zooselect.task import Task

    if optim_level is None or any(Task.find(one) for one in what):
        return
    if not what:
        raise UsageError("-l without a TASK", hint="-l goes with a TASK: name one")
    try:
        stub = Stub.parse(what[0])
    except StubError:
        return  # a task misspelt, of which whoever looks for it tells
    raise UsageError(
        f"{stub.canonical} is a model, of whatever optim level",
        hint="-l goes with a TASK; leave it out for a STUB",
    )


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
    from zooselect.task import Task, closest_tasks

    if not what:
        raise UsageError("Missing argument 'STUB...|TASK'", hint="name a model, or a task")
    if optim_level is None and len(what) == 1 and Task.find(what[0]):
        optim_level = str(DEFAULT_LEVEL)
    if len(what) > 1 and any(map(Task.find, what)):
        raise UsageError(
            "only one TASK at a time", hint="download one TASK, or one STUB or more, by itself"
        )
    if optim_level is not None:
        return [_picked(tone, source, what[0], optim_level, options)]
    if narrowed:
        raise UsageError(
            f"{narrowed[0]} picks a model for a TASK",
            hint="give a TASK and --optim-level, or a STUB alone",
        )
    try:
        return [Stub.parse(one) for one in what]
    except StubError as error:
        tasks = closest_tasks(error.text, 0.8)
        if tasks:
            error.hint = f"if a task is meant: {' or '.join(tasks)}"
        raise


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


def _picked(tone: Tone, source: Source, task: str, level: str, options: dict[str, Any]) -> Stub:
    from zooselect.api import resolve
    from zooselect.level import parse_level_text
    from zooselect.stub import Stub

    selection = resolve(task, parse_level_text(level), catalog=source, **options)
    tone.notes(str(selection.stub), *selection.notes)
    return Stub.parse(str(selection.stub))


def _offered(tone: Tone, found: Offer) -> dict[str, object]:
    """Tell what a download would come to."""
    fetch = [] if found.plan is None else [one.file for one in found.plan.fetch]
    copies = {} if found.plan is None else dict(sorted(found.plan.copies.items()))
    size = 0 if found.plan is None else found.plan.size
    if not tone.as_json:
        out(str(found.folder))
        for file in fetch:
            out(f"  fetch {file.name}  {'?' if file.size is None else f'{file.size:,}'} bytes")
        for name, same in copies.items():
            out(f"  copy {name} of {same}")
        for name in found.here:
            out(f"  here {name}")
        if not fetch:
            tone.notes("all of it is here already")
        else:
            total = "bytes that nobody states" if size is None else f"{size:,} bytes"
            tone.notes(f"{len(fetch)} file{'s'[: len(fetch) != 1]} to fetch, {total}")
    return {
        "stub": found.stub,
        "folder": str(found.folder),
        "complete": not fetch,
        "fetch_bytes": size,
        "fetch": [{"name": file.name, "size": file.size} for file in fetch],
        "copies": copies,
        "here": found.here,
    }
