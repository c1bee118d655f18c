"""Shell completion for bash, zsh and fish.

click writes and answers the scripts; only bash needs help, because it takes the colon
of `zoo:` for the end of a word.
"""

from __future__ import annotations

import os

import click
from click.shell_completion import BashComplete, add_completion_class, shell_complete

_VARIABLE = "_ZOOSELECT_COMPLETE"


class _Bash(BashComplete):
    """Bash completion that sees `zoo:cv/…` as one word."""

    def get_completion_args(self) -> tuple[list[str], str]:
        words = os.environ["COMP_WORDS"].split()
        last = int(os.environ["COMP_CWORD"])
        typed = words[last] if last < len(words) else ""
        joined: list[str] = []
        # bash hands over `zoo`, `:` and `cv/…`; the shell puts back only what follows.
        glue = False
        for word in [*words[1:last], typed]:
            if joined and (glue or word.startswith(":")):
                joined[-1] += word
            else:
                joined.append(word)
            glue = word.endswith(":")
        return joined[:-1], joined[-1]

    def format_completion(self, item: click.shell_completion.CompletionItem) -> str:
        _, typed = self.get_completion_args()
        kept = typed.rpartition(":")[0]
        value = item.value.removeprefix(kept + ":") if kept else item.value
        return f"{item.type},{value}"


def complete(cli: click.Command) -> int:
    """Answer a shell's question, or print its script, as `_ZOOSELECT_COMPLETE` asks."""
    add_completion_class(_Bash)
    return shell_complete(cli, {}, "zooselect", _VARIABLE, os.environ[_VARIABLE])
