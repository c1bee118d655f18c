"""The client against servers that do what they should not, on real sockets."""

import gzip
import time

import pytest

from tests.net.loopback import (
    allowed,
    answer,
    closed_port,
    dripping,
    hanging,
    reset,
)
from zooselect.errors import NetworkError, ServerError
from zooselect.net import client as client_module
from zooselect.net import transport
from zooselect.net.client import Client
from zooselect.net.url import parse

pytestmark = allowed

OK = answer(b"content")


class Asking:
    """A client that never sleeps, and tells what it would have slept."""

    def __init__(self, server=None, **options):
        self.slept, self.said = [], []
        home = parse(server.url) if server is not None else None
        options = {"home": home, "timeout": 0.6, "chance": lambda: 1.0, **options}
        self._client = Client(**options, sleep=self._sleep, clock=self._now, say=self.said.append)
        self._home = home

    def _sleep(self, seconds):
        self.slept.append(seconds)

    def _now(self):
        return time.monotonic() + sum(self.slept)

    def __call__(self, where="/", method="GET", **options):
        address = self._home.redirected(where) if self._home else parse(where)
        try:
            return self._client.fetch(method, address, **options)
        finally:
            self._client.close()


def test_an_answer_and_what_was_sent(loopback):
    server = loopback(answer(b"content", ETag='"1"'))
    fetched = Asking(server)("/a?b=c", headers={"X-More": "1"})
    assert (fetched.status, fetched.content, fetched.headers["etag"]) == (200, b"content", '"1"')
    request = server.requests[0]
    assert request[:2] == ("GET", "/a?b=c")
    assert request.headers["user-agent"].startswith("zooselect/")
    assert request.headers["accept-encoding"] == "gzip, deflate"
    assert request.headers["x-more"] == "1"
    assert not {"authorization", "cookie"} & set(request.headers)


def chunked(*chunks, end=b"0\r\n\r\n"):
    parts = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return answer(Content_Length=None, Transfer_Encoding="chunked") + parts + end


@pytest.mark.parametrize(
    "good",
    [
        answer(gzip.compress(b"content"), Content_Encoding="gzip"),
        chunked(b"con", b"tent"),
        answer(Content_Length=None) + b"content",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.0 200 OK\r\n\r\ncontent",
        answer(b"content", X_Odd="\xff"),
    ],
)
def test_answers_in_other_forms(loopback, good):
    assert Asking(loopback(good))().content == b"content"


#: What a server may send that is no answer, and what is said of it.
BROKEN = {
    "reset": (reset, "the connection"),
    "nothing": (b"", "the connection fails"),
    "no_http": (b"SSH-2.0-OpenSSH_9.2\r\n", "the connection fails"),
    "status_cut": (b"HTTP/1.1 20", "the connection fails"),
    "headers_for_ever": (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200, "the connection fails"),
    "header_too_long": (b"HTTP/1.1 200 OK\r\na: " + b"b" * 70_000, "the connection fails"),
    "hang": (hanging(), "no answer in time"),
    "hang_in_headers": (hanging(b"HTTP/1.1 200 OK\r\n"), "no answer in time"),
    "stall_in_body": (hanging(answer(b"conte", Content_Length=7)), "no answer in time"),
    "body_cut": (answer(b"conte", Content_Length=7), "the connection breaks"),
    "body_missing": (answer(b"", Content_Length=7), "the connection breaks"),
    "chunk_cut": (chunked(b"content", end=b"7\r\nco"), "the connection breaks"),
    "chunks_without_end": (chunked(b"content", end=b""), "the connection breaks"),
    "no_chunk": (chunked(end=b"zz\r\n"), "the connection breaks"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_broken_answers_are_asked_for_again(loopback, name):
    broken, message = BROKEN[name]
    server = loopback(broken, OK)
    ask = Asking(server)
    assert ask().content == b"content"
    assert ask.slept == [0.4]
    server.then(broken)
    with pytest.raises(NetworkError) as error:
        ask()
    assert error.value.message.startswith(f"{server.host}: {message}")
    assert error.value.hint
    assert ask.slept == [0.4, 0.4, 0.8, 1.6]


def test_nobody_listens():
    port = closed_port()
    ask = Asking(None)
    with pytest.raises(NetworkError, match=f"127.0.0.1:{port}: .*refused"):
        ask(f"http://127.0.0.1:{port}/")
    assert len(ask.slept) == 3


def test_headers_that_drip(loopback, monkeypatch):
    monkeypatch.setattr(transport, "_HEADERS_WITHIN", 0.2)
    # Cut off, such headers count as whole for the standard library: an answer without a body.
    server = loopback(dripping(b"HTTP/1.1 200 OK\r\nX-Drip: "), OK)
    ask = Asking(server)
    assert ask().content == b"content"
    assert len(server.requests) == 2


def test_a_body_that_drips(loopback, monkeypatch):
    monkeypatch.setattr(client_module, "ANSWER_WITHIN", 0.2)
    server = loopback(dripping(answer(Content_Length=10**6)))
    with pytest.raises(ServerError, match="takes longer than"):
        Asking(server)()
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "large",
    [
        answer(b"x" * 3000),
        answer(gzip.compress(bytes(50 << 20)), Content_Encoding="gzip"),
        answer(gzip.compress(gzip.compress(bytes(50 << 20))), Content_Encoding="gzip, gzip"),
    ],
    ids=["plain", "bomb", "bomb_in_bomb"],
)
def test_answers_that_are_too_large(loopback, large):
    with pytest.raises(ServerError, match="more than 2,000 bytes"):
        Asking(loopback(large))(at_most=2000)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip, deflate"])
def test_wrong_encodings(loopback, encoding):
    server = loopback(answer(b"plain text", Content_Encoding=encoding))
    with pytest.raises(ServerError, match="broken encoding"):
        Asking(server)()
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("headers", "slept"),
    [
        ({}, 0.4),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "86400"}, 60.0),
        ({"Retry-After": "-5"}, 0.4),
        ({"Retry-After": "soon"}, 0.4),
        ({"Retry-After": "Fri, 15 Jan 1999 08:00:00 GMT"}, 0.0),
        ({"Retry-After": "Fri, 15 Jan 2999 08:00:00 GMT"}, 60.0),
    ],
)
@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_servers_that_ask_for_time(loopback, status, headers, slept):
    ask = Asking(loopback(answer(status=status, **headers), OK))
    assert ask().content == b"content"
    assert ask.slept == [slept]
    assert len(ask.said) == (slept >= 2)


def test_patience_ends(loopback):
    server = loopback(answer(status="503 Busy", Retry_After="40"))
    ask = Asking(server)
    with pytest.raises(ServerError) as error:
        ask()
    assert ask.slept == [40.0]
    assert error.value.hint == "the server asks to wait 40 s; try again then"
    assert ask.said == [
        f"{server.url}/ answers with status 503 (Service Unavailable); asking again in 40 s"
    ]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 416, 501, 204, 206, 304])
def test_other_statuses_are_errors_at_once(loopback, status):
    server = loopback(answer(b"why", f"{status} So", Content_Type="text/plain"))
    with pytest.raises(ServerError) as error:
        Asking(server)()
    assert error.value.status == status
    assert len(server.requests) == 1


# Redirects


def to(location, status="302 Found"):
    return answer(status=status, Location=location)


@pytest.mark.parametrize("status", ["301 A", "302 B", "303 C", "307 D", "308 E"])
def test_a_page_may_be_elsewhere(loopback, status):
    other = loopback(OK)
    server = loopback(to("/b", status), to(other.url + "/c", status))
    assert Asking(server)("/a").content == b"content"
    assert [one.target for one in server.requests] == ["/a", "/b"]
    assert other.requests[0].target == "/c"


@pytest.mark.parametrize("status", ["301 A", "302 B", "303 C"])
def test_a_question_is_never_made_a_page(loopback, status):
    server = loopback(to("/b", status), OK)
    with pytest.raises(ServerError, match="redirects a question as if it were a page"):
        Asking(server)("/a", "POST", body=b"{}")
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", ["307 D", "308 E"])
def test_a_question_stays_one(loopback, status):
    server = loopback(to("/b", status), OK)
    assert Asking(server)("/a", "POST", body=b"{}").content == b"content"
    assert [one[:2] + one[3:] for one in server.requests] == [
        ("POST", "/a", b"{}"),
        ("POST", "/b", b"{}"),
    ]


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("", "to nowhere"),
        ("file:///etc/passwd", "begins with file:"),
        ("ftp://127.0.0.1/", "begins with ftp:"),
        ("http://127.0.0.1:port/", "its port"),
        ("/a b", "a character no URL has"),
    ],
)
def test_redirects_that_are_not_followed(loopback, location, why):
    server = loopback(to(location), OK)
    with pytest.raises(ServerError, match=why) as error:
        Asking(server)()
    assert error.value.message.startswith(f"{server.url}/ redirects ")
    assert len(server.requests) == 1


def test_a_question_is_not_taken_to_another_host(loopback):
    server = loopback(to("http://localhost:1/b", "308 E"))
    with pytest.raises(ServerError, match="a question to another host, localhost:1"):
        Asking(server)(method="POST", body=b"{}")


def test_redirects_in_a_circle(loopback):
    server = loopback(to("/"))
    with pytest.raises(ServerError, match="redirects more than 8 times"):
        Asking(server)()
    assert len(server.requests) == 9


def test_redirects_do_not_use_up_the_connections(loopback):
    server = loopback(*[to("/")] * 8, OK)
    assert Asking(server)().content == b"content"


def test_those_that_wait_at_a_time_wait_no_longer_than_one():
    """Four workers are asked to wait 20 s each; a minute of patience is enough for all."""
    client = Client(sleep=lambda seconds: None, clock=lambda: 0.0, patience=25.0)
    for _ in range(4):
        client.wait(1, NetworkError("busy", retry=True, retry_after=20.0))
    with pytest.raises(NetworkError):
        client.wait(1, NetworkError("busy", retry=True, retry_after=30.0))


def test_an_absurd_wait_is_told_in_words():
    client = Client(patience=1.0)
    with pytest.raises(NetworkError) as error:
        client.wait(1, NetworkError("busy", retry=True, retry_after=1e12))
    assert error.value.hint == "the server asks to wait more than a day"
