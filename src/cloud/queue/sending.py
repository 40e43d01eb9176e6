"""Claims into the queue."""

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sagetree.cloud.clients import Clients
from sagetree.cloud.scoring.claims import Claim
from sagetree.errors import DecodingError
from sagetree.machine.program import LOG
from sagetree.serve.routes.problems import Problem, RouteError

# What SQS takes in one call: messages, and bytes of all of them together.
_MESSAGES = 10
_BYTES = 262_144


class _Entry(NamedTuple):
    number: int  # of the claim in its request, from 1
    body: str

    @property
    def size(self) -> int:
        return len(self.body.encode())


class ClaimsQueue:
    """The queue that the function `work` empties; a message is one claim as JSON."""

    def __init__(self, clients: Clients, url: str) -> None:
        self._sqs = clients["sqs"]
        self._url = url

    def send(self, claims: Sequence[Claim]) -> None:
        """Put each claim into the queue.

        Raises DecodingError for one that is too large, before any is sent; RouteError, with the
        numbers of the claims, where SQS does not take some.
        """
        entries = [_Entry(n, json.dumps(claim)) for n, claim in enumerate(claims, 1)]
        for entry in entries:
            if entry.size > _BYTES:
                raise DecodingError(
                    f"claim {entry.number} has {entry.size} bytes, and a claim in the queue may "
                    f"have at most {_BYTES}",
                    where="the body",
                    hint="Send it by POST /score",
                )
        failed = [number for part in _parts(entries) for number in self._send(part)]
        if failed:
            raise _not_taken(failed, len(claims))

    def _send(self, entries: Sequence[_Entry]) -> list[int]:
        """Send up to ten claims, and return the numbers of those that are not in the queue."""
        answer = self._sqs.send_message_batch(
            QueueUrl=self._url,
            Entries=[{"Id": str(entry.number), "MessageBody": entry.body} for entry in entries],
        )
        failed = answer.get("Failed", [])
        for entry in failed:
            LOG.error("claim %s is not in the queue: %s", entry["Id"], entry.get("Message"))
        return [int(entry["Id"]) for entry in failed]


def _parts(entries: Sequence[_Entry]) -> Iterator[list[_Entry]]:
    part: list[_Entry] = []
    size = 0
    for entry in entries:
        if part and (len(part) == _MESSAGES or size + entry.size > _BYTES):
            yield part
            part, size = [], 0
        part.append(entry)
        size += entry.size
    if part:
        yield part


def _not_taken(failed: Sequence[int], claims: int) -> RouteError:
    numbers = ", ".join(map(str, failed))
    return RouteError(
        Problem(
            503,
            "QueueUnavailable",
            f"{len(failed)} of {claims} claims could not be put into the queue: numbers {numbers}",
            hint="Send these again soon, and not the others, which are in it",
        )
    )
