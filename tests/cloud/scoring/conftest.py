"""The score function on a stack whose services are one HTTP server with a real model."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest

from sagetree.cloud.clients import AwsClients
from sagetree.cloud.functions import score
from sagetree.cloud.names import Settings
from tests.cloud.stack_server import StackServer

CLAIM = {"amount": 12.5, "state": "CA", "reported": True, "on": "2024-01-31", "severity": "1"}

# By the model of the bundle, as its expected.json has them.
SCORES = (0.20949146151542664, 0.37563592195510864)
OTHER = {
    "amount": 70, "state": "a<b", "reported": False, "on": "2025-06-01T13:45:00", "severity": 2,
}  # fmt: skip


class Answered(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: Any


def event(
    body: object = None,
    route: str = "POST /score",
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> dict[str, object]:
    """An event of API Gateway's; a body that is not text is sent as JSON."""
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    return {
        "version": "2.0",
        "routeKey": route,
        "headers": {"content-type": "application/json", **(headers or {})},
        "requestContext": {"requestId": "of-the-gateway", "http": {"method": "POST"}},
        "body": text,
        "isBase64Encoded": False,
        **more,
    }


Ask = Callable[..., Answered]


class Clock:
    """A clock that stands until a test moves it."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def stack(services: tuple[StackServer, AwsClients]) -> StackServer:
    server, _ = services
    server.begin()
    return server


@pytest.fixture
def clock() -> Clock:
    return Clock()


Handler = Callable[[Mapping[str, object], float], Mapping[str, Any]]


@pytest.fixture
def handler(
    stack: StackServer, services: tuple[StackServer, AwsClients], clock: Clock
) -> Callable[..., Handler]:
    """Start the function with these settings."""

    def started(**given: str) -> Handler:
        return score.start(services[1], Settings.read({**stack.environ, **given}), clock)

    return started


@pytest.fixture
def start(handler: Callable[..., Handler]) -> Callable[..., Ask]:
    """Start the function with these settings; what it returns asks it."""

    def started(**given: str) -> Ask:
        answer = handler(**given)

        def ask(*arguments: object, **more: object) -> Answered:
            told = answer(event(*arguments, **more), 0.0)
            return Answered(told["statusCode"], told["headers"], json.loads(told["body"]))

        return ask

    return started


@pytest.fixture
def ask(start: Callable[..., Ask]) -> Ask:
    return start()
