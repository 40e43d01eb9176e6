"""What the worker's loop and its threads ask of the application that they serve."""

from typing import Protocol

from sagetree.serve.protocol.messages import Request, Response


class ServedApplication(Protocol):
    """What a worker serves."""

    max_body: int | None
    keepalive: float

    def answer_at_once(self, request: Request) -> Response | None:
        """Return the response, None if that may take long."""

    def answer(self, request: Request) -> Response:
        """Return the response, however long it takes; never raises."""

    def refuse(self, request: Request, error: Exception) -> Response:
        """Return the response to a request that could not be read."""

    def tidy(self) -> None:
        """Put in order what answers that took long have left behind."""
