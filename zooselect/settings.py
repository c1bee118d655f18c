"""Settings from the environment, read when asked for and passed down as a value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple


class Settings(NamedTuple):
    """What the environment says.

    Attributes:
        catalog: path of a catalog file (`ZOOSELECT_CATALOG`); None for the embedded one.
        cache_dir: folder of the cache (`ZOOSELECT_CACHE_DIR`); None for the system's place.
    """

    catalog: str | None = None
    cache_dir: str | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings of an environment; an empty variable counts as unset."""
        values = os.environ if environ is None else environ
        return cls(
            catalog=values.get("ZOOSELECT_CATALOG") or None,
            cache_dir=values.get("ZOOSELECT_CACHE_DIR") or None,
        )
