"""What the tests of this folder share since it takes long to make: clients, and their services."""

from collections.abc import Iterator

import pytest
from moto import mock_aws
from moto.core.models import MockAWS

from sagetree.cloud.clients import AwsClients
from tests.cloud import strict
from tests.cloud.account import BUNDLE, Account
from tests.cloud.stack_server import StackServer, stack_server


@pytest.fixture(scope="session")
def aws() -> Account:
    """An account that answers while `moto` stands."""
    return Account()


@pytest.fixture(scope="module")  # for each test it would cost as much as a test does
def moto() -> Iterator[MockAWS]:
    """moto in AWS's place, without its two thousand images of machines."""
    with pytest.MonkeyPatch.context() as patch, mock_aws() as mocked:
        patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        yield mocked


@pytest.fixture(scope="session")
def services() -> Iterator[tuple[StackServer, AwsClients]]:
    """The stack's services, and AWS's SDK on them: it takes a second to make its clients."""
    with stack_server(BUNDLE) as server:
        clients = AwsClients()
        # the environment is read when a client is made
        with pytest.MonkeyPatch.context() as patch:
            for name in ("HTTP_PROXY", "http_proxy", "AWS_PROFILE"):
                patch.delenv(name, raising=False)
            for name, value in server.environ.items():
                patch.setenv(name, value)
            for service in (
                "s3", "sagemaker", "sagemaker-featurestore-runtime", "sagemaker-runtime", "sns",
                "sqs", "ssm",
            ):  # fmt: skip
                strict.hold(clients[service].meta.events)
        yield server, clients
