"""HTTP clients of a serving container: one question, and many at once that count what is lost."""

import http.client
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

PORT = 8080
JSON = {"Content-Type": "application/json"}

# What SageMaker gives an answer.
TIMEOUT = 60.0


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: int
    body: bytes


def ask(
    address: str, method: str, path: str, body: bytes | None = None, port: int = PORT
) -> Answer:
    """Return the answer to one request on a connection of its own. Raises OSError."""
    connection = http.client.HTTPConnection(address, port, timeout=TIMEOUT)
    try:
        connection.request(method, path, body, JSON)
        response = connection.getresponse()
        return Answer(response.status, response.read())
    finally:
        connection.close()


@dataclass
class Load:
    """Clients that send the same request again and again, each on connections of its own.

    A request is refused if it could not even be sent, since the server had stopped to listen; it
    is lost if it was sent and no whole answer came. Whoever is refused ends.
    """

    address: str
    body: bytes
    clients: int
    answers: Counter[Answer] = field(default_factory=Counter)
    refused: int = 0
    lost: list[str] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stop: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Start the clients and let each get an answer."""
        self._threads = [threading.Thread(target=self._send) for _ in range(self.clients)]
        for thread in self._threads:
            thread.start()
        while self.answers.total() < 5 * self.clients and any(t.is_alive() for t in self._threads):
            time.sleep(0.01)

    def finish(self) -> None:
        """Stop the clients after their request under way."""
        self._stop.set()
        for thread in self._threads:
            thread.join(TIMEOUT)

    def _send(self) -> None:
        while not self._stop.is_set():
            connection = http.client.HTTPConnection(self.address, PORT, timeout=TIMEOUT)
            try:
                connection.connect()
            except OSError:
                with self._lock:
                    self.refused += 1
                return
            try:
                connection.request("POST", "/invocations", self.body, JSON)
                response = connection.getresponse()
                answer = Answer(response.status, response.read())
            except (OSError, http.client.HTTPException) as error:
                with self._lock:
                    self.lost.append(repr(error))
            else:
                with self._lock:
                    self.answers[answer] += 1
            finally:
                connection.close()
