"""`zooselect cache`: what is kept on this machine."""

from zooselect.cli.cache import adopt, remove, show, verify  # noqa: F401  # each adds commands
from zooselect.cli.cache.group import command

__all__ = ["command"]
