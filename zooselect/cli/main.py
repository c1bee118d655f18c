"""Runs a command and turns what it raises into one line, a hint and an exit code."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module

import click
from click.exceptions import NoArgsIsHelpError

from zooselect import __version__
from zooselect.cli.output import Failure, let_go_of, print_failure
from zooselect.errors import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    LocalFileError,
    StubError,
    UsageError,
    ZooSelectError,
)

#: Each command's module is imported when the command is used, and holds it as `command`.
_COMMANDS = {
    "resolve": "Pick the model for a task at an optim level.",
    "levels": "Show what every optim level comes to.",
    "search": "List the models of the catalog.",
    "show": "Show all that is on record of one model.",
    "compare": "Compare the models for a task, and mark the Pareto front.",
    "scan": "Find stubs in files, and say which are known.",
    "download": "Download models: whole and verified, or not at all.",
    "lock": "Pin what was resolved; refuse drift.",
    "report": "Write a page that shows what every optim level comes to.",
    "cache": "Show, check and remove what is kept on this machine.",
    "mirror": "Bring a zoo back: keep models in a folder, checked and described.",
    "apply": "Prune and quantize an ONNX model, and measure what came out.",
    "serve": "Serve a mirror, also to unmodified old clients.",
}


#: How click says that a group has no such command.
_NO_COMMAND = re.compile(r"No such command '(.*?)'")


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"zooselect.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="zooselect", message="%(prog)s %(version)s")
def cli() -> None:
    """Which pruned and quantized model, for this task, at this optim level."""


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code; nothing is raised but on a bug in here."""
    # A stream that was closed before the start is None: nobody wants what would go there.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets an escape, not a crash.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if "_ZOOSELECT_COMPLETE" in os.environ:
        from zooselect.cli.completion import complete

        return complete(cli)
    failure = _invoke(list(arguments))
    if failure is None:
        return EXIT_OK
    try:
        print_failure(failure, as_json="--json" in arguments)
    except OSError:
        let_go_of(sys.stdout)
    return failure.exit_code


def _invoke(arguments: list[str]) -> Failure | None:
    try:
        with cli.make_context("zooselect", arguments) as context:
            cli.invoke(context)
        sys.stdout.flush()
    except StubError as error:
        return _stub_failure(error)
    except ZooSelectError as error:
        return Failure.of(error)
    except click.exceptions.Exit as end:
        return None if end.exit_code == EXIT_OK else Failure("UsageError", "", "", end.exit_code)
    except click.UsageError as error:
        return _usage_failure(error, arguments)
    except (KeyboardInterrupt, click.Abort):
        return Failure("Interrupted", "interrupted", "", EXIT_INTERRUPTED)
    except OSError as error:
        let_go_of(sys.stdout)
        if error.errno == errno.EPIPE:
            return None  # the reader, `head` perhaps, has all it wants
        message = f"cannot write the output: {error.strerror or error}"
        hint = "is the disk full?"
        return Failure("LocalFileError", message, hint, LocalFileError.exit_code)
    except Exception as error:
        if os.environ.get("ZOOSELECT_DEBUG"):
            raise
        message = f"unexpected {type(error).__name__}: {' '.join(str(error).split())}"
        hint = "this is a bug; ZOOSELECT_DEBUG=1 shows the traceback to report"
        return Failure(type(error).__name__, message, hint, ZooSelectError.exit_code)
    return None


def _usage_failure(error: click.UsageError, arguments: list[str]) -> Failure:
    command = arguments[0] if arguments and arguments[0] in _COMMANDS else ""
    path = error.ctx.command_path if error.ctx else f"zooselect {command}".strip()
    message = " ".join(error.format_message().split())
    if isinstance(error, NoArgsIsHelpError):
        message = "no command given"
    hint = f"`{path} --help` lists what it takes"
    wrong = _NO_COMMAND.match(message)
    if wrong and error.ctx is not None and isinstance(error.ctx.command, click.Group):
        from difflib import get_close_matches

        close = get_close_matches(wrong[1], error.ctx.command.list_commands(error.ctx), n=1)
        hint = f"did you mean `{path} {close[0]}`?" if close else hint
    return Failure("UsageError", message.rstrip("."), hint, UsageError.exit_code)


def _stub_failure(error: StubError) -> Failure:
    from zooselect.task import Task

    failure = Failure.of(error)
    if Task.find(error.text) is None:
        return failure
    return failure._replace(hint=f"that is a task: `zooselect resolve {error.text}` picks a model")
