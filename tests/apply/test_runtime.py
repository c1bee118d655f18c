"""Running onnxruntime: what comes while it starts."""

import os
import signal

import pytest

from zooselect.apply.runtime import _interrupts_wait


@pytest.fixture
def _as_on_the_command_line():
    """SIGTERM ends as Ctrl-C does."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("_as_on_the_command_line")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_waits_and_is_not_lost(number):
    handler, reached = signal.getsignal(number), []

    def start():
        with _interrupts_wait():
            os.kill(os.getpid(), number)
            reached.append("the end")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert reached == ["the end"]
    assert signal.getsignal(number) is handler


def test_what_is_ignored_stays_so():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with _interrupts_wait():
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
