"""An account in moto with a small stack, and a person's commands on it."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.typed import FromFile
from sagetree.machine.program import start_logging
from tests.cloud import strict

TEMPLATE = Path(__file__).with_name("small.yaml")
STACK = "fraud"
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagetree:0.1.0-amd64"


@dataclass
class Person:
    """A person at a terminal, with an account of AWS."""

    session: boto3.Session
    pauses: list[float] = field(default_factory=list)

    @property
    def account(self) -> Account:
        return Account(STACK, self.session, (), self.pauses.append)

    @property
    def dry(self) -> Account:
        return Account(STACK, None)

    def does(self, work: Callable[[], int]) -> tuple[int, list[str]]:
        """Return a command's exit code and what it said, without the calls."""
        code, lines = self.hears(work)
        return code, [line for line in lines if not line.startswith("+ ")]

    def hears(self, work: Callable[[], int]) -> tuple[int, list[str]]:
        """Return a command's exit code and what it said."""
        stream = io.StringIO()
        start_logging(stream)
        return work(), stream.getvalue().splitlines()

    def make_stack(self, **parameters: str) -> None:
        """Create the small stack."""
        given = {"ImageUri": IMAGE, **parameters}
        self.session.client("cloudformation").create_stack(
            StackName=STACK,
            TemplateBody=TEMPLATE.read_text(),
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
            Capabilities=["CAPABILITY_IAM"],
        )

    def bucket(self) -> str:
        """Return the name of the stack's bucket."""
        (bucket,) = self.session.client("s3").list_buckets()["Buckets"]
        return str(bucket["Name"])


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        session = boto3.Session()
        strict.hold(session.events)
        yield Person(session)


@pytest.fixture
def template() -> FromFile:
    return FromFile.read(TEMPLATE)
