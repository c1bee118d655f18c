"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, TypeVar

import click

from zooselect.api import open_catalog
from zooselect.catalog.catalog import Catalog
from zooselect.cli.output import err
from zooselect.selection.variant import HARDWARE

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
    """Add what every command has that asks a catalog; it gets a `tone` and a `catalog`."""

    @click.option(
        "--catalog",
        type=click.Path(),
        metavar="PATH",
        help="A catalog file or mirror folder, not the embedded one [env: ZOOSELECT_CATALOG].",
    )
    @click.option("--offline", is_flag=True, help="Open no socket (this version never opens one).")
    @click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
    @click.option("-q", "--quiet", is_flag=True, help="Data only: no notes on stderr.")
    @click.option("--verbose", is_flag=True, help="Say more on stderr.")
    @wraps(function)
    def command(
        *,
        catalog: str | None,
        offline: bool,
        as_json: bool,
        quiet: bool,
        verbose: bool,
        **arguments: Any,
    ) -> None:
        tone = Tone(as_json, quiet, verbose)
        function(tone=tone, catalog=_asked_catalog(catalog, tone), **arguments)

    return command


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


def words(*known: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Return a completion that offers words."""
    return lambda context, parameter, text: [word for word in known if word.startswith(text)]


def task_argument(*, required: bool = True) -> Callable[[F], F]:
    """Add the TASK argument, with completion."""
    return click.argument("task", required=required, shell_complete=complete_task)


def stub_argument(function: F) -> F:
    """Add the STUB argument, with completion."""
    return click.argument("stub", shell_complete=complete_stub)(function)


def _asked_catalog(path: str | None, tone: Tone) -> Catalog:
    """Open the catalog the options name, and say so when asked to.

    Raises:
        UsageError: a URL; only files can be read as yet.
        LocalFileError, IntegrityError: the file cannot be used.
    """
    catalog = open_catalog(path)
    provenance = catalog.provenance
    if tone.verbose:
        err(f"catalog: {provenance.location}, compiled {provenance.compiled}, {provenance.digest}")
        for name, reason in (*provenance.skipped, *provenance.repaired):
            err(f"catalog: {name}: {reason}")
    elif provenance.skipped:
        count = len(provenance.skipped)
        tone.notes(f"{count} catalog record{'s'[: count > 1]} skipped (--verbose names them)")
    return catalog


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
        catalog = open_catalog(context.params.get("catalog"))
    except ZooSelectError:
        return []
    names = (name for record in catalog for name in (record.stub, *record.aliases))
    if not text.startswith(PREFIX[: len(text)]):
        names = (name.removeprefix(PREFIX) for name in names)
    return sorted({name for name in names if name.startswith(text)})
