"""How many examples a property is tried with.

`make test` tries the same ones in every run, so that it says the same of the same code.
`make test-properties` tries others, and many more.
"""

from __future__ import annotations

import os

_TIMES = "PROPERTY_EXAMPLES_TIMES"
TIMES = int(os.environ.get(_TIMES, "1"))
#: Whether examples are the same in every run.
SAME = _TIMES not in os.environ


def examples(count: int) -> int:
    """Return how many examples to try where `make test` tries `count`."""
    return count * TIMES
