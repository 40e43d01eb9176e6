"""When a worker's memory is put in order: after its large requests, and while they come."""

import threading
from types import SimpleNamespace

import pytest

from sagetree.serve.http.threads import TIDY_OFTEN_SECONDS, TIDY_SECONDS, Threads
from sagetree.serve.protocol.messages import Request, Response


class Application:
    """Answers with nothing, and counts how often it is put in order."""

    max_body = None
    keepalive = 75.0

    def __init__(self) -> None:
        self.tidied = threading.Semaphore(0)

    def answer_at_once(self, request: Request) -> Response | None:
        return None

    def answer(self, request: Request) -> Response:
        return Response(200)

    def refuse(self, request: Request, error: Exception) -> Response:
        return Response(400)

    def tidy(self) -> None:
        self.tidied.release()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(
        "sagetree.serve.http.threads.time", SimpleNamespace(monotonic=lambda: now[0])
    )
    return now


def test_memory_is_put_in_order_after_large_requests_and_while_they_come(
    clock: list[float],
) -> None:
    application = Application()
    threads: Threads[str] = Threads(application)

    def answered() -> None:
        threads.answer("client", Request("POST", "/invocations", "", {}))
        while not [*threads.responses()]:
            pass

    def is_tidied() -> bool:
        return application.tidied.acquire(timeout=0.2)

    threads.tidy(clock[0])
    assert not is_tidied()
    answered()
    threads.tidy(clock[0] + TIDY_SECONDS / 2)
    assert not is_tidied()
    threads.tidy(clock[0] + TIDY_SECONDS)
    assert is_tidied()
    for _ in range(int(TIDY_OFTEN_SECONDS / TIDY_SECONDS * 2)):
        threads.tidy(clock[0])
        answered()
        clock[0] += TIDY_SECONDS / 2
    assert not is_tidied()
    threads.tidy(clock[0])
    assert is_tidied()
    threads.tidy(clock[0])
    assert not is_tidied()
    threads.stop()
