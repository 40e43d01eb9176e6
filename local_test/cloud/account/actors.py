"""Who calls AWS on the desk: a session for each, on the desk's server, that keeps what it calls."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.hooks import BaseEventHooks
from botocore.model import OperationModel

# What moto takes for an account; the keys open nothing.
ACCOUNT = "123456789012"
REGION = "us-east-1"
KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}

# The person at the desk. Everybody else is a role of the template, or a service.
PERSON = "person"
SERVICE = "service"


@dataclass(frozen=True)
class Call:
    """One request to AWS: who made it, which service it was for, and what it asked."""

    actor: str
    service: str
    operation: str
    params: dict[str, Any]


class DeskSession(boto3.Session):
    """A session whose clients ask the desk, whatever the environment says."""

    def __init__(self, url: str) -> None:
        super().__init__(region_name=REGION, **KEYS)
        self._url = url

    def client(self, service_name: str, *args: Any, **options: Any) -> Any:
        """Return a client of the desk's service."""
        return super().client(service_name, *args, **{"endpoint_url": self._url, **options})


@dataclass
class Actors:
    """The sessions of all who call; `hold` gets the events of each, to check requests by."""

    url: str
    hold: Callable[[BaseEventHooks], None]
    calls: list[Call] = field(default_factory=list)
    _sessions: dict[str, DeskSession] = field(default_factory=dict)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def session(self, actor: str) -> DeskSession:
        """Return the actor's session."""
        with self._lock:
            if actor not in self._sessions:
                session = DeskSession(self.url)
                self.hold(session.events)

                def keep(params: dict[str, Any], model: OperationModel, **_: object) -> None:
                    service = model.service_model.service_name
                    self.calls.append(Call(actor, service, model.name, params))

                session.events.register("before-parameter-build", keep)
                self._sessions[actor] = session
            return self._sessions[actor]

    def client(self, actor: str, service: str) -> Any:
        """Return the actor's client of a service."""
        with self._lock:
            if (actor, service) not in self._clients:
                self._clients[actor, service] = self.session(actor).client(service)
            return self._clients[actor, service]
