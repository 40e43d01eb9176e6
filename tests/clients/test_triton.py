"""Triton's Python client, whose tensors are binary data unless it is set differently."""

import json
import math
from typing import Any

import numpy as np
import pytest

from tests.clients.conftest import Numbers, Served
from tests.clients.running import told
from tests.serve.artifacts import INPUTS, SCHEMA, THRESHOLD

pytestmark = pytest.mark.long

DATATYPES = {"number": "FP64", "boolean": "BOOL"}


def datatype(name: str) -> str:
    (kind,) = (column.kind for column in SCHEMA.columns if column.name == name)
    return DATATYPES.get(kind, "BYTES")


def float32(values: list[float]) -> list[float]:
    return np.array(values, np.float32).tolist()


@pytest.fixture(scope="module")
def complete(served: Served) -> tuple[list[dict[str, Any]], list[float]]:
    """Rows whose missing cells, if any, are numbers: a boolean or a text has no such value."""
    pairs = [
        (row, score)
        for row, score in zip(served.rows, served.scores, strict=True)
        if all(cell is not None for name, cell in row.items() if name != "num_claims")
    ]
    assert len(pairs) > 2
    return [row for row, _ in pairs], [score for _, score in pairs]


@pytest.fixture(scope="module")
def found(served: Served, complete: tuple[list[dict[str, Any]], list[float]]) -> dict[str, Any]:
    """What the client got."""
    rows, _ = complete
    columns = {
        name: (datatype(name), [math.nan if row[name] is None else row[name] for row in rows])
        for name in INPUTS
    }
    asked = {"server": f"127.0.0.1:{served.server.port}", "columns": columns}
    return told("triton.py", stdin=json.dumps(asked).encode())


def test_the_server_and_its_model_are_there(found: dict[str, Any]):
    there = ("live", "ready", "model ready", "version ready")
    assert {way: found[way] for way in there} == dict.fromkeys(there, True)
    assert found["server"]["name"] == "sagetree"
    inputs = {tensor["name"]: tensor["datatype"] for tensor in found["model"]["inputs"]}
    assert inputs == {name: datatype(name) for name in INPUTS}


@pytest.mark.parametrize(
    ("way", "binary"),
    [
        ("default", True),
        ("version", True),
        ("json", False),
        ("binary in", False),
        ("binary out", True),
    ],
)
def test_columns_as_tensors(
    way: str,
    binary: bool,
    found: dict[str, Any],
    complete: tuple[list[dict[str, Any]], list[float]],
):
    assert found[way].get("refused") is None
    score = found[way]["score"]
    assert (float32(score["values"]), score["binary"]) == (complete[1], binary)


def test_words_as_binary_data(
    found: dict[str, Any], complete: tuple[list[dict[str, Any]], list[float]]
):
    assert found["binary out"].get("refused") is None
    words = ["yes" if score >= THRESHOLD else "no" for score in complete[1]]
    assert found["binary out"]["predicted_label"] == {"values": words, "binary": True}
    labels = found["binary out"]["labels"]
    assert list(map(json.loads, labels["values"])) == [["no", "yes"]] * len(words)
    assert labels["binary"]


def test_a_matrix_as_one_tensor(numbers: Numbers):
    asked = {"server": f"127.0.0.1:{numbers.server.port}", "rows": numbers.matrix}
    found = told("triton.py", stdin=json.dumps(asked).encode())
    assert [answer.get("refused") for answer in found.values()] == [None, None]
    scores = {way: float32(answer["score"]["values"]) for way, answer in found.items()}
    assert scores == {"binary": numbers.scores, "json": numbers.scores}


def test_its_errors_are_ours(found: dict[str, Any]):
    """The client shows nothing but `error`."""
    assert "The model of this server is called model" in found["no such model"]["refused"]
    assert "nobody" in found["no such column"]["refused"]
    assert "compressed as 'gzip'" in found["gzip"]["refused"]
