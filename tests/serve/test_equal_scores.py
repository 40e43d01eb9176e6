"""The same rows get the same scores, bit for bit, whatever they come in."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from sagetree.formats.csv_text import BULK_BYTES
from tests.serve.artifacts import INPUTS, client_for
from tests.serve.encoded import every_body, parquet
from tests.serve.rows import CATEGORIES, NAMES, SIZES, Record, csv_body

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
CATEGORY_CELLS = st.none() | st.sampled_from(CATEGORIES) | TEXTS | st.integers() | st.booleans()
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "num_claims": st.none()
            | st.integers(-(2**63), 2**63)
            | st.floats(width=32, allow_nan=False, allow_infinity=False)
            | st.sampled_from(["?", " 1e5 ", "1.0", True]),
            "a<b": CATEGORY_CELLS,
            "x,y": st.sampled_from([None, True, False, 0, 1, "TRUE", "0.0"]),
            "début [UTC]": st.none()
            | st.datetimes().map(lambda moment: moment.isoformat())
            | st.dates().map(str),
            "größe": CATEGORY_CELLS | st.sampled_from(SIZES),
            "policy_id": TEXTS,
        }
    ),
    min_size=1,
    max_size=6,
)
QUICK = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def scores(client: Client, body: bytes, kind: str) -> list[bytes]:
    headers = {"Accept": "text/csv", "Content-Type": kind}
    answer = client.post("/invocations", data=body, headers=headers)
    assert answer.status_code == 200, answer.data
    return answer.data.splitlines()


@QUICK
@given(rows=ROWS, order=st.permutations(NAMES), inputs=st.permutations(INPUTS))
def test_all_forms_of_a_request_get_equal_scores(
    client: Client, rows: list[Record], order: list[str], inputs: list[str]
):
    expected = scores(client, json.dumps(rows).encode(), "application/json")
    assert len(expected) == len(rows)
    lists = [[row[name] for name in inputs] for row in rows]
    shuffled = [{name: row[name] for name in order} for row in rows]
    for shape in [{"columns": inputs, "rows": lists}, {"instances": shuffled}]:
        assert scores(client, json.dumps(shape).encode(), "application/json") == expected
    assert scores(client, csv_body(order, rows, header=True), "text/csv") == expected
    assert scores(client, csv_body(inputs, rows, header=True), "text/csv") == expected
    for names in (INPUTS, NAMES):
        body = csv_body(names, rows, header=False)
        assert scores(client, body, "text/csv;header=absent") == expected


@QUICK
@given(rows=ROWS, header=st.booleans())
def test_a_bulk_body_gets_the_scores_of_a_small_one(
    client: Client, rows: list[Record], header: bool
):
    """Above BULK_BYTES another reader is at work, and rows have other neighbours."""
    kind = f"text/csv; header={'present' if header else 'absent'}"
    one = scores(client, csv_body(NAMES, rows, header=header), kind)
    times = BULK_BYTES // len(csv_body(NAMES, rows, header=False)) + 1
    bulk = csv_body(NAMES, rows * times, header=header)
    assert len(bulk) >= BULK_BYTES
    assert scores(client, bulk, kind) == one * times


# -0.0 and numbers near float32's ends among them
NUMBERS = st.floats(width=32, allow_infinity=False) | st.sampled_from([0.1, 1e-5, -9.99, np.nan])
MATRICES = st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=1, max_size=5)


@pytest.fixture(scope="module")
def numbers_client(plain_dir: Path) -> Client:
    return client_for(plain_dir)


@settings(max_examples=8)
@given(rows=MATRICES)
def test_every_content_type_gets_equal_scores(numbers_client: Client, rows: list[list[float]]):
    """And a row alone gets the score it has among others."""
    matrix = np.array(rows, np.float32)
    bodies = every_body(matrix, ("f0", "f1", "f2"))
    expected = scores(numbers_client, bodies[0][1] + b"\n", "text/csv;header=absent")
    assert len(expected) == len(rows)
    for kind, body in bodies:
        assert scores(numbers_client, body, kind) == expected, kind
    for kind, body in every_body(matrix[-1:], ("f0", "f1", "f2")):
        assert scores(numbers_client, body, kind) == expected[-1:], kind


@settings(max_examples=10)
@given(rows=ROWS)
def test_parquet_and_json_lines_hold_every_kind_of_column(client: Client, rows: list[Record]):
    texts = [{n: None if v is None else csv_text(v) for n, v in row.items()} for row in rows]
    expected = scores(client, json.dumps(texts).encode(), "application/json")
    lines = "\n".join(map(json.dumps, rows)).encode()
    assert scores(client, lines, "application/jsonlines") == expected
    columns = {name: pa.array([row[name] for row in texts], pa.string()) for name in NAMES}
    assert scores(client, parquet(columns), "application/x-parquet") == expected


def csv_text(value: object) -> str:
    return repr(value) if isinstance(value, float) else str(value)
