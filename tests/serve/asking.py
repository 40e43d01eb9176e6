"""Questions to the application in this process, and what comes back."""

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.serve.artifacts import INPUTS
from tests.serve.rows import csv_body, records

ROWS = records(3, seed=9)
CSV = csv_body(INPUTS, ROWS, header=False)
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"


def post(client: FlaskClient, body: bytes, kind: str = "text/csv", **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/invocations", data=body, content_type=kind or None, headers=named)


def problem(answer: TestResponse) -> tuple[int, dict[str, object]]:
    """The status and the problem, whose request id is also in the header."""
    assert answer.content_type == "application/json"
    found = answer.get_json()
    assert found.pop("request_id") == answer.headers["X-Amzn-RequestId"]
    return answer.status_code, found
