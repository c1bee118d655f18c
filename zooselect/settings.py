"""Settings from the environment, read when asked for and passed down as a value."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import NamedTuple

from zooselect.errors import UsageError

_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


class Settings(NamedTuple):
    """What the environment says.

    Attributes:
        catalog: path or URL of a catalog (`ZOOSELECT_CATALOG`); None for another source.
        api_url: base URL of a SparseZoo API (`ZOOSELECT_API_URL`, else `SPARSEZOO_API_URL`).
        api_token: bearer token for that server, or for a catalog's URL
            (`ZOOSELECT_API_TOKEN`).
        offline: open no socket (`ZOOSELECT_OFFLINE`).
        refresh: ask servers again however fresh their kept answers are
            (`ZOOSELECT_REFRESH`).
        no_fallback: nothing stands in for a server that fails (`ZOOSELECT_NO_FALLBACK`).
        cache_dir: folder of the cache (`ZOOSELECT_CACHE_DIR`); None for the user's.
        lock_file: path of the lock file (`ZOOSELECT_LOCK`); None for `zooselect.lock` in the
            current folder.
        cache_ttl: seconds for which kept answers are fresh (`ZOOSELECT_CACHE_TTL`).
        timeout: seconds to wait for a connection and between two bytes
            (`ZOOSELECT_TIMEOUT`).
        patience: seconds a command waits before retries, all together
            (`ZOOSELECT_RETRY_BUDGET`).
    """

    catalog: str | None = None
    api_url: str | None = None
    api_token: str | None = None
    offline: bool = False
    refresh: bool = False
    no_fallback: bool = False
    cache_dir: str | None = None
    lock_file: str | None = None
    cache_ttl: float = 86_400.0
    timeout: float = 10.0
    patience: float = 60.0

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings of an environment; an empty variable counts as unset.

        Raises:
            UsageError: a variable that is no switch or no number.
        """
        values = os.environ if environ is None else environ
        get = values.get
        return cls(
            catalog=get("ZOOSELECT_CATALOG") or None,
            api_url=get("ZOOSELECT_API_URL") or get("SPARSEZOO_API_URL") or None,
            api_token=get("ZOOSELECT_API_TOKEN") or None,
            offline=_switch(values, "ZOOSELECT_OFFLINE"),
            refresh=_switch(values, "ZOOSELECT_REFRESH"),
            no_fallback=_switch(values, "ZOOSELECT_NO_FALLBACK"),
            cache_dir=get("ZOOSELECT_CACHE_DIR") or None,
            lock_file=get("ZOOSELECT_LOCK") or None,
            cache_ttl=_number(values, "ZOOSELECT_CACHE_TTL", 86_400.0, least=0.0),
            timeout=_number(values, "ZOOSELECT_TIMEOUT", 10.0, least=0.001, most=3600.0),
            patience=_number(values, "ZOOSELECT_RETRY_BUDGET", 60.0, least=0.0),
        )


def _switch(values: Mapping[str, str], name: str) -> bool:
    text = values.get(name, "").strip().lower()
    if text and text not in (*_TRUE, *_FALSE):
        raise UsageError(
            f"{name} is {values[name]!a}, neither on nor off",
            hint=f"{', '.join(_TRUE)} or {', '.join(_FALSE)}",
        )
    return text in _TRUE


def _number(
    values: Mapping[str, str], name: str, default: float, *, least: float, most: float = 1e9
) -> float:
    text = values.get(name, "").strip()
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        raise UsageError(
            f"{name} is {values[name]!a}, not a number of seconds",
            hint=f"seconds from {least:g} to {most:g}, such as {default:g}",
        )
    return number
