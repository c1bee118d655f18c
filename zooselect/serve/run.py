"""The server process."""

from __future__ import annotations

import gc
import json
import logging
import os
import socket
import sys
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from zooselect.errors import LocalFileError, UsageError
from zooselect.mirror.remote import open_store
from zooselect.object_store import is_url

#: Seconds that downloads under way have left when the server is told to end.
SHUTDOWN_TIMEOUT = 10

_ROOT, _BASE_URL = "ZOOSELECT_SERVE_ROOT", "ZOOSELECT_SERVE_BASE_URL"


def serve(
    root: str,
    host: str,
    port: int,
    workers: int,
    base_url: str | None,
    ready: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve a mirror until interrupted.

    Args:
        root: the mirror's folder or fsspec URL.
        host: name or address to listen on.
        port: port to listen on.
        workers: processes.
        base_url: where clients reach the server; None to go by each request's `Host`.
        ready: is told the server's address once nothing stands in the way.

    Raises:
        UsageError: the packages of an extra are missing, or a bad base URL.
        LocalFileError: no mirror there, or the address is taken.
        IntegrityError: the mirror's catalog is no catalog.
    """
    try:
        import graphql  # noqa: F401
        import httptools  # noqa: F401
        import starlette  # noqa: F401
        import uvicorn
    except ImportError as error:
        raise UsageError(
            f"serving needs the package {error.name}", hint="pip install 'zooselect[serve]'"
        ) from error
    if base_url is not None:
        _check_base_url(base_url)
    open_store(root)
    _check_address(host, port)
    ready(base_url or (f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"))
    # Workers are processes of their own: what they need travels in the environment.
    os.environ[_ROOT] = root if is_url(root) else os.path.abspath(root)
    os.environ[_BASE_URL] = base_url or ""
    uvicorn.run(
        "zooselect.serve.run:application",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        http="zooselect.serve.connection:Connection",
        ws="none",
        access_log=False,
        log_config=None,
        log_level="error",
        server_header=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT,
        lifespan="off",
    )


def application() -> object:
    """Make the ASGI application of a worker process."""
    from zooselect.serve.app import AccessLog, Server

    for name, formatter, level in (
        ("zooselect.access", logging.Formatter("%(message)s"), logging.INFO),
        ("zooselect.serve", _JsonLine(), logging.INFO),
        ("uvicorn.error", _JsonLine(), logging.ERROR),
    ):
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(formatter)
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False
    application = AccessLog(Server(open_store(os.environ[_ROOT]), os.environ[_BASE_URL] or None))
    # The command line puts garbage off until there is much of it; here that would be a tenth
    # of a second in the middle of an answer. What is there by now is none.
    gc.collect()
    gc.freeze()
    gc.set_threshold(700, 10, 10)
    return application


class _JsonLine(logging.Formatter):
    """One line of JSON, whatever a message or a traceback holds."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "message": record.getMessage().strip(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _check_base_url(base_url: str) -> None:
    try:
        parts = urlsplit(base_url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname)
        sound = sound and parts.port != 0 and not parts.query and not parts.fragment
    except ValueError:
        sound = False
    if not sound or not base_url.isascii() or not base_url.isprintable() or " " in base_url:
        raise UsageError(
            f"base URL {base_url!a} is not http:// or https://, a host and perhaps a path",
            hint="such as https://zoo.example.org/mirror",
        )


def _check_address(host: str, port: int) -> None:
    """Try the address first: a server that cannot have it would log a traceback."""
    try:
        for family, kind, _, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            with socket.socket(family, kind) as probe:
                if os.name == "posix":  # elsewhere it would take the address from another server
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
    except (OSError, ValueError) as error:  # ValueError: no name of a host
        reason = getattr(error, "strerror", None) or "no name of a host"
        raise LocalFileError(
            f"cannot listen on {host}:{port}: {reason}", hint="try another --port"
        ) from error
