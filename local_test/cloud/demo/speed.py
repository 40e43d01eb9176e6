"""How long an answer takes: through the API, and at the bare endpoint's container."""

import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import NamedTuple

REQUESTS = 100


class Speed(NamedTuple):
    """The median and the slowest hundredth of the answers, in milliseconds."""

    p50: float
    p99: float


def compared(asks: Mapping[str, Callable[[], object]]) -> dict[str, Speed]:
    """Ask each in turn, so that what else the machine does meets all alike."""
    taken: dict[str, list[float]] = {name: [] for name in asks}
    for ask in asks.values():
        ask()
    for _ in range(REQUESTS):
        for name, ask in asks.items():
            begun = time.perf_counter()
            ask()
            taken[name].append((time.perf_counter() - begun) * 1000)
    return {name: _speed(sorted(times)) for name, times in taken.items()}


def _speed(times: list[float]) -> Speed:
    return Speed(times[len(times) // 2], times[len(times) * 99 // 100])


def post(url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """Return the body of the answer to a request."""
    request = urllib.request.Request(url, body, dict(headers))  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        content: bytes = answer.read()
    return content
