"""What every test may rely on: no deadline on a busy machine, and no traces of another test."""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from sagetree.machine.program import LOG

# A machine with two busy cores says nothing about an example's time.
settings.register_profile("sagetree", deadline=None)
settings.load_profile("sagetree")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Undo what a program does to its process: log handlers, and those of signals."""
    handlers, level, propagate = list(LOG.handlers), LOG.level, LOG.propagate
    on_signal = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}
    yield
    LOG.handlers, LOG.propagate = handlers, propagate
    LOG.setLevel(level)
    for number, handler in on_signal.items():
        signal.signal(number, handler)
