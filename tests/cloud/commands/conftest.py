"""An account in moto with a small stack, and a person's commands on it."""

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from moto.cloudformation.models import Stack
from moto.core.models import MockAWS

from sagetree.cloud.account.calls import Account
from sagetree.machine.program import start_logging
from tests.cloud import account
from tests.cloud.commands.answers import Answer, Answers, in_turn

TEMPLATES = Path(__file__).with_name("small")
STACK = account.STACK
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagetree:0.2.0-amd64"


def hears(work: Callable[[], int]) -> tuple[int, list[str]]:
    """Return a command's exit code and what it said."""
    stream = io.StringIO()
    start_logging(stream)
    return work(), stream.getvalue().splitlines()


class Person:
    """A person at a terminal, with an account of AWS."""

    def __init__(self, cloud: account.Account, clients: dict[str, Any]) -> None:
        self.cloud = cloud
        self.pauses: list[float] = []
        self._clients = clients
        self._answered: dict[str, list[Callable[[], None]]] = {}

    @property
    def account(self) -> Account:
        return Account(STACK, self.cloud.session, (), self.pauses.append, self._clients)

    @property
    def dry(self) -> Account:
        return Account(STACK, None)

    def client(self, service: str) -> Any:
        """Return the client that the commands use, too."""
        return self.account.client(service)

    def answer(self, service: str, operation: str, answers: Sequence[Answer]) -> None:
        """Have AWS answer an operation with one after another, the last one again and again."""
        self.answer_by(service, operation, in_turn(answers))

    def answer_by(
        self, service: str, operation: str, make: Callable[[Mapping[str, Any]], Answer]
    ) -> None:
        """Have AWS answer an operation by a function of the request."""
        answers = Answers(make)
        name = f"before-call.{service}.{operation}"
        for undo in self._answered.pop(name, []):
            undo()
        for patient in (False, True) if service == "lambda" else (False,):
            events = self.account.client(service, patient=patient).meta.events
            events.register_first(name, answers)
            self._answered.setdefault(name, []).append(partial(events.unregister, name, answers))

    def leave(self) -> None:
        """Have AWS answer as before."""
        for undone in self._answered.values():
            for undo in undone:
                undo()

    def does(self, work: Callable[[], int]) -> tuple[int, list[str]]:
        """Return a command's exit code and what it said, without the calls."""
        code, lines = self.hears(work)
        return code, [line for line in lines if not line.startswith("+ ")]

    def hears(self, work: Callable[[], int]) -> tuple[int, list[str]]:
        """Return a command's exit code and what it said."""
        return hears(work)

    def make_stack(self, **parameters: str) -> None:
        """Create the small stack."""
        self._make(STACK, "template.yaml", parameters)

    def make_sibling(self, name: str, **parameters: str) -> None:
        """Create one of the small stacks beside it."""
        self._make(f"{STACK}-{name}", f"{name}.yaml", {"Stack": STACK, **parameters})

    def _make(self, name: str, template: str, parameters: Mapping[str, str]) -> None:
        given = {"ImageUri": IMAGE, **parameters}
        self.client("cloudformation").create_stack(
            StackName=name,
            TemplateBody=_json(template),
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
            Capabilities=["CAPABILITY_IAM"],
        )

    def bucket(self) -> str:
        """Return the name of the stack's bucket."""
        (bucket,) = self.client("s3").list_buckets()["Buckets"]
        return str(bucket["Name"])


@cache
def _json(template: str) -> str:
    """Return one of the small templates as JSON.

    moto takes text for YAML first, in fifty times the time; tabs end that at once.
    """
    content = Stack.parse_template((TEMPLATES / template).read_text())
    return json.dumps(content, indent="\t")


@pytest.fixture(scope="session")
def clients() -> dict[str, Any]:
    """The commands' own, for all tests: they take long to make."""
    return {}


@pytest.fixture
def person(aws: account.Account, clients: dict[str, Any], moto: MockAWS) -> Iterator[Person]:
    moto.reset()
    aws.forget()
    person = Person(aws, clients)
    yield person
    person.leave()


@pytest.fixture
def templates() -> Path:
    return TEMPLATES
