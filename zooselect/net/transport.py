"""The requests session everything goes through: nothing in it waits for ever."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from zooselect import __version__

#: Time-outs within which the headers of an answer must be whole. One between bytes alone would
#: let a server send a byte now and then for ever.
_HEADERS_WITHIN = 2.0
#: The same for any content at all: chunks of no bytes and endless trailers are none.
_CONTENT_WITHIN = 2.0


class _Punctual(HTTPConnection):
    """A connection whose answer's headers come in time or not at all."""

    def getresponse(self) -> Any:
        with _in_time(self):
            return super().getresponse()


class _PunctualTLS(_Punctual, HTTPSConnection):
    def _tunnel(self) -> None:
        with _in_time(self):  # a proxy's answer has headers, too
            super()._tunnel()


@contextmanager
def _in_time(connection: HTTPConnection) -> Iterator[None]:
    """End a connection that headers are waited for on too long.

    Raises:
        TimeoutError: it was ended.
    """
    late = threading.Event()

    def end(connection: socket.socket | None) -> None:
        late.set()
        with suppress(OSError):
            if connection is not None:
                connection.shutdown(socket.SHUT_RDWR)

    assert isinstance(connection.timeout, (int, float)), "every request has a time-out"
    timer = threading.Timer(_HEADERS_WITHIN * connection.timeout, end, [connection.sock])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if late.is_set():  # headers cut off would count as whole
            raise TimeoutError


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Punctual


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _PunctualTLS


_POOLS = {"http": _Pool, "https": _TLSPool}


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class Watch:
    """Ends an answer whose content one call waits for too long.

    Args:
        response: the answer.
        timeout: seconds between two bytes.
    """

    def __init__(self, response: requests.Response, timeout: float) -> None:
        self._response = response
        self._within = _CONTENT_WITHIN * timeout
        self._since: float | None = None
        self._late = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Watch a call that waits for content.

        Raises:
            TimeoutError: none came.
        """
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._since = None
            if self._late:  # what was cut off would count as the end
                raise TimeoutError

    def end(self) -> None:
        """End the answer from another thread: whoever reads it is told that it is late."""
        self._late = True
        with suppress(OSError, ValueError, RuntimeError):
            self._response.raw.shutdown()

    def _watch(self) -> None:
        while not self._over.wait(self._within / 4):
            since = self._since
            if since is not None and time.monotonic() - since > self._within:
                self.end()
                return


def new_session(connections: int) -> requests.Session:
    """Return a session that keeps no cookies; proxies and CA bundles are the environment's.

    Args:
        connections: how many of them it keeps open to one host.
    """
    session = requests.Session()
    adapter = _Adapter(pool_maxsize=connections)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers["User-Agent"] = f"zooselect/{__version__}"
    return session
