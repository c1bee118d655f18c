"""What the commands of `zooselect cache` share."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

import click

from zooselect.cache.answers import AnswerCache
from zooselect.cache.folder import cache_folder
from zooselect.cache.rows import Entry
from zooselect.catalog.answer import iso
from zooselect.cli.options import Tone
from zooselect.cli.output import SCHEMA, one_line
from zooselect.downloads.shelf import Stored
from zooselect.errors import UsageError
from zooselect.settings import Settings

_AGES = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class Cache(NamedTuple):
    """What is kept: answers of servers in a database, and models in folders.

    Attributes:
        root: the folder of both.
        answers: the answers.
    """

    root: Path
    answers: AnswerCache


class Answer(NamedTuple):
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
    """Show, check and remove what is kept on this machine: answers of catalog servers, and models.

    The folder is the one your system keeps caches in, or that of ZOOSELECT_CACHE_DIR.
    """


def cache_command(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """Make a command of the group; it gets a `tone` and the cache."""

    def decorate(function: Callable[..., None]) -> click.Command:
        @command.command(name)
        @click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
        @click.option("-q", "--quiet", is_flag=True, help="Data only: no notes on stderr.")
        @click.option("--verbose", is_flag=True, help="Say more on stderr.")
        @wraps(function)
        def run(*, as_json: bool, quiet: bool, verbose: bool, **arguments: Any) -> None:
            root = cache_folder(Settings.from_env().cache_dir)
            cache = Cache(root, AnswerCache(root))
            function(tone=Tone(as_json, quiet, verbose), cache=cache, **arguments)

        return run

    return decorate


def document(cache: Cache) -> dict[str, object]:
    """Return what every document of these commands begins with."""
    return {"schema": SCHEMA, "cache": str(cache.root)}


def answer_of(entry: Entry) -> Answer:
    """Pick out what is shown; the document may have any shape."""
    said = entry.document if isinstance(entry.document, dict) else {}
    models = said.get("models")
    return Answer(
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


def words_of(question: Any) -> str:
    """A question on one line: what was asked for, and not what was left open."""
    if not isinstance(question, dict):
        return "?" if question is None else json.dumps(question)
    asked = {name: value for name, value in question.items() if value not in (None, [], {})}
    return ", ".join(
        f"{name} {value if isinstance(value, str) else json.dumps(value)}"
        for name, value in asked.items()
    ) or "everything"  # fmt: skip


def number(value: int | None) -> str:
    """A count for people; `?` where it is not known."""
    return "?" if value is None else str(value)


def age_of(text: str) -> timedelta:
    """Return the age a text such as `30d` says.

    Raises:
        UsageError: it says none.
    """
    parsed = re.fullmatch(r"([0-9]{1,9})([smhdw])", text, re.ASCII)
    if parsed is None:
        raise UsageError(
            f"no age: {one_line(text)}", hint="a whole number and a unit s, m, h, d or w: 30d"
        )
    try:
        return timedelta(seconds=int(parsed[1]) * _AGES[parsed[2]])
    except OverflowError:
        return timedelta.max


def model_dict(one: Stored) -> dict[str, object]:
    """A model as it stands in the JSON of these commands."""
    manifest = one.model.manifest
    return {
        "stub": manifest.stub,
        "folder": str(one.model.folder),
        "parts": list(manifest.parts),
        "files": len(manifest.files),
        "bytes": manifest.size,
        "source": manifest.source,
        "location": manifest.location,
        "fetched_at": manifest.fetched_at,
        "used_at": iso(one.used_at),
    }


def is_older(entry: Entry, limit: timedelta, now: datetime) -> bool:
    """Whether an answer was fetched longer ago; one that does not say when is of no use."""
    fetched = answer_of(entry).fetched_at
    try:
        # Python 3.10 does not read the Z.
        at = datetime.fromisoformat((fetched or "").replace("Z", "+00:00"))
        return now - (at if at.tzinfo else at.replace(tzinfo=timezone.utc)) > limit
    except (ValueError, OverflowError):
        return True


def count_of(count: int, noun: str) -> str:
    """So many of something, in words."""
    return f"{count} {noun}{'s'[: count != 1]}"
