"""What goes wrong on the way, in words."""

import pytest
import requests
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from zooselect.errors import NetworkError
from zooselect.net.faults import network_errors, status_error
from zooselect.net.url import parse

HERE = parse("http://me:secret@zoo:8000/a?sig=secret")


def told(error):
    with pytest.raises(NetworkError) as caught, network_errors(HERE):
        raise error
    return caught.value


def nested(reason):
    """An error of requests as it comes: with the one of urllib3 that has the reason inside."""
    pool = urllib3.HTTPConnectionPool("zoo", 8000)
    return requests.exceptions.ConnectionError(
        urllib3.exceptions.MaxRetryError(pool, "/a?sig=secret", reason)
    )


@pytest.mark.parametrize(
    ("error", "message", "retry"),
    [
        (nested(ConnectionRefusedError(111, "Connection refused")),
         "zoo:8000: the connection fails: Connection refused", True),
        (requests.exceptions.SSLError("certificate verify failed"),
         "zoo:8000: no secure connection: certificate verify failed", False),
        (requests.exceptions.ConnectTimeout("long"), "zoo:8000: no connection in time", True),
        (requests.exceptions.ReadTimeout("long"), "zoo:8000: no answer in time", True),
        (TimeoutError("long"), "zoo:8000: no answer in time", True),
        (requests.exceptions.ProxyError("no"), "zoo:8000: the proxy fails: no", True),
        (requests.exceptions.InvalidHeader("odd"), "zoo:8000: cannot be asked: odd", False),
        (ValueError("odd\nand more"), "zoo:8000: cannot be asked: odd and more", False),
        (urllib3.exceptions.ProtocolError("cut"), "zoo:8000: the connection breaks: cut", True),
        (OSError(104, "reset"), "zoo:8000: the connection breaks: reset", True),
        (urllib3.exceptions.DecodeError("bad"), "zoo:8000: an answer in a broken encoding", False),
    ],
)  # fmt: skip
def test_every_error_is_one(error, message, retry):
    caught = told(error)
    assert (caught.message, caught.retry, caught.exit_code) == (message, retry, 5)
    assert caught.hint


def test_errors_of_other_kinds_pass():
    with pytest.raises(KeyError), network_errors(HERE):
        raise KeyError("a bug of ours")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 407, 418, 429, 500, 503, 599, 999])
def test_statuses(status):
    error = status_error(HERE, status, {}, "")
    assert error.message.startswith(f"http://zoo:8000/a answers with status {status}")
    assert error.status == status
    assert error.hint
    assert error.retry == (status in (429, 500, 503))
    assert "secret" not in error.message + error.hint


def test_only_a_status_worth_asking_again_says_when():
    assert status_error(HERE, 503, {"retry-after": "7"}, "").retry_after == 7
    assert status_error(HERE, 404, {"retry-after": "7"}, "").retry_after is None


def test_a_page_is_told_in_a_few_words():
    assert status_error(HERE, 404, {}, "no\n such  zoo").message.endswith(
        "(Not Found): no such zoo"
    )
    assert status_error(HERE, 404, {}, "<html>not for people</html>").message.endswith(
        "(Not Found)"
    )
    assert len(status_error(HERE, 500, {}, "x" * 5000).message) < 250


@given(st.integers(100, 999), st.text())
def test_a_message_is_a_line(status, said):
    message = status_error(HERE, status, {}, said).message
    assert len(message.splitlines()) == 1
