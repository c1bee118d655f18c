"""File bodies: ranges as old clients ask for them, and nothing that they could mistake.

Those clients save whatever they are sent as the file. So a failing HEAD has no positive
length, a range past the end is clamped, a 416 has no body, and trouble during a GET closes
the connection instead of sending a page.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import NamedTuple

from anyio import to_thread
from starlette.types import Receive, Scope, Send

from zooselect.errors import ZooSelectError
from zooselect.mirror.remote import Opened
from zooselect.mirror.store import MirrorFile

#: Bytes read and sent at once; every client that is slow to take them holds so many.
CHUNK = 1 << 18

_log = logging.getLogger("zooselect.serve")


class Part(NamedTuple):
    """The bytes of a file to send: from `start` to before `end`."""

    start: int
    end: int


def wanted_part(header: str, size: int) -> Part | None:
    """Return the part a `Range` header asks for; an empty one when it starts past the end.

    An end past the last byte is clamped. None, for the whole file, where the header is
    no single range of bytes.
    """
    unit, _, spec = header.partition("=")
    first, dash, last = spec.strip().partition("-")
    if unit.strip().lower() != "bytes" or not dash or not _digits(first) or not _digits(last):
        return None
    if not first:
        return Part(max(0, size - int(last)), size) if last else None
    start, end = int(first), int(last) + 1 if last else size
    if end <= start and last:
        return None
    return Part(min(start, size), min(end, size))


def _digits(text: str) -> bool:
    # More digits than any file has bytes are no number worth reading.
    return not text or (text.isascii() and text.isdigit() and len(text) <= 19)


async def drop(scope: Scope, receive: Receive, send: Send) -> None:
    """Close the connection: the one answer to a GET that every old client takes for a failure.

    A server that gives no hold of it closes when a byte was promised and is not sent.
    """
    abort = scope.get("state", {}).get("abort")
    if abort is None:
        await _send_head(send, 500, {"content-length": "1"})
    else:
        await _abort(abort, receive)


async def _abort(abort: Callable[[], None], receive: Receive) -> None:
    abort()
    # The server has to know that the client is gone, or it would answer in our place.
    while (await receive())["type"] != "http.disconnect":
        pass


class FileResponse:
    """Sends a file of a mirror, or a part of it, in bounded memory.

    Args:
        open_file: opens it, or raises an OSError or a ZooSelectError.
        file: what the mirror says of it.
    """

    def __init__(self, open_file: Callable[[], Opened], file: MirrorFile) -> None:
        self._open = open_file
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a GET or HEAD."""
        try:
            opened = await to_thread.run_sync(self._open)
        except (OSError, ValueError, ZooSelectError) as error:
            _log.warning("%s: %s", self._file.name, error)
            if scope["method"] == "HEAD":
                await _send_empty(send, 500, {})
            else:
                await drop(scope, receive, send)
            return
        try:
            await self._answer(scope, receive, send, opened)
        finally:
            opened.close()

    async def _answer(self, scope: Scope, receive: Receive, send: Send, opened: Opened) -> None:
        asked = {name: value.decode("latin-1") for name, value in scope["headers"]}
        size, etag = self._file.size, f'"{self._file.sha256}"'
        headers = {
            "accept-ranges": "bytes",
            "etag": etag,
            "content-type": "application/octet-stream",
            "cache-control": "public, max-age=3600",
        }
        if none_match(asked.get(b"if-none-match", ""), etag):
            await _send_empty(send, 304, headers)
            return
        # A range of a HEAD means nothing, and If-Range asks for the whole of a changed file.
        partial = scope["method"] == "GET" and asked.get(b"if-range", etag) == etag
        part = wanted_part(asked.get(b"range", ""), size) if partial else None
        if part is not None and part.start == part.end:
            await _send_empty(send, 416, {**headers, "content-range": f"bytes */{size}"})
            return
        if part is not None:
            headers["content-range"] = f"bytes {part.start}-{part.end - 1}/{size}"
        start, end = part or Part(0, size)
        headers["content-length"] = str(end - start)
        await _send_head(send, 200 if part is None else 206, headers)
        if scope["method"] == "GET" and not await _send_bytes(send, opened, start, end):
            _log.warning("%s: cut short while it was sent", self._file.name)
            abort = scope.get("state", {}).get("abort")
            if abort is not None:
                await _abort(abort, receive)
            # Elsewhere the answer ends here, its length unmet, and the server closes.
            return
        # On its own, so that the server waits until the client has taken the last chunk.
        await send({"type": "http.response.body", "body": b""})


def none_match(header: str, etag: str) -> bool:
    """Whether an `If-None-Match` header says that the client has this version."""
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return etag in tags or tags == ["*"]


async def _send_bytes(send: Send, opened: Opened, start: int, end: int) -> bool:
    """Send bytes of a file; return whether all were there."""
    loop = asyncio.get_running_loop()
    try:
        opened.seek(start)
    except OSError:
        return False
    while start < end:
        reading = loop.run_in_executor(None, opened.read, min(CHUNK, end - start))
        try:
            chunk = await asyncio.shield(reading)
        except OSError:
            return False
        finally:
            # The file may not be closed under a read that is still going on.
            with contextlib.suppress(OSError):
                await asyncio.shield(reading)
        if not chunk:
            return False
        start += len(chunk)
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    return True


async def _send_empty(send: Send, status: int, headers: dict[str, str]) -> None:
    length = {} if status == 304 else {"content-length": "0"}
    await _send_head(send, status, {**headers, **length})
    await send({"type": "http.response.body", "body": b""})


async def _send_head(send: Send, status: int, headers: dict[str, str]) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
