"""`zooselect cache`: what is kept on this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import wraps
from typing import Any, NamedTuple

import click

from zooselect.cache.answers import AnswerCache
from zooselect.cache.aside import discard, left_overs, size_of
from zooselect.cache.folder import cache_folder
from zooselect.cache.rows import Entry
from zooselect.cli.options import Tone
from zooselect.cli.output import SCHEMA, err, one_line, out, out_json, table, wrapped
from zooselect.errors import IntegrityError, NotFoundError, UsageError
from zooselect.settings import Settings

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class _Answer(NamedTuple):
    """What is told of an answer; what its document does not say is None."""

    id: str
    source: str | None
    url: str | None
    question: Any
    fetched_at: str | None
    models: int | None
    bytes: int


@click.group("cache", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Show, check and remove what is kept on this machine: answers of catalog servers.

    The folder is the one your system keeps caches in, or that of ZOOSELECT_CACHE_DIR.
    """


def _cache_command(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """Make a command of the group; it gets a `tone` and the cache."""

    def decorate(function: Callable[..., None]) -> click.Command:
        @command.command(name)
        @click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
        @click.option("-q", "--quiet", is_flag=True, help="Data only: no notes on stderr.")
        @click.option("--verbose", is_flag=True, help="Say more on stderr.")
        @wraps(function)
        def run(*, as_json: bool, quiet: bool, verbose: bool, **arguments: Any) -> None:
            cache = AnswerCache(cache_folder(Settings.from_env().cache_dir))
            function(tone=Tone(as_json, quiet, verbose), cache=cache, **arguments)

        return run

    return decorate


_dry_run = click.option("--dry-run", is_flag=True, help="Say what would go; remove nothing.")


@_cache_command("dir")
def _dir(tone: Tone, cache: AnswerCache) -> None:
    """Print the folder of the cache; it need not be there yet."""
    if tone.as_json:
        out_json(_document(cache))
    else:
        out(one_line(str(cache.folder.parent)))


@_cache_command("ls")
def _ls(tone: Tone, cache: AnswerCache) -> None:
    """List the answers: where from, what was asked, when, how many models, bytes.

    With --quiet: the ids alone.
    """
    answers = [_answer(entry) for entry in cache.entries()]
    total = sum(one.bytes for one in answers)
    if tone.as_json:
        listed = [one._asdict() for one in answers]
        out_json({**_document(cache), "answers": listed, "bytes": total})
    elif tone.quiet:
        for one in answers:
            out(one.id)
    elif answers:
        rows = [
            (one.id, one.fetched_at or "?", _number(one.models), f"{one.bytes:,}")
            for one in answers
        ]
        head, *lines = table([("id", "fetched", "models", "bytes"), *rows], right=(2, 3))
        out(head)
        for one, line in zip(answers, lines, strict=True):
            out(one_line(line))
            about = f"{one.url or '?'}: {_words(one.question)}"
            out("\n".join(wrapped(one_line(about), 2)))
    tone.notes(f"{_count(len(answers), 'answer')}, {total:,} bytes")


@_cache_command("rm")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Remove all answers.")
@_dry_run
def _rm(
    tone: Tone, cache: AnswerCache, ids: tuple[str, ...], everything: bool, dry_run: bool
) -> None:
    """Remove answers by the ids that `cache ls` shows; all of them, or none on an error."""
    if bool(ids) == everything:
        raise UsageError(
            "ids and --all at once" if ids else "nothing to remove",
            hint="give ids, which `zooselect cache ls` shows, or --all",
        )
    entries = [entry for entry in cache.entries() if everything or entry.id in ids]
    unknown = sorted(set(ids) - {entry.id for entry in entries})
    if unknown:
        raise NotFoundError(
            f"no answer {one_line(unknown[0])} in the cache",
            hint="`zooselect cache ls` shows what is there",
        )
    if not dry_run:
        if everything:
            cache.clear()
        for entry in entries:
            cache.remove(entry.key)
    _tell_removed(tone, cache, entries, [], dry_run=dry_run)


@_cache_command("prune")
@click.option(
    "--older-than", metavar="AGE",
    help="Also answers fetched longer ago than this, e.g. 30d; units s, m, h, d, w.",
)  # fmt: skip
@_dry_run
def _prune(tone: Tone, cache: AnswerCache, older_than: str | None, dry_run: bool) -> None:
    """Remove what is of no use: damaged databases moved aside, and those of other versions."""
    entries = []
    if older_than is not None:
        limit = _age(older_than)
        now = datetime.now(timezone.utc)
        entries = [entry for entry in cache.entries() if _is_older(entry, limit, now)]
    folders = [(str(path), size_of(path)) for path in left_overs(cache.folder)]
    if not dry_run:
        for path in left_overs(cache.folder):
            discard(path)
        for entry in entries:
            cache.remove(entry.key)
    _tell_removed(tone, cache, entries, folders, dry_run=dry_run)


@_cache_command("verify")
@click.option("--fix", is_flag=True, help="Remove what is damaged, and keep the rest.")
def _verify(tone: Tone, cache: AnswerCache, fix: bool) -> None:
    """Check the database and every answer in it; exit 6 when one is damaged.

    With --fix, damaged answers are removed, and a damaged database is moved aside and made
    anew from what can still be read: exit 0 then.
    """
    found = cache.verify(fix=fix)
    damaged = [*([f"database: {found.problem}"] if found.problem else [])]
    damaged += [f"answer in row {one.row}: {one.reason}" for one in found.damaged]
    if tone.as_json:
        out_json(
            {
                **_document(cache),
                "ok": not damaged,
                "fixed": bool(damaged) and fix,
                "answers": found.answers,
                "problem": found.problem,
                "damaged": [one._asdict() for one in found.damaged],
            }
        )
    else:
        for line in damaged:
            out(one_line(f"damaged  {line}"))
    tone.notes(f"{_count(found.answers, 'answer')} as stored")
    if not damaged:
        return
    if fix:
        tone.notes("what was damaged is gone; the answers that could be read are kept")
        return
    error = IntegrityError(
        "the cache is damaged" if found.problem else f"{_count(len(damaged), 'answer')} damaged",
        hint="`zooselect cache verify --fix` removes what is damaged",
    )
    if not tone.as_json:
        raise error
    # The report is the one document on stdout.
    err(f"error: {error.message}\nhint: {error.hint}")
    raise click.exceptions.Exit(error.exit_code)


def _tell_removed(
    tone: Tone,
    cache: AnswerCache,
    entries: list[Entry],
    folders: list[tuple[str, int]],
    *,
    dry_run: bool,
) -> None:
    size = sum(entry.bytes for entry in entries) + sum(size for _, size in folders)
    if tone.as_json:
        out_json(
            {
                **_document(cache),
                "dry_run": dry_run,
                "answers": [_answer(entry)._asdict() for entry in entries],
                "folders": [path for path, _ in folders],
                "bytes": size,
            }
        )
    else:
        for entry in entries:
            out(entry.id)
        for path, _ in folders:
            out(one_line(path))
    what = [_count(len(entries), "answer")]
    if folders:
        what.append(_count(len(folders), "folder"))
    verb = "would be removed" if dry_run else "removed"
    tone.notes(f"{' and '.join(what)} {verb}, {size:,} bytes")


def _document(cache: AnswerCache) -> dict[str, object]:
    return {"schema": SCHEMA, "cache": str(cache.folder.parent)}


def _answer(entry: Entry) -> _Answer:
    """Pick out what is shown; the document may have any shape."""
    said = entry.document if isinstance(entry.document, dict) else {}
    models = said.get("models")
    return _Answer(
        entry.id,
        _text(said.get("source")),
        _text(said.get("url")),
        said.get("question"),
        _text(said.get("fetched_at")),
        len(models) if isinstance(models, list) else None,
        entry.bytes,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _words(question: Any) -> str:
    """A question on one line: what was asked for, and not what was left open."""
    if not isinstance(question, dict):
        return "?" if question is None else json.dumps(question)
    asked = {name: value for name, value in question.items() if value not in (None, [], {})}
    return ", ".join(
        f"{name} {value if isinstance(value, str) else json.dumps(value)}"
        for name, value in asked.items()
    ) or "everything"  # fmt: skip


def _number(value: int | None) -> str:
    return "?" if value is None else str(value)


def _age(text: str) -> timedelta:
    parsed = re.fullmatch(r"([0-9]{1,9})([smhdw])", text, re.ASCII)
    if parsed is None:
        raise UsageError(
            f"no age: {one_line(text)}", hint="a whole number and a unit s, m, h, d or w: 30d"
        )
    try:
        return timedelta(seconds=int(parsed[1]) * _UNITS[parsed[2]])
    except OverflowError:
        return timedelta.max


def _is_older(entry: Entry, limit: timedelta, now: datetime) -> bool:
    """Whether an answer was fetched longer ago; one that does not say when is of no use."""
    fetched = _answer(entry).fetched_at
    try:
        # Python 3.10 does not read the Z.
        at = datetime.fromisoformat((fetched or "").replace("Z", "+00:00"))
        return now - (at if at.tzinfo else at.replace(tzinfo=timezone.utc)) > limit
    except (ValueError, OverflowError):
        return True


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'s'[: count != 1]}"
