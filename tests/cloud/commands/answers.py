"""What AWS would answer where moto does not: stacks that take minutes, drift, refusals."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from botocore.hooks import BaseEventHooks

Answer = Mapping[str, Any]


class _Http:
    def __init__(self, status: int) -> None:
        self.status_code = status


def answer(events: BaseEventHooks, service: str, operation: str, answers: Sequence[Answer]) -> None:
    """Have a session answer an operation with one after another, the last one again and again."""
    following = _following(answers)
    events.register(
        f"before-call.{service}.{operation}", partial(_next, lambda _: next(following))
    )


def answer_by(
    events: BaseEventHooks, service: str, operation: str, make: Callable[[Mapping[str, Any]], Answer]
) -> None:
    """Have a session answer an operation by a function of its request."""
    events.register(f"before-call.{service}.{operation}", partial(_next, make))


def refusal(code: str, message: str) -> Answer:
    """Return the answer that boto3 raises as a ClientError."""
    return {"Error": {"Code": code, "Message": message}}


def _following(answers: Sequence[Answer]) -> Iterator[Answer]:
    yield from answers
    while True:
        yield answers[-1]


def _next(
    make: Callable[[Mapping[str, Any]], Answer], params: Mapping[str, Any], **_: object
) -> tuple[_Http, Answer]:
    content = make(params)
    return _Http(400 if "Error" in content else 200), content
