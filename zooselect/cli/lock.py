"""`zooselect lock`: what was resolved, pinned in a file; drift is refused."""

from __future__ import annotations

from functools import wraps
from typing import Any

import click
from click.core import ParameterSource

from zooselect.cache.folder import cache_folder
from zooselect.catalog.asked import Source
from zooselect.catalog.provenance import Provenance, age
from zooselect.cli.options import (
    Tone,
    catalog_options,
    complete_task,
    file_option,
    scope_options,
    task_argument,
)  # fmt: skip
from zooselect.cli.output import SCHEMA, Failure, end_report, one_line, out, out_json
from zooselect.errors import LockError, UsageError
from zooselect.level import DEFAULT_LEVEL, SPARSE_TRANSFER, parse_level_text
from zooselect.lock.ask import Asking
from zooselect.lock.drift import Report
from zooselect.lock.file import path_of, read
from zooselect.lock.lock import SWITCHES, TEXTS, Lock, Pin
from zooselect.lock.work import Outcome, add, check, complete, refuse, remove, upgrade
from zooselect.selection.question import Question
from zooselect.settings import Settings
from zooselect.task import Task


@click.option("--check", "only_check", is_flag=True, help="Change nothing; exit 8 on drift.")
@click.option("--upgrade", "anew", is_flag=True, help="Pin what every question comes to now.")
@file_option
@catalog_options
def _all(
    tone: Tone,
    source: Source,
    settings: Settings,
    lock_file: str | None,
    only_check: bool,
    anew: bool,
) -> None:
    """The group's own work."""
    if only_check and anew:
        raise UsageError("--check changes nothing, and --upgrade does", hint="leave one out")
    path, asking = path_of(lock_file, settings), Asking(source, settings)
    if only_check:
        _tell_check(tone, path, read(path), asking)
        return
    outcome = upgrade(path, asking) if anew else complete(path, asking)
    _tell(tone, path, outcome, asking.answered_by)
    count = len(outcome.lock.pins)
    tone.notes(
        f"{count} question{'s'[: count != 1]} pinned in {one_line(path)}"
        + ("" if outcome.written else ", as before")
    )


@click.group("lock", invoke_without_command=True)
@click.pass_context
@wraps(_all, assigned=())
def command(context: click.Context, /, **options: Any) -> None:
    """Ask all pinned questions again, and complete the lock file: its files and digests.

    No pick changes but with --upgrade: anything that has drifted is an error, exit 8.
    """
    if context.invoked_subcommand is None:
        _all(**options)
        return
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "")
        if given is ParameterSource.COMMANDLINE:
            raise UsageError(
                f"{parameter.opts[-1]} before {context.invoked_subcommand}",
                hint=f"options of `lock {context.invoked_subcommand}` stand after it",
            )


@command.command("add")
@task_argument()
@click.option(
    "-l",
    "--optim-level",
    default=str(DEFAULT_LEVEL),
    show_default=True,
    metavar="LEVEL",
    help="0.0 (largest, dense) to 1.0 (smallest, sparse), or 0% to 100%.",
)
@scope_options
@file_option
@catalog_options
def _add(
    tone: Tone,
    source: Source,
    settings: Settings,
    task: str,
    optim_level: str,
    lock_file: str | None,
    **options: Any,
) -> None:
    """Pin the model for TASK at an optim level, with its files; print its stub."""
    path, asking = path_of(lock_file, settings), Asking(source, settings)
    question = Question(Task.parse(task), **options)
    outcome = add(path, question, parse_level_text(optim_level), asking)
    if outcome.pin is not None and not tone.as_json:
        out(outcome.pin.stub)
    _tell(tone, path, outcome, asking.answered_by)


@command.command("rm")
@click.argument("tasks", metavar="TASK...", nargs=-1, required=True, shell_complete=complete_task)
@click.option("-l", "--optim-level", metavar="LEVEL", help="Only what is pinned at this level.")
@file_option
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("-q", "--quiet", is_flag=True, help="Data only: no notes on stderr.")
@click.option("--verbose", is_flag=True, help="Say more on stderr.")
def _rm(
    tasks: tuple[str, ...],
    optim_level: str | None,
    lock_file: str | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Take the questions of tasks out of the lock file; nobody is asked anything."""
    settings = Settings.from_env()
    path = path_of(lock_file, settings)
    level = None if optim_level is None else parse_level_text(optim_level)
    asked = [Task.parse(one) for one in tasks]
    outcome = remove(path, asked, level, cache_folder(settings.cache_dir))
    _tell(Tone(as_json, quiet, verbose), path, outcome, ())


def _tell(tone: Tone, path: str, outcome: Outcome, answered_by: tuple[Provenance, ...]) -> None:
    notes = (*outcome.notes, *_kept(answered_by))
    if tone.as_json:
        out_json(
            {
                **_document(path, outcome.lock, answered_by),
                "written": outcome.written,
                "stub": None if outcome.pin is None else outcome.pin.stub,
                "changes": list(outcome.changes),
                "notes": list(notes),
            }
        )
    elif outcome.pin is not None:
        tone.notes(*map(one_line, outcome.changes))
    else:
        for line in outcome.changes:
            out(one_line(line))
    tone.notes(*map(one_line, notes))


def _tell_check(tone: Tone, path: str, lock: Lock, asking: Asking) -> None:
    report: Report = check(lock, asking)
    notes = (*report.notes, *_kept(asking.answered_by))
    failure = None
    try:
        refuse(path, report.drifts)
    except LockError as error:
        failure = Failure.of(error)
    if tone.as_json:
        out_json(
            {
                **_document(path, lock, asking.answered_by),
                "drift": [one._asdict() for one in report.drifts],
                "notes": list(notes),
                "error": None if failure is None else failure._asdict(),
            }
        )
    else:
        for one in report.drifts:
            out(one_line(one.message))
    tone.notes(*map(one_line, notes))
    if failure is not None:
        end_report(failure)
    count = len(lock.pins)
    tone.notes(f"{one_line(path)} holds: {count} question{'s'[: count != 1]}")


def _kept(answered_by: tuple[Provenance, ...]) -> list[str]:
    """Which answers were not asked for just now, and how old they are."""
    return [
        f"{one.location}: an answer of {age(one.age_seconds or 0)} ago; --refresh asks again"
        for one in answered_by
        if one.from_cache and one.fallback is None
    ]


def _document(path: str, lock: Lock, answered_by: tuple[Provenance, ...]) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "file": path,
        "pins": [_pin(pin) for pin in lock.pins],
        "models": [
            {**model._asdict(), "files": [file._asdict() for file in model.files]}
            for model in lock.models
        ],
        "answered_by": [one.to_dict() for one in answered_by],
    }


def _pin(pin: Pin) -> dict[str, object]:
    question = pin.question
    return {
        "task": question.task.name,
        "optim_level": pin.level,
        "mode": SPARSE_TRANSFER,
        **{name: getattr(question, name) for name in (*TEXTS, *SWITCHES)},
        "policy": pin.policy,
        "stub": pin.stub,
        "exact": pin.wanted is None,
        "wanted": pin.wanted,
        "got": pin.got,
        "catalog": pin.catalog._asdict(),
    }
