"""The AWS services a function calls: one client each, made when it is first asked for."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from botocore.session import Session

# By the name of their service, such as "sagemaker-runtime". A client has a method for each
# operation of its service, so it has no type.
Clients: TypeAlias = Mapping[str, Any]

# All that the functions call.
SERVICES = (
    "application-autoscaling", "cloudwatch", "dynamodb", "glue", "logs", "s3", "sagemaker",
    "sagemaker-featurestore-runtime", "sagemaker-runtime", "secretsmanager", "sns", "sqs", "ssm",
)  # fmt: skip

CONNECT_SECONDS = 2
READ_SECONDS = 10

# A clean-up deletes hundreds of things in a row, and SageMaker takes a few a second.
ATTEMPTS = 6

# Those who wait for a score wait for its columns too, and for what is looked up of a claim.
WAITED_ATTEMPTS = 2

# API Gateway gives an answer 30 s, and a serverless endpoint that has to be started takes most of
# them. An endpoint that has too much to do is not asked again: its caller is asked to wait.
ENDPOINT_SECONDS = 25


class AwsClients(Mapping[str, Any]):
    """The clients of this process, with what its environment says about region and credentials."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, service: str) -> Any:  # noqa: ANN401
        """Return the client of a service."""
        if service not in SERVICES:
            raise KeyError(service)
        if service not in self._made:
            self._made[service] = self._session.create_client(service, config=_config(service))
        return self._made[service]

    def __iter__(self) -> Iterator[str]:
        return iter(SERVICES)

    def __len__(self) -> int:
        return len(SERVICES)

    @cached_property
    def _session(self) -> "Session":
        from botocore.session import get_session  # boto3 on top of it takes as long again

        return get_session()


def _config(service: str) -> object:
    from botocore.config import Config

    of_endpoint = service == "sagemaker-runtime"
    waited = dict.fromkeys(("sagemaker-featurestore-runtime", "ssm"), WAITED_ATTEMPTS)
    attempts = {"sagemaker-runtime": 1, **waited}.get(service, ATTEMPTS)
    return Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=ENDPOINT_SECONDS if of_endpoint else READ_SECONDS,
        retries={"total_max_attempts": attempts, "mode": "standard"},
    )
