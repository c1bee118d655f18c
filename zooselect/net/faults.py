"""What goes wrong on the way, as errors that name the host and say what to do."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import requests
import urllib3

from zooselect.errors import NetworkError, ServerError
from zooselect.net.retry import RETRIED, parse_retry_after
from zooselect.net.url import Address

_SAID = 120  # characters of an error page that a message shows
_PHRASES = {one.value: f" ({one.phrase})" for one in HTTPStatus}
_LATER = "the server is in trouble; try again later"
_HINTS = {
    401: "set ZOOSELECT_API_TOKEN, or credentials in the URL",
    403: "the server refuses; does it want a token (ZOOSELECT_API_TOKEN)?",
    404: "check the server's URL: there is nothing of the kind",
    407: "the proxy wants credentials: HTTPS_PROXY=http://user:password@host",
    429: "the server asks for fewer requests; try again later",
}


def status_error(
    address: Address, status: int, headers: Mapping[str, str], said: str
) -> ServerError:
    """Return the error an HTTP status stands for.

    Args:
        address: who answered.
        status: the status.
        headers: the answer's headers.
        said: the beginning of the answer's text; empty without any.
    """
    message = f"{address.shown} answers with status {status}{_PHRASES.get(status, '')}"
    words = _words(said)
    message += f": {words}" if words else ""
    asked = parse_retry_after(headers.get("retry-after"), time.time())
    return ServerError(
        message,
        hint=_HINTS.get(status, "is this the server you meant?" if status < 500 else _LATER),
        retry=status in RETRIED,
        retry_after=asked if status in RETRIED else None,
        status=status,
    )


def _words(text: str) -> str:
    """The beginning of a page, without its mark-up."""
    if "<" in text:
        return ""
    return " ".join(text.split())[:_SAID]


@contextmanager
def network_errors(address: Address) -> Iterator[None]:
    """Turn what requests, urllib3 and sockets raise into a NetworkError that names the host."""
    host = address.host

    def error(what: str, hint: str, *, retry: bool) -> NetworkError:
        return NetworkError(f"{host}: {what}", hint=hint, retry=retry)

    reach = "check the address, the network and the proxy settings; --offline asks nobody"
    try:
        yield
    except requests.exceptions.SSLError as one:
        hint = "REQUESTS_CA_BUNDLE names the certificates to trust"
        raise error(f"no secure connection: {_reason(one)}", hint, retry=False) from one
    except (requests.exceptions.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError) as one:
        raise error("no connection in time", reach, retry=True) from one
    except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError) as one:
        raise error("no answer in time", "ZOOSELECT_TIMEOUT waits longer", retry=True) from one
    except requests.exceptions.ProxyError as one:
        raise error(f"the proxy fails: {_reason(one)}", reach, retry=True) from one
    except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError) as one:
        raise error(f"the connection fails: {_reason(one)}", reach, retry=True) from one
    except (requests.exceptions.RequestException, ValueError) as one:
        raise error(f"cannot be asked: {_reason(one)}", reach, retry=False) from one
    except urllib3.exceptions.DecodeError as one:
        hint = "is this the server you meant?"
        raise ServerError(f"{host}: an answer in a broken encoding", hint=hint) from one
    except (urllib3.exceptions.HTTPError, OSError) as one:
        raise error(f"the connection breaks: {_reason(one)}", reach, retry=True) from one


def _reason(error: BaseException) -> str:
    """The innermost cause in words: what a person can act on."""
    cause: Any = error
    for _ in range(8):
        inner = getattr(cause, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((one for one in cause.args if isinstance(one, BaseException)), None)
        inner = inner or cause.__cause__
        if inner is None:
            break
        cause = inner
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return " ".join(text.split())[:_SAID]
