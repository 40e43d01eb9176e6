"""SageMaker's SDK and boto3 as they ask an endpoint: nginx gives them SageMaker's path."""

import json
from typing import Any

import numpy as np
import pytest

from tests.clients.conftest import Numbers
from tests.clients.proxies import nginx
from tests.clients.running import told
from tests.needs import needs_nginx

pytestmark = [pytest.mark.long, needs_nginx]

SENT = (
    "CSV of an array",
    "CSV of lists",
    "CSV of a frame",
    "JSON instances",
    "JSON lists",
    "JSON Lines",
    "Numpy",
    "LibSVM",
    "RecordIO",
)
GOT = ("CSV", "JSON", "JSON Lines", "Numpy", "Numpy of CSV", "Pandas of JSON")


@pytest.fixture(scope="module")
def found(numbers: Numbers, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the SDK got; one of the cells is missing."""
    asked = json.dumps({"rows": numbers.matrix, "first": 0}).encode()
    with nginx(numbers.server, tmp_path_factory.mktemp("nginx")) as port:
        return told("sagemaker_sdk.py", f"http://127.0.0.1:{port}", stdin=asked)


@pytest.mark.parametrize("sent", SENT)
def test_what_each_serializer_sends_is_read(sent: str, found: dict[str, Any], numbers: Numbers):
    assert scores(found[f"sent: {sent}"]) == numbers.scores


@pytest.mark.parametrize("got", GOT)
def test_what_is_answered_each_deserializer_reads(
    got: str, found: dict[str, Any], numbers: Numbers
):
    assert scores(found[f"got: {got}"]) == numbers.scores


def test_boto3s_own_call(found: dict[str, Any], numbers: Numbers):
    assert found["boto3"]["type"] == "application/json"
    rows = found["boto3"]["body"]["predictions"]
    assert [set(row) for row in rows] == [{"score", "predicted_label"}] * len(rows)
    assert scores([row["score"] for row in rows]) == numbers.scores


def scores(values: object) -> list[float]:
    """Scores as the library has them, float32; an error of the client is shown."""
    assert isinstance(values, list), values
    return np.array(values, np.float32).tolist()
