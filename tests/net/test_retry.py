"""When to ask again."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zooselect.net.retry import ATTEMPTS, LONGEST_WAIT, RETRIED, parse_retry_after, wait_before

NOW = 1_800_000_000.0  # 2027-01-15 08:00:00 UTC


@pytest.fixture
def tokyo():
    """A machine whose clock is not set to UTC."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None), ("", None), ("0", 0), (" 7 ", 7), ("120", 120), ("86400", 86400),
        ("9" * 400, 1e8), ("-5", None), ("1.5", None), ("soon", None), ("1e3", None), ("٣", None),
        ("Fri, 15 Jan 2027 08:00:30 GMT", 30), ("Friday, 15-Jan-27 08:00:30 GMT", 30),
        ("Fri Jan 15 08:00:30 2027", 30), ("Fri, 15 Jan 2027 08:00:30 -0000", 30),
        ("Fri, 15 Jan 2027 09:00:30 +0100", 30), ("Fri, 15 Jan 2027 07:00:00 GMT", 0),
        ("Fri, 99 Jan 2027 08:00:30 GMT", None), ("Fri, 15 Jan 99999 08:00:30 GMT", None),
    ],
)  # fmt: skip
def test_retry_after(value, seconds, tokyo):
    assert parse_retry_after(value, NOW) == seconds


@given(st.text())
def test_any_header_is_a_wait_or_none(text):
    seconds = parse_retry_after(text, NOW)
    assert seconds is None or 0 <= seconds < float("inf")


@given(st.integers(1, ATTEMPTS), st.floats(0, 1))
def test_waits_grow_and_stay_short(attempt, chance):
    wait = wait_before(attempt, None, chance)
    assert 0.2 * 2 ** (attempt - 1) <= wait <= 0.4 * 2 ** (attempt - 1)


def test_what_the_server_asks_for_is_waited_up_to_a_minute():
    assert wait_before(1, 7.0, 0.5) == 7.0
    assert wait_before(1, 0.0, 0.5) == 0.0
    assert wait_before(3, 86400.0, 0.5) == LONGEST_WAIT == 60.0


def test_what_is_worth_asking_again():
    assert {429, 500, 502, 503, 504} <= RETRIED
    assert not {200, 304, 400, 401, 403, 404, 416, 501} & RETRIED
