"""Writes `docs/cli.md` from the commands themselves: `make docs`.

The layout is its own, and not click's help, so that neither the version of click nor the
width of a terminal shows in it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from zooselect.cli.main import cli

PAGE = Path(__file__).resolve().parent / "cli.md"

HEAD = """\
# Command line

Written by `make docs` from the code; do not edit. `zooselect COMMAND --help` says the same.
Exit codes are in the [README](../README.md#exit-codes), environment variables in
[offline.md](offline.md#environment-variables).
"""


def text_of(command: click.Command) -> str:
    """A command's help, each paragraph on one line."""
    paragraphs = (command.help or "").split("\n\n")
    return "\n\n".join(" ".join(one.split()) for one in paragraphs)


def argument_of(argument: click.Argument) -> str:
    """An argument as it stands in a usage line."""
    name = argument.metavar or (argument.name or "").upper()
    if argument.metavar is None and argument.nargs == -1:
        name += "..."
    return name if argument.required or name.startswith("[") else f"[{name}]"


def value_of(option: click.Option) -> str:
    """What an option takes; empty for a switch."""
    if option.is_flag:
        return ""
    return option.metavar or ("NUMBER" if _is_number(option.type) else option.type.name.upper())


def _is_number(kind: object) -> bool:
    return isinstance(kind, click.types.IntParamType | click.types.FloatParamType)


def row_of(option: click.Option) -> str:
    """A row of the table of options."""
    names = ", ".join([*option.opts, *option.secondary_opts])
    said = " ".join((option.help or "").split())
    if isinstance(option.type, click.IntRange):
        least, most = option.type.min, option.type.max
        said += f" From {least}." if most is None else f" {least} to {most}."
    more = ["required"] if option.required else []
    more += ["may be repeated"] if option.multiple else []
    more += [f"default: {option.default}"] if option.show_default else []
    said += f" [{'; '.join(more)}]" if more else ""
    shown = f"{names} {value_of(option)}".strip().replace("|", r"\|")
    return f"| `{shown}` | {said.strip()} |"


def name_of(row: str) -> str:
    """The long name of the option a row is of."""
    return next(word for word in row.strip("| `").split() if word.startswith("--")).strip("`")


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """The commands below a group, in its order, each with its whole name."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


def page() -> str:
    """The whole page."""
    found = list(commands(cli, "zooselect"))
    rows = {name: [row_of(one) for one in command.params if isinstance(one, click.Option)]
            for name, command in found}  # fmt: skip
    every = [row for one in rows.values() for row in one]
    common = [row for row in dict.fromkeys(every) if every.count(row) > 2]
    parts = [HEAD, f"## Options of several commands\n\n{_table(common)}"]
    for name, command in found:
        arguments = [argument_of(one) for one in command.params if isinstance(one, click.Argument)]
        group = isinstance(command, click.Group)
        usage = " ".join([name, *(["COMMAND"] if group else ["[OPTIONS]", *arguments])])
        level = "#" * (len(name.split()))
        parts.append(f"{level} {name}\n\n    {usage}\n\n{text_of(command)}\n")
        own = [row for row in rows[name] if row not in common]
        shared = [name_of(row) for row in common if row in rows[name]]
        parts += [_table(own)] if own else []
        if shared:
            parts.append("Also " + ", ".join(f"`{one}`" for one in shared) + ".\n")
    return "\n".join(parts)


def _table(rows: list[str]) -> str:
    return "\n".join(["| option | |", "|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    sys.stdout.write(f"{PAGE.name} written\n")
