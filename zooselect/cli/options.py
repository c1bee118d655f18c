"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, TypeVar

import click

from zooselect.catalog.asked import Asked, FilesAt, Source
from zooselect.catalog.catalog import Catalog
from zooselect.catalog.provenance import SERVER, Provenance
from zooselect.cli.output import err, one_line
from zooselect.selection.variant import HARDWARE
from zooselect.settings import Settings
from zooselect.source import open_catalog

F = TypeVar("F", bound=Callable[..., Any])


class Tone(NamedTuple):
    """How a command talks: JSON or text on stdout, how much on stderr."""

    as_json: bool
    quiet: bool
    verbose: bool

    def notes(self, *notes: str) -> None:
        """Tell what a person must know beside the data; nothing with `--quiet`."""
        if not self.quiet:
            for note in notes:
                err(f"note: {note}")


def catalog_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add what every command has that asks a catalog.

    It gets a `tone` and a `source`, and where it has a parameter for them the `settings`.
    """

    @click.option(
        "--catalog",
        metavar="PATH|URL",
        help="A catalog file, mirror folder or mirror URL [env: ZOOSELECT_CATALOG].",
    )
    @click.option(
        "--api-url",
        metavar="URL",
        help="A SparseZoo API [env: ZOOSELECT_API_URL, SPARSEZOO_API_URL].",
    )
    @click.option(
        "--offline",
        is_flag=True,
        help="Open no socket; kept answers will do [env: ZOOSELECT_OFFLINE].",
    )
    @click.option(
        "--refresh", is_flag=True, help="Ask again, however fresh the answer kept in the cache is."
    )
    @click.option(
        "--no-fallback", is_flag=True, help="Nothing stands in for a server that fails: exit 5."
    )
    @click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
    @click.option("-q", "--quiet", is_flag=True, help="Data only: no notes on stderr.")
    @click.option("--verbose", is_flag=True, help="Say more on stderr.")
    @wraps(function)
    def command(
        *,
        catalog: str | None,
        api_url: str | None,
        offline: bool,
        refresh: bool,
        no_fallback: bool,
        as_json: bool,
        quiet: bool,
        verbose: bool,
        **arguments: Any,
    ) -> None:
        tone = Tone(as_json, quiet, verbose)
        settings = Settings.from_env()
        if api_url and (catalog or settings.catalog):
            tone.notes("a catalog is configured too, and comes first: the API is not asked")
        # A flag can only switch on: off is what the environment says, or nothing does.
        settings = settings._replace(
            offline=offline or settings.offline,
            refresh=refresh or settings.refresh,
            no_fallback=no_fallback or settings.no_fallback,
        )
        opened = open_catalog(catalog, api_url=api_url, settings=settings, say=tone.notes)
        if "settings" in function.__annotations__:
            arguments["settings"] = settings
        function(tone=tone, source=_Told(opened, tone), **arguments)

    return command


class _Told:
    """A source whose answers are told of: what was skipped, what stands in for a server."""

    def __init__(self, source: Source, tone: Tone) -> None:
        self._source = source
        self._tone = tone

    @property
    def at_hand(self) -> Provenance | None:
        """As the source has it."""
        return self._source.at_hand

    @property
    def files(self) -> FilesAt | None:
        """As the source has it."""
        return self._source.files

    def of(self, asked: Asked, *, embedded: bool = True) -> Catalog:
        """Return the source's answer, after telling what a person must know of it."""
        catalog = self._source.of(asked, embedded=embedded)
        _tell(catalog.provenance, self._tone)
        return catalog


def _tell(provenance: Provenance, tone: Tone) -> None:
    if provenance.fallback is not None:
        tone.notes(provenance.fallback)
    if tone.verbose:
        when = f"compiled {provenance.compiled}"
        if provenance.fetched_at is not None:
            kept = ", from the cache" if provenance.from_cache else ""
            when = f"asked {provenance.fetched_at}{kept}"
        err(f"catalog: {one_line(f'{provenance.location}, {when}, {provenance.digest}')}")
        for name, reason in (*provenance.skipped, *provenance.repaired):
            err(f"catalog: {one_line(f'{name}: {reason}')}")
        return
    tone.notes(*(one_line(f"{who}: {what}") for who, what in provenance.repaired if who == SERVER))
    if provenance.skipped:
        count = len(provenance.skipped)
        tone.notes(f"{count} catalog record{'s'[: count > 1]} skipped (--verbose names them)")


def scope_options(function: F) -> F:
    """Add the options that narrow what may be picked."""
    for option in (
        click.option(
            "--include-unverified", is_flag=True,
            help="Also pick models that may never have been published.",
        ),
        click.option(
            "--all-sizes", is_flag=True,
            help="Take the tiers from every size, not only from those pruned and quantized.",
        ),
        click.option("--strict", is_flag=True, help="No fallback: exit 3 instead."),
        click.option(
            "--target",
            shell_complete=words(*HARDWARE),
            help="Put models made for this hardware first, e.g. vnni.",
        ),
        click.option("--repo", help="Keep models of this repository, e.g. torchvision."),
        click.option("--framework", help="Keep models of this framework, e.g. pytorch."),
        click.option("--architecture", help="Keep this network, e.g. resnet_v1 or resnet_v1-50."),
        click.option("--dataset", help="Your data set: one of the catalog's, or your own."),
    ):  # fmt: skip
        function = option(function)
    return function


def file_option(function: F) -> F:
    """Add the option that names the lock file."""
    return click.option(
        "--file",
        "lock_file",
        type=click.Path(),
        help="The lock file [env: ZOOSELECT_LOCK; default: zooselect.lock].",
    )(function)


def words(*known: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Return a completion that offers words."""
    return lambda context, parameter, text: [word for word in known if word.startswith(text)]


def task_argument(*, required: bool = True) -> Callable[[F], F]:
    """Add the TASK argument, with completion."""
    return click.argument("task", required=required, shell_complete=complete_task)


def stub_argument(function: F) -> F:
    """Add the STUB argument, with completion."""
    return click.argument("stub", shell_complete=complete_stub)(function)


def complete_task(context: click.Context, parameter: click.Parameter, text: str) -> list[str]:
    """Complete the name of a task, or an alias."""
    from zooselect.task import TASKS

    names = [name for task in TASKS for name in (task.name, *task.aliases)]
    folded = text.lower().replace("-", "_")
    # Offered as they are typed; hyphens unless there is an underscore already.
    mark = "_" if "_" in text else "-"
    return [name.replace("_", mark) for name in names if name.startswith(folded)]


def complete_stub(context: click.Context, parameter: click.Parameter, text: str) -> list[str]:
    """Complete a stub of the catalog, with or without `zoo:`."""
    from zooselect.errors import ZooSelectError
    from zooselect.stub import PREFIX

    try:
        # Completion never asks anyone: what is kept on disk will do.
        source = open_catalog(
            context.params.get("catalog"),
            api_url=context.params.get("api_url"),
            offline=True,
            refresh=False,
        )
        catalog = source.of(Asked())
    except ZooSelectError:
        return []
    names = (name for record in catalog for name in (record.stub, *record.aliases))
    if not text.startswith(PREFIX[: len(text)]):
        names = (name.removeprefix(PREFIX) for name in names)
    return sorted({name for name in names if name.startswith(text)})
