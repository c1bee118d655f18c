"""Where the cache lies."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(configured: str | None) -> Path:
    """The folder of the cache; it need not be there, and nothing is made.

    Args:
        configured: what `ZOOSELECT_CACHE_DIR` says, `~` for the home folder; None for the
            place where this system keeps the caches of a user.
    """
    if configured is not None:
        return Path(os.path.abspath(os.path.expanduser(configured)))
    from platformdirs import user_cache_path

    return user_cache_path("zooselect", appauthor=False)
