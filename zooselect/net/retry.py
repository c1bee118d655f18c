"""When to ask again, and how long to wait before: pure, so that tests never sleep."""

from __future__ import annotations

import math
from datetime import timezone
from email.utils import parsedate_to_datetime

#: How often one request is sent in all.
ATTEMPTS = 4
#: Seconds before the second attempt; doubled for each one after.
_FIRST_WAIT = 0.4
#: Longest wait a server may ask for, in seconds; what it asks beyond is cut to that.
LONGEST_WAIT = 60.0

#: Statuses that may be another the next time.
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})


def wait_before(attempt: int, asked: float | None, chance: float) -> float:
    """Return the seconds to wait before an attempt.

    Args:
        attempt: how many attempts there were, from 1.
        asked: seconds the server asks for; None where it does not say.
        chance: a random number from 0 to 1: clients that failed together shall not come
            back together.
    """
    if asked is not None:
        return min(asked, LONGEST_WAIT)
    return _FIRST_WAIT * 2.0 ** (attempt - 1) * (0.5 + chance / 2)


def shown(seconds: float) -> str:
    """A wait for people."""
    return "more than a day" if seconds > 86_400 else f"{seconds:.0f} s; try again then"


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds a `Retry-After` asks for; None without one, or one that is neither form.

    Args:
        value: the header: seconds, or a date (RFC 9110, section 10.2.3).
        now: seconds since the epoch.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        # A number of any length is one; more than a year of seconds is a year.
        return float(text) if len(text) < 9 else 1e8
    try:
        moment = parsedate_to_datetime(text)
        # The old form of a date names no zone: every one of HTTP's is UTC.
        moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        seconds = moment.timestamp() - now
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
