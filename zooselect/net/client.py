"""The one client that opens sockets: time-outs, retries, redirects, and secrets kept at home."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import NamedTuple, TypeVar

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from zooselect.errors import NetworkError, ServerError, UsageError
from zooselect.net.faults import network_errors, status_error
from zooselect.net.retry import ATTEMPTS, shown, wait_before
from zooselect.net.transport import Watch, new_session
from zooselect.net.url import Address

T = TypeVar("T")
Say = Callable[[str], None]

#: Seconds for one whole answer of `fetch`, and its bytes.
ANSWER_WITHIN = 60.0
ANSWER_BYTES = 256 * 1024 * 1024

_REDIRECTS = 8
_REDIRECTED = frozenset({301, 302, 303, 307, 308})
#: Redirects that keep a POST a POST.
_METHOD_KEPT = frozenset({307, 308})
_CHUNK = 1 << 18
_SAID_BYTES = 4096  # of an error page that is read
_TOLD_FROM = 2.0  # seconds of waiting that are worth a line


class Fetched(NamedTuple):
    """A whole answer.

    Attributes:
        status: the HTTP status.
        headers: the answer's headers; names in any letter case.
        content: the body.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes


class Answer:
    """An answer whose body has not been read yet.

    Attributes:
        status: the HTTP status.
        headers: the answer's headers; names in any letter case.
        address: where it came from, after redirects.
    """

    def __init__(self, response: requests.Response, address: Address, watch: Watch) -> None:
        self._response = response
        self._watch = watch
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.address = address

    def read(self, size: int, *, decode: bool = False) -> bytes:
        """Return what has arrived, at least a byte and at most `size`; nothing at the end.

        Args:
            size: the most bytes.
            decode: undo a compression of the transfer; one that was cut is not noticed.

        Raises:
            NetworkError: the connection broke, or the body is shorter than announced.
        """
        with network_errors(self.address), self._watch.reading():
            data: bytes = self._response.raw.read1(size, decode_content=decode)
            return data

    def error(self) -> ServerError:
        """Return the error that the status stands for; reads a little of the body."""
        said = ""
        if "text" in self.headers.get("content-type", "text"):
            with suppress(NetworkError):
                said = self.read(_SAID_BYTES, decode=True).decode("utf-8", "replace")
        return status_error(self.address, self.status, self.headers, said)


class _Token(AuthBase):
    """A bearer token; given as `auth`, so that no netrc entry takes its place.

    Raises:
        UsageError: no header can hold it.
    """

    def __init__(self, token: str) -> None:
        if not token.isascii() or not token.isprintable():
            # What the libraries say of it would show it.
            raise UsageError(
                "ZOOSELECT_API_TOKEN holds a character that no token has",
                hint="is it one line, of letters, digits and ASCII signs?",
            )
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Client:
    """Asks servers on behalf of one command.

    Args:
        home: the configured server; None where there is none. Its credentials, and the
            token, go to its origin alone.
        token: bearer token for `home`.
        timeout: seconds to wait for a connection, and between two bytes of an answer.
        patience: seconds that all waiting before retries may take together.
        say: told in a line when a wait is long.
        connections: how many of them are kept open to one host.
        sleep, clock, chance: replaced by tests.

    Raises:
        UsageError: a token that no header can hold.
    """

    def __init__(
        self,
        home: Address | None = None,
        *,
        token: str | None = None,
        timeout: float = 10.0,
        patience: float = 60.0,
        say: Say = lambda line: None,
        connections: int = 16,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._home = home
        self._token = None if token is None else _Token(token.strip())
        self._timeout = timeout
        self._patience = patience
        self._waited_until = 0.0
        self._open: set[Watch] = set()
        self._waiting = threading.Lock()
        self._say = say
        self._sleep = sleep
        self._clock = clock
        self._chance = chance
        self._session = new_session(connections)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def interrupt(self) -> None:
        """End what other threads are reading at the moment."""
        for watch in [*self._open]:
            watch.end()

    def fetch(
        self,
        method: str,
        address: Address,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        accept: Collection[int] = (200,),
        at_most: int = ANSWER_BYTES,
    ) -> Fetched:
        """Return a whole answer, asking again where that may help.

        Args:
            method: `GET` or `POST`.
            address: where.
            headers: what is sent beside the usual ones.
            body: what is sent; None for nothing.
            accept: statuses the caller makes sense of; others are errors.
            at_most: bytes the body may have.

        Raises:
            NetworkError: no answer.
            ServerError: an answer of another status, or one that is too long or too slow.
        """
        wanted = {"Accept-Encoding": "gzip, deflate", **(headers or {})}

        def once() -> Fetched:
            with self.opened(method, address, headers=wanted, body=body) as answer:
                if answer.status not in accept:
                    raise answer.error()
                return Fetched(answer.status, answer.headers, self._whole(answer, at_most))

        return self.retrying(once)

    def _whole(self, answer: Answer, at_most: int) -> bytes:
        end = self._clock() + ANSWER_WITHIN
        content = bytearray()
        while data := answer.read(_CHUNK, decode=True):
            content += data
            if len(content) > at_most:
                raise ServerError(
                    f"{answer.address.shown} answers with more than {at_most:,} bytes",
                    hint="is this the server you meant?",
                )
            if self._clock() > end:
                raise ServerError(
                    f"{answer.address.shown} takes longer than {ANSWER_WITHIN:.0f} s to answer",
                    hint="try again later",
                )
        return bytes(content)

    def retrying(self, attempt: Callable[[], T]) -> T:
        """Return what an attempt comes to, tried again while its errors say that may help.

        Raises:
            NetworkError: the last attempt's.
        """
        for number in range(1, ATTEMPTS + 1):
            try:
                return attempt()
            except NetworkError as error:
                if number == ATTEMPTS or not error.retry:
                    raise
                self.wait(number, error)
        raise AssertionError("the last attempt returns or raises")

    def wait(self, attempt: int, error: NetworkError) -> None:
        """Wait before the attempt after `attempt`, as long as the server asks or as is fair.

        Raises:
            NetworkError: the error, when that would be more than patience is left for.
        """
        seconds = wait_before(attempt, error.retry_after, self._chance())
        with self._waiting:
            # Several that wait at a time wait no longer than the last of them.
            end = self._clock() + seconds
            more = min(seconds, max(0.0, end - self._waited_until))
            if more > self._patience:
                if error.retry_after is not None:
                    error.hint = f"the server asks to wait {shown(error.retry_after)}"
                raise error
            self._patience -= more
            self._waited_until = max(end, self._waited_until)
        if seconds >= _TOLD_FROM:
            self._say(f"{error.message}; asking again in {seconds:.0f} s")
        self._sleep(seconds)

    @contextmanager
    def opened(
        self,
        method: str,
        address: Address,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Iterator[Answer]:
        """Send a request once, follow its redirects where that is safe, and give the answer.

        Raises:
            NetworkError: no answer, with `retry` set where asking again may help.
            ServerError: a redirect that is not followed.
        """
        seen = address
        for _ in range(_REDIRECTS + 1):
            response = self._send(method, seen, headers or {}, body)
            try:
                if response.status_code not in _REDIRECTED:
                    with Watch(response, self._timeout) as watch:
                        self._open.add(watch)
                        try:
                            yield Answer(response, seen, watch)
                        finally:
                            self._open.discard(watch)
                    return
                target = response.headers.get("location", "")
                seen = _redirected(method, response.status_code, seen, target)
            finally:
                response.close()
        raise ServerError(
            f"{address.shown} redirects more than {_REDIRECTS} times", hint="check the server's URL"
        )

    def _send(
        self, method: str, address: Address, headers: Mapping[str, str], body: bytes | None
    ) -> requests.Response:
        with network_errors(address):
            return self._session.request(
                method,
                address.url,
                headers=dict(headers),
                data=body,
                auth=self._auth(address),
                timeout=(self._timeout, self._timeout),
                allow_redirects=False,
                stream=True,
            )

    def _auth(self, address: Address) -> AuthBase | None:
        home = self._home
        if home is None or address.origin != home.origin:
            return None
        if self._token is not None:
            return self._token
        # In UTF-8, as a URL spells them, and not in the Latin-1 that requests makes of texts.
        return HTTPBasicAuth(*map(str.encode, home.credentials)) if home.credentials else None


def _redirected(method: str, status: int, address: Address, location: str) -> Address:
    def refuse(why: str) -> ServerError:
        return ServerError(
            f"{address.shown} redirects {why} (status {status})",
            hint="configure the address it should be asked at",
            status=status,
        )

    if not location.strip():
        raise refuse("to nowhere")
    try:
        target = address.redirected(location)
    except ValueError as error:
        raise refuse(f"to what cannot be followed: {error}") from error
    if (address.origin[0], target.origin[0]) == ("https", "http"):
        raise refuse("from https to http")
    if method == "POST":
        if status not in _METHOD_KEPT:
            raise refuse("a question as if it were a page")
        if target.origin[1] != address.origin[1]:
            raise refuse(f"a question to another host, {target.host}")
    return target
