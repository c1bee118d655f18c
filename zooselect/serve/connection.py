"""Connections within bounds: what a client may send, and how long it may take.

uvicorn bounds neither a request's head nor the time a client takes for it, and answers a
503 with a text when it has too many clients; an old client would save that text as its file.
Here such connections are dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Bytes of a whole request, its head and its body.
MAX_REQUEST = 128 * 1024
#: Seconds in which a request has to arrive, counted from its first byte or the connection.
REQUEST_TIMEOUT = 20.0
#: Seconds for which a client may take nothing of what it is sent.
STALL_TIMEOUT = 120.0
#: Connections at a time, of one worker; each may hold a chunk of a file in memory.
MAX_CONNECTIONS = 250


class Connection(HttpToolsProtocol):
    """A client's connection; the application finds `abort` in the request's `state`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._pending = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, if there is room for one more."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            transport.abort()
            return
        # The kernel alone knows whether bytes are taken; not every system will tell.
        with contextlib.suppress(AttributeError, OSError):
            transport.get_extra_info("socket").setsockopt(
                socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(STALL_TIMEOUT * 1000)
            )
        self._timer = self.loop.call_later(REQUEST_TIMEOUT, transport.abort)

    def data_received(self, data: bytes) -> None:
        """Take bytes of a request."""
        if self._timer is None:
            self._timer = self.loop.call_later(REQUEST_TIMEOUT, self.transport.abort)
        self._pending += len(data)
        if self._pending > MAX_REQUEST:
            self.transport.abort()
            return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """Start a request."""
        super().on_message_begin()
        self.scope["state"]["abort"] = self.transport.abort

    def on_message_complete(self) -> None:
        """End a request: it has arrived in whole."""
        super().on_message_complete()
        self._pending = 0
        self._end_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._end_timer()
        super().connection_lost(exc)

    def _end_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
