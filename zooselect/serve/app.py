"""The routes of the server: old clients' GraphQL, REST and files; zooselect's catalog and page."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
import time
from functools import partial
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zooselect.mirror.remote import Store
from zooselect.serve import graphql, rest
from zooselect.serve.files import FileResponse, drop, none_match
from zooselect.serve.wire import UrlOf
from zooselect.serve.zoo import Zoo

#: Bytes of a request body; a query of the old clients has about 500.
MAX_BODY = 64 * 1024
#: Seconds a client may take to send its body.
BODY_TIMEOUT = 10.0
#: Seconds between two looks whether the mirror has changed.
_LOOK_EVERY = 1.0
#: Seconds a request waits for such a look; an object store may be slow, or gone.
_LOOK_TIMEOUT = 2.0
#: GraphQL queries run at a time: more of them take no less time, only more memory.
_QUERIES = 4

_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
_access = logging.getLogger("zooselect.access")
_log = logging.getLogger("zooselect.serve")


class _Page(NamedTuple):
    """The page for people, and its entity tag."""

    content: bytes
    etag: str


class Server:
    """An ASGI application that serves a mirror.

    Args:
        mirror: what to serve; a changed `catalog.json` is picked up without a restart.
        base_url: address clients reach the server at, with any path before `/v2`; None to
            go by each request's `Host`.

    Raises:
        LocalFileError, IntegrityError: the mirror cannot be read.
    """

    def __init__(self, mirror: Store, base_url: str | None = None) -> None:
        self._mirror = mirror
        self._base_url = base_url.rstrip("/") if base_url else None
        self._prefix = unquote(urlsplit(self._base_url or "").path)
        self._stamp = self._failed = mirror.stamp()
        self._zoo = Zoo.read(mirror)
        self._looked = time.monotonic()
        self._look: asyncio.Task[None] | None = None
        self._queries = asyncio.Semaphore(_QUERIES)
        self._page: tuple[Zoo, asyncio.Task[_Page]] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        try:
            response = await self._response(Request(scope, receive), await self._current())
        except Exception:
            # Nobody needs to see the inside of the server; and a page would be saved as a file.
            _log.exception("a request failed")
            response = drop if scope["method"] == "GET" else _plain(500, "")
        await response(scope, receive, send)

    async def _response(self, request: Request, zoo: Zoo) -> ASGIApp:
        method, path = request.method, self._path(request)
        url_of = self._url_of(request)
        if path in ("/v2/graphql", "/auth"):
            if method != "POST":
                return _plain(405, "method not allowed", {"allow": "POST"})
            body = await _body(request)
            if body is None:
                headers = {"connection": "close"}
                return _plain(413, "the body is too long or too slow", headers)
            if path == "/auth":
                return _json(200, rest.TOKEN)
            async with self._queries:
                answer = await asyncio.to_thread(graphql.answer, zoo, body, url_of)
            return Response(answer.body, answer.status, media_type="application/json")
        if method not in ("GET", "HEAD"):
            return _plain(405, "method not allowed", {"allow": "GET, HEAD"})
        if path == "/":
            page = await self._page_of(zoo)
            return _fresh(request, page.content, page.etag, "text/html")
        return self._read(request, zoo, path, url_of)

    def _read(self, request: Request, zoo: Zoo, path: str, url_of: UrlOf) -> ASGIApp:
        if path == "/healthz":
            return _json(200, {"status": "ok", "models": len(zoo.models)})
        if path == "/catalog.json":
            return _fresh(request, zoo.content, zoo.etag, "application/json")
        found = zoo.by_path.get(path[1:])
        parts = path[1:].split("/")
        if parts[:2] == ["v2", "models"] and len(parts) > 4 and parts[3] == "files":
            found = zoo.file(parts[2], "/".join(parts[4:]))
            if found is None and request.method == "GET" and "range" in request.headers:
                # A client of 1.7 or 1.8 whose HEAD was answered before the model changed:
                # it would save a 404 as the file, even an empty one.
                return drop
        if found is not None:
            of, file = found
            return FileResponse(partial(self._mirror.open_file, of, file), file)
        if parts[0] == "v2":
            parts = parts[1:]
        if parts[:2] == ["models", "search"] and 3 <= len(parts) <= 4:
            sub_domain = parts[3] if len(parts) == 4 else None
            try:
                answer = rest.search(zoo, parts[2], sub_domain, request.query_params, url_of)
            except ValueError as error:
                return _json(400, {"error": str(error)})
            return _json(200, answer)
        if parts[:2] in (["models", "download"], ["models", "get"]) and len(parts) > 2:
            model = rest.model(zoo, "/".join(parts[2:]), url_of)
            if model is not None:
                return _json(200, model)
        return _plain(404, "")

    def _path(self, request: Request) -> str:
        """The path below the base URL's, doubled slashes folded."""
        path = re.sub("/{2,}", "/", request.scope["path"])
        return path[len(self._prefix) :] if path.startswith(self._prefix + "/") else path

    def _url_of(self, request: Request) -> UrlOf:
        base = self._base_url
        if base is None:
            host, *others = request.headers.getlist("host") or [""]
            if others or not _HOST.fullmatch(host):
                # A host of the client's making goes into no answer.
                name, port = request.scope.get("server") or ("127.0.0.1", 80)
                host = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
            secure = request.scope["scheme"] in ("https", "wss")
            base = f"{'https' if secure else 'http'}://{host}"
        return lambda path: base + quote(path)

    async def _page_of(self, zoo: Zoo) -> _Page:
        """The page of a zoo, made when it is first asked for, once, beside other requests."""
        made = self._page
        if made is None or made[0] is not zoo or _has_failed(made[1]):
            made = self._page = zoo, asyncio.create_task(asyncio.to_thread(_page, zoo))
        # A client that leaves does not end it for the others.
        return await asyncio.shield(made[1])

    async def _current(self) -> Zoo:
        """The zoo as the mirror stands now; the last good one while it cannot be read."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_EVERY and (self._look is None or self._look.done()):
            self._looked = now
            self._look = asyncio.create_task(self._look_again())
            await asyncio.wait({self._look}, timeout=_LOOK_TIMEOUT)
        return self._zoo

    async def _look_again(self) -> None:
        """See whether the mirror has changed; others are served from the old zoo meanwhile."""
        stamp = await asyncio.to_thread(self._mirror.stamp)
        if stamp != self._stamp:
            try:
                self._zoo = await asyncio.to_thread(Zoo.read, self._mirror)
                self._stamp = stamp
            except Exception as error:
                # Whatever is wrong with it; tried again at every look, told once.
                if stamp != self._failed:
                    _log.warning("the mirror cannot be read, serving what it was: %s", error)
                self._failed = stamp


class AccessLog:
    """Writes one JSON line a request; wraps an ASGI application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and log it when it has been answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.monotonic()
        status = size = 0

        async def counted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
            size += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, counted)
        finally:
            client = scope.get("client") or ("-", 0)
            line = {
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "client": client[0],
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "bytes": size,
                "ms": round((time.monotonic() - start) * 1e3, 1),
            }
            _access.info("%s", json.dumps(line))


def _page(zoo: Zoo) -> _Page:
    content = zoo.page()
    return _Page(content, f'"{hashlib.sha256(content).hexdigest()}"')


def _has_failed(task: asyncio.Task[_Page]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _fresh(request: Request, content: bytes, etag: str, media_type: str) -> Response:
    """Content that a client asks for again and again, and mostly has."""
    headers = {"etag": etag, "cache-control": "no-cache"}
    if none_match(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


async def _body(request: Request) -> bytes | None:
    """The request's body; None when it is too long, too slow or cut off."""

    async def read() -> bytes | None:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                return None
        return body

    try:
        return await asyncio.wait_for(read(), BODY_TIMEOUT)
    except (asyncio.TimeoutError, ClientDisconnect):
        return None


def _json(status: int, document: object) -> Response:
    return Response(json.dumps(document).encode(), status, media_type="application/json")


def _plain(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return Response(text, status, headers=headers, media_type="text/plain")
