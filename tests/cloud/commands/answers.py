"""What AWS would answer where moto does not: stacks that take minutes, drift, refusals."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Answer = Mapping[str, Any]


class Http:
    """As much of an HTTP answer as botocore looks at."""

    def __init__(self, status: int) -> None:
        self.status_code = status


class Answers:
    """Answers an operation in place of the service; `make` is given the request."""

    def __init__(self, make: Callable[[Mapping[str, Any]], Answer]) -> None:
        self._make = make

    def __call__(self, params: Mapping[str, Any], **_: object) -> tuple[Http, Answer]:
        content = self._make(params)
        return Http(400 if "Error" in content else 200), content


def in_turn(answers: Sequence[Answer]) -> Callable[[Mapping[str, Any]], Answer]:
    """Answer with one after another, with the last one again and again."""
    following = _following(answers)
    return lambda _: next(following)


def refusal(code: str, message: str) -> Answer:
    """Return the answer that boto3 raises as a ClientError."""
    return {"Error": {"Code": code, "Message": message}}


def _following(answers: Sequence[Answer]) -> Iterator[Answer]:
    yield from answers
    while True:
        yield answers[-1]
