"""Answers of AWS as botocore takes them in place of its own."""

import io
from collections.abc import Mapping
from typing import Any

from botocore.awsrequest import AWSResponse


def answered(body: Mapping[str, Any]) -> tuple[AWSResponse, dict[str, Any]]:
    metadata = {"HTTPStatusCode": 200, "RequestId": "0", "HTTPHeaders": {}, "RetryAttempts": 0}
    return _http(200), {**body, "ResponseMetadata": metadata}


def refused(message: str, code: str = "ValidationException") -> tuple[AWSResponse, dict[str, Any]]:
    metadata = {"HTTPStatusCode": 400, "RequestId": "0", "HTTPHeaders": {}, "RetryAttempts": 0}
    error = {"Code": code, "Message": message}
    return _http(400), {"Error": error, "ResponseMetadata": metadata}


def _http(status: int) -> AWSResponse:
    return AWSResponse("https://api.sagemaker.us-east-1.amazonaws.com", status, {}, io.BytesIO())
