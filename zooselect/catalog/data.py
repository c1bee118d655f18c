"""Reads the files that ship inside the package."""

from __future__ import annotations

import os

# Plain files beside the code: `importlib.resources` would cost more than the
# whole selection does.
DATA_FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "data")


def read_data(name: str) -> bytes:
    """Return the content of one embedded file."""
    with open(os.path.join(DATA_FOLDER, name), "rb") as file:
        return file.read()
