"""The same rows get the same scores, bit for bit, whatever they come in."""

import json

from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagetree.csv_text import BULK_BYTES
from tests.serve.artifacts import INPUTS
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
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def scores(client: FlaskClient, body: bytes, kind: str) -> list[bytes]:
    headers = {"Accept": "text/csv", "Content-Type": kind}
    answer = client.post("/invocations", data=body, headers=headers)
    assert answer.status_code == 200, answer.data
    return answer.data.splitlines()


@QUICK
@given(rows=ROWS, order=st.permutations(NAMES), inputs=st.permutations(INPUTS))
def test_all_forms_of_a_request_get_equal_scores(
    client: FlaskClient, rows: list[Record], order: list[str], inputs: list[str]
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
    client: FlaskClient, rows: list[Record], header: bool
):
    """Above BULK_BYTES another reader is at work, and rows have other neighbours."""
    kind = f"text/csv; header={'present' if header else 'absent'}"
    one = scores(client, csv_body(NAMES, rows, header=header), kind)
    times = BULK_BYTES // len(csv_body(NAMES, rows, header=False)) + 1
    bulk = csv_body(NAMES, rows * times, header=header)
    assert len(bulk) >= BULK_BYTES
    assert scores(client, bulk, kind) == one * times
