"""`zooselect cache rm` and `prune`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

import click

from zooselect.cache.aside import discard, left_overs, size_of
from zooselect.cache.rows import Entry
from zooselect.cli.cache.group import (
    Cache,
    age_of,
    answer_of,
    cache_command,
    count_of,
    document,
    is_older,
    model_dict,
)  # fmt: skip
from zooselect.cli.options import Tone
from zooselect.cli.output import one_line, out, out_json
from zooselect.cli.quantities import byte_count
from zooselect.downloads.manifest import STATE
from zooselect.downloads.private import sweep
from zooselect.downloads.shelf import (
    Stored,
    busy,
    remove_model,
    size_below,
    stored,
    to_prune,
    unfinished,
)  # fmt: skip
from zooselect.errors import NotFoundError, StubError, UsageError
from zooselect.stub import Stub

_dry_run = click.option("--dry-run", is_flag=True, help="Say what would go; remove nothing.")


@cache_command("rm")
@click.argument("what", metavar="[STUB|ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Remove all models and answers.")
@_dry_run
def _rm(tone: Tone, cache: Cache, what: tuple[str, ...], everything: bool, dry_run: bool) -> None:
    """Remove models by stub, and answers by the ids `cache ls` shows; all, or none on an error."""
    if bool(what) == everything:
        raise UsageError(
            "names and --all at once" if what else "nothing to remove",
            hint="give stubs or ids, which `zooselect cache ls` shows, or --all",
        )
    names = {_canonical(one) for one in what}
    models = [
        one
        for one in stored(cache.root)
        if everything or not names.isdisjoint(one.model.manifest.names)
    ]
    entries = [one for one in cache.answers.entries() if everything or one.id in what]
    known = {entry.id for entry in entries}
    known |= {name for one in models for name in one.model.manifest.names}
    unknown = [one for one in what if one not in known and _canonical(one) not in known]
    if unknown:
        raise NotFoundError(
            f"nothing called {one_line(unknown[0])} in the cache",
            hint="`zooselect cache ls` shows what is there",
        )
    folders, left = _idle(unfinished(cache.root) if everything else [])
    sizes = [(path, size_below(path)) for path in folders]
    _tell_left(tone, left)
    if not dry_run:
        if everything:
            cache.answers.clear()
        for entry in entries:
            cache.answers.remove(entry.key)
        for folder in (*(one.model.folder for one in models), *folders):
            remove_model(cache.root, folder)
    _tell_removed(tone, cache, models, entries, sizes, dry_run=dry_run)


@cache_command("prune")
@click.option(
    "--older-than", metavar="AGE",
    help="Also answers fetched, and models used, longer ago than this: 30d; s, m, h, d, w.",
)  # fmt: skip
@click.option(
    "--max-size", metavar="SIZE", help="Also the models longest not used, until SIZE is left: 20GB."
)
@_dry_run
def _prune(
    tone: Tone, cache: Cache, older_than: str | None, max_size: str | None, dry_run: bool
) -> None:
    """Remove what is of no use: downloads never finished, damaged and foreign databases."""
    entries: list[Entry] = []
    age = None if older_than is None else age_of(older_than)
    if age is not None:
        now = datetime.now(timezone.utc)
        entries = [entry for entry in cache.answers.entries() if is_older(entry, age, now)]
    limit = None if max_size is None else byte_count(max_size)
    seconds = None if age is None else age.total_seconds()
    models = to_prune(stored(cache.root), time.time(), seconds, limit)
    databases = left_overs(cache.answers.folder)
    partial, left = _idle(unfinished(cache.root))
    _tell_left(tone, left)
    folders = [
        *((path, size_of(path)) for path in databases),
        *((path, size_below(path)) for path in partial),
    ]
    if not dry_run:
        for stored_model in stored(cache.root):
            sweep(stored_model.model.folder / STATE)
        for path in databases:
            discard(path)
        for entry in entries:
            cache.answers.remove(entry.key)
        for folder in (*(one.model.folder for one in models), *partial):
            remove_model(cache.root, folder)
    _tell_removed(tone, cache, models, entries, folders, dry_run=dry_run)


def _idle(folders: list[Path]) -> tuple[list[Path], int]:
    """The folders that no download is at work on, and the number of the others."""
    idle = [folder for folder in folders if not busy(folder)]
    return idle, len(folders) - len(idle)


def _tell_left(tone: Tone, left: int) -> None:
    if left:
        tone.notes(f"{count_of(left, 'folder')} left alone: a download is at work there")


def _canonical(name: str) -> str:
    try:
        return Stub.parse(name).canonical
    except StubError:
        return name


def _tell_removed(
    tone: Tone,
    cache: Cache,
    models: Sequence[Stored],
    entries: Sequence[Entry],
    folders: Sequence[tuple[Path, int]],
    *,
    dry_run: bool,
) -> None:
    size = sum(entry.bytes for entry in entries) + sum(size for _, size in folders)
    size += sum(one.model.manifest.size for one in models)
    if tone.as_json:
        out_json(
            {
                **document(cache),
                "dry_run": dry_run,
                "models": [model_dict(one) for one in models],
                "answers": [answer_of(entry)._asdict() for entry in entries],
                "folders": [str(path) for path, _ in folders],
                "bytes": size,
            }
        )
    else:
        for one in models:
            out(one.model.manifest.stub)
        for entry in entries:
            out(entry.id)
        for path, _ in folders:
            out(one_line(str(path)))
    what = [count_of(len(models), "model"), count_of(len(entries), "answer")]
    if folders:
        what.append(count_of(len(folders), "folder"))
    verb = "would be removed" if dry_run else "removed"
    tone.notes(f"{', '.join(what)} {verb}, {size:,} bytes")
