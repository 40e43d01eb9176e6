"""Rows to the stack's endpoint, and what comes back."""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from botocore.exceptions import ClientError, ConnectionClosedError

from sagetree.cloud.clients import Clients
from sagetree.cloud.scoring.claims import ApiRequest

# What an answer holds for each claim.
OUTPUT = "inference_output=score,predicted_label,reasons"

JSON = "application/json"

# Where an asynchronous endpoint finds its requests, in the stack's bucket.
REQUESTS = "asynchronous"


class Outcome(NamedTuple):
    """What the model said: an HTTP status and a body of JSON.

    `variant` is which of the endpoint's models it was, "" where that is unknown.
    """

    status: int
    body: bytes
    variant: str = ""


class ScoringModel(Protocol):
    """Who scores rows."""

    def ask(self, rows: bytes, request: ApiRequest) -> Outcome:
        """Return what the model says about rows as JSON, which came by `request`.

        Raises BotoCoreError and ClientError where AWS does not answer, NotReadyError where there
        is not a model.
        """


class Endpoint:
    """The model behind an endpoint of SageMaker."""

    def __init__(self, clients: Clients, name: str) -> None:
        self._runtime = clients["sagemaker-runtime"]
        self._name = name

    def ask(self, rows: bytes, request: ApiRequest) -> Outcome:
        """Return what the endpoint says; 4xx of the container too."""
        try:
            answer = _awake(
                self._runtime.invoke_endpoint,
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
        variant = answer.get("InvokedProductionVariant", "")
        return Outcome(200, answer["Body"].read(), variant)


class AsynchronousEndpoint:
    """The model behind an endpoint that takes requests from S3 and leaves its answers there."""

    def __init__(self, clients: Clients, name: str, bucket: str) -> None:
        self._runtime = clients["sagemaker-runtime"]
        self._s3 = clients["s3"]
        self._name = name
        self._bucket = bucket

    def ask(self, rows: bytes, request: ApiRequest) -> Outcome:
        """Queue the rows, and return where the answer will be (202)."""
        # not the request's id: two requests may have the same
        key = f"{REQUESTS}/{os.urandom(16).hex()}.json"
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=rows, ContentType=JSON)
        queued = _awake(
            self._runtime.invoke_endpoint_async,
            EndpointName=self._name,
            InputLocation=f"s3://{self._bucket}/{key}",
            ContentType=JSON,
            Accept=JSON,
            CustomAttributes=OUTPUT,
            InferenceId=request.request_id,
        )
        places = {
            "output_location": queued["OutputLocation"],
            "failure_location": queued.get("FailureLocation"),
        }
        return Outcome(202, json.dumps(places).encode())


def _awake(call: Callable[..., Any], **request: object) -> dict[str, Any]:
    """Return the answer to a call, made again where its connection was closed.

    Lambda lets a function sleep between events, and a connection that was closed meanwhile is
    found so only when it is used.
    """
    try:
        answer: dict[str, Any] = call(**request)
    except ConnectionClosedError:
        answer = call(**request)
    return answer


def _told_by_container(response: Mapping[str, Any]) -> Outcome | None:
    """Return the container's own answer in a failure, None where it is not the container's."""
    if response["Error"]["Code"] != "ModelError" or "OriginalStatusCode" not in response:
        return None
    return Outcome(response["OriginalStatusCode"], response.get("OriginalMessage", "").encode())
