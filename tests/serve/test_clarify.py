"""The server as the model endpoint of SageMaker Clarify, by the forms that its guide lists.

Developer guide, "Endpoint requests for tabular data" and "Endpoint response for tabular data":
records without header in the trained order, line by line and without a last line end, texts in
quotes; an answer has one line for each.
"""

import json

import numpy as np
import pytest
from werkzeug.test import Client

from sagetree.bundle.model import Model
from sagetree.tables.table import Source, Table
from tests.serve.artifacts import INPUTS
from tests.serve.rows import Record, records

# Clarify sends hundreds of records at once, and single ones.
ROWS = records(300, seed=5)

CSV, JSON_LINES = "text/csv", "application/jsonlines"


def csv_text(rows: list[Record]) -> str:
    """Rows as pandas writes them with csv.QUOTE_NONNUMERIC: all texts in quotes."""

    def cell(value: object) -> str:
        if value is None:
            return ""
        return '"' + value.replace('"', '""') + '"' if isinstance(value, str) else str(value)

    return "\n".join(",".join(cell(row[name]) for name in INPUTS) for row in rows)


def json_lines(rows: list[Record]) -> str:
    """Rows by the content template {"features":$features}."""
    return "\n".join(json.dumps({"features": [row[name] for name in INPUTS]}) for row in rows)


@pytest.fixture(scope="module")
def expected(model: Model) -> np.ndarray:
    columns = tuple([row[name] for row in ROWS] for name in INPUTS)
    return model.score(Table(INPUTS, columns, len(ROWS), True, (Source(len(ROWS)),)))


@pytest.mark.parametrize("accept", [CSV, JSON_LINES])
@pytest.mark.parametrize("kind", [CSV, JSON_LINES])
@pytest.mark.parametrize("count", [300, 1])
def test_a_line_for_each_record_in_the_type_that_it_accepts(
    client: Client, expected: np.ndarray, kind: str, accept: str, count: int
) -> None:
    body = (csv_text if kind == CSV else json_lines)(ROWS[:count])
    answer = client.post("/invocations", data=body, content_type=kind, headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.content_type.split(";")[0] == accept
    lines = answer.text.splitlines()
    assert len(lines) == count
    # by the index 0 of a CSV's column, or by the JMESPath "score" of a JSON line
    values = [float(x) if accept == CSV else json.loads(x)["score"] for x in lines]
    assert np.array_equal(np.array(values, np.float32), expected[:count])


@pytest.mark.parametrize("kind", [CSV, JSON_LINES])
def test_predicted_labels_stand_beside_scores_where_they_are_asked_for(
    client: Client, kind: str
) -> None:
    """Clarify's `label` and `probability` of one answer: columns 0 and 1, or JMESPaths."""
    body = (csv_text if kind == CSV else json_lines)(ROWS[:9])
    headers = {
        "Accept": kind,
        "X-Amzn-SageMaker-Custom-Attributes": "inference_output=predicted_label,score",
    }
    answer = client.post("/invocations", data=body, content_type=kind, headers=headers)
    lines = answer.text.splitlines()
    pairs = [
        line.split(",")
        if kind == CSV
        else [json.loads(line)[n] for n in ("predicted_label", "score")]
        for line in lines
    ]
    assert len(pairs) == 9
    for label, score in pairs:
        assert str(label) == ("yes" if float(score) >= 0.25 else "no")
