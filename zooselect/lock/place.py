"""Whether what is asked is what a lock was made from, and how to ask that again."""

from __future__ import annotations

import os
from typing import NamedTuple

from zooselect.catalog.file import CATALOG


class Moved(NamedTuple):
    """Another place is asked than the one something was pinned from.

    Attributes:
        told: both of them, in words.
        ask: how the one it was pinned from is asked.
    """

    told: str
    ask: str


def moved(pinned: tuple[str, str], asked: tuple[str, str]) -> Moved | None:
    """Return what to say where another place is asked; None where it is the same.

    Args:
        pinned: source and location, as the lock file has them.
        asked: those of what answers now, of the same kind.
    """
    if same_place(pinned[1], asked[1]):
        return None
    return Moved(
        f"pinned from {_named(*pinned)}; {_named(*asked)} answers now", how_to_ask(*pinned)
    )


def same_place(one: str, other: str) -> bool:
    """Whether two locations are one, however their paths are written."""
    return one == other or (
        "://" not in one + other and os.path.abspath(one) == os.path.abspath(other)
    )


def how_to_ask(source: str, location: str) -> str:
    """The options that ask a place on record."""
    if source == "snapshot":
        return "leave out --catalog and --api-url"
    if source == "api":
        return f"--api-url {location}"
    folder, name = os.path.split(location)
    whole = source == "mirror" and name == CATALOG
    return f"--catalog {(folder or '.') if whole else location}"


def _named(source: str, location: str) -> str:
    return "the embedded catalog" if source == "snapshot" else f"{source} {location}"
