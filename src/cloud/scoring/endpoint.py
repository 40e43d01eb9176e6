"""Rows to the stack's endpoint, and what comes back."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from sagetree.cloud.clients import Clients
from sagetree.cloud.scoring.claims import ApiRequest
from sagetree.serve.routes.problems import Problem, RouteError

# What an answer holds for each claim.
OUTPUT = "inference_output=score,predicted_label,reasons"

JSON = "application/json"


class Outcome(NamedTuple):
    """What the model said: an HTTP status and a body of JSON."""

    status: int
    body: bytes


class Model(Protocol):
    """Who scores rows."""

    def ask(self, rows: bytes, request: ApiRequest) -> Outcome:
        """Return what the model says of rows as JSON, which came by `request`.

        Raises BotoCoreError and ClientError where AWS does not answer, NotReadyError where there
        is no model.
        """


class Endpoint:
    """The model behind an endpoint of SageMaker."""

    def __init__(self, clients: Clients, name: str) -> None:
        self._runtime = clients["sagemaker-runtime"]
        self._name = name

    def ask(self, rows: bytes, request: ApiRequest) -> Outcome:
        """Return what the endpoint says; 4xx of the container too."""
        from botocore.exceptions import ClientError

        try:
            answer = self._runtime.invoke_endpoint(
                EndpointName=self._name,
                ContentType=JSON,
                Accept=JSON,
                CustomAttributes=OUTPUT,
                InferenceId=request.request_id,
                Body=rows,
            )
        except ClientError as error:
            outcome = _told_by_container(error.response)
            if outcome is None:
                raise
            return outcome
        return Outcome(200, answer["Body"].read())


def _told_by_container(response: Mapping[str, Any]) -> Outcome | None:
    """Return the container's own answer in a failure, None where it is not the container's."""
    if response["Error"]["Code"] != "ModelError" or "OriginalStatusCode" not in response:
        return None
    return Outcome(response["OriginalStatusCode"], response.get("OriginalMessage", "").encode())


class Nobody:
    """The model of an asynchronous endpoint, which gives no answer to wait for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def ask(self, _rows: bytes, _request: ApiRequest) -> Outcome:
        """Raise RouteError, which says how such an endpoint is asked."""
        raise RouteError(
            Problem(
                501,
                "Asynchronous",
                "this stack's endpoint is asynchronous: it gives no answer to wait for",
                where=self._name,
                hint="Put the rows into the bucket and name them: aws sagemaker-runtime "
                f"invoke-endpoint-async --endpoint-name {self._name} --content-type {JSON} "
                "--input-location s3://BUCKET/KEY. Or choose another kind of endpoint",
            )
        )
