"""The same rows get the same scores, bit for bit, whatever they come in."""

import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from sagetree.bundle.bundle import ModelBundle
from sagetree.formats.csv_text import BULK_BYTES
from sagetree.machine.paths import OptMl
from sagetree.train.job import run as train
from tests.serve.artifacts import INPUTS, client_for
from tests.serve.asking import ATTRIBUTES
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
            # by which rows of all columns are known without names
            "policy_id": st.integers(0, 99999).map("P{:05d}".format),
        }
    ),
    min_size=1,
    max_size=6,
)
FEW = settings(max_examples=settings().max_examples // 2)  # each of many bodies


def scores(client: Client, body: bytes, kind: str) -> list[bytes]:
    headers = {"Accept": "text/csv", "Content-Type": kind}
    answer = client.post("/invocations", data=body, headers=headers)
    assert answer.status_code == 200, answer.data
    return answer.data.splitlines()


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


@FEW
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


@FEW
@given(rows=ROWS)
def test_parquet_and_json_lines_hold_every_kind_of_column(client: Client, rows: list[Record]):
    texts = [{n: None if v is None else csv_text(v) for n, v in row.items()} for row in rows]
    expected = scores(client, json.dumps(texts).encode(), "application/json")
    lines = "\n".join(map(json.dumps, rows)).encode()
    assert scores(client, lines, "application/jsonlines") == expected
    columns = {name: pa.array([row[name] for row in texts], pa.string()) for name in NAMES}
    assert scores(client, parquet(columns), "application/x-parquet") == expected


# How each column is written in training; the rules follow from it.
DAY_ONE = date(2020, 1, 1)
WRITTEN: dict[str, Callable[[int], str]] = {
    "price": lambda n: f"${n / 4:,.2f}",
    "share": lambda n: f"{n % 1000 / 10}%",
    "size": lambda n: f"{n / 4:,.2f}".translate(str.maketrans(",.", ".,")),
    "day": lambda n: f"{DAY_ONE + timedelta(n % 900):%d/%m/%Y}",
    "moment": lambda n: str(1_700_000_000_000 + 250 * n),
}
# The same values as JSON may hold them: a decimal comma is only in text.
PLAIN: dict[str, Callable[[int], object]] = {
    "price": lambda n: round(n / 4, 2),
    "share": lambda n: float(f"{n % 1000}e-3"),
    "size": lambda n: WRITTEN["size"](n),
    "day": lambda n: str(DAY_ONE + timedelta(n % 900)),
    "moment": lambda n: 1_700_000_000_000 + 250 * n,
}
WRITTEN_ROWS = st.lists(
    st.fixed_dictionaries(dict.fromkeys(WRITTEN, st.none() | st.integers(0, 40_000))),
    min_size=1,
    max_size=6,
)


@pytest.fixture(scope="module")
def written_client(tmp_path_factory: pytest.TempPathFactory) -> Client:
    """A model whose columns all have a rule, on numbers and dates as people write them."""
    opt_ml = OptMl(tmp_path_factory.mktemp("written"))
    rows = [{name: write(n * 7919 % 40_000) for name, write in WRITTEN.items()} for n in range(300)]
    table = pa.Table.from_pylist([{"y": n % 7 % 2, **row} for n, row in enumerate(rows)])
    (opt_ml.data / "train").mkdir(parents=True)
    pq.write_table(table, opt_ml.data / "train" / "rows.parquet")
    bundle = trained(opt_ml, {"num_round": "20", "preset": "sagetree", "nfold": "2"})
    kinds = [feature.kind for feature in bundle.features.features]
    assert kinds == ["ruled number"] * 3 + ["datetime", "ruled number"]
    return client_for(opt_ml.model)


def trained(opt_ml: OptMl, hyperparameters: dict[str, str]) -> ModelBundle:
    opt_ml.config.mkdir(parents=True)
    (opt_ml.config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    assert train(opt_ml, {}) == 0
    return ModelBundle.load(opt_ml.model)


@FEW
@given(drawn=WRITTEN_ROWS)
def test_rules_of_columns_are_the_same_in_every_form(
    written_client: Client, drawn: list[dict[str, int | None]]
):
    def cells(ways: Mapping[str, Callable[[int], object]]) -> list[dict[str, object]]:
        return [{k: None if n is None else ways[k](n) for k, n in row.items()} for row in drawn]

    texts, names = cells(WRITTEN), list(WRITTEN)
    expected = scores(written_client, json.dumps(texts).encode(), "application/json")
    for rows in (texts, cells(PLAIN)):
        assert scores(written_client, json.dumps(rows).encode(), "application/json") == expected
        lines = "\n".join(map(json.dumps, rows)).encode()
        assert scores(written_client, lines, "application/jsonlines") == expected
        body = csv_body(names, rows, header=True)
        assert scores(written_client, body, "text/csv") == expected
        one = csv_body(names, rows[:1], header=False)
        assert scores(written_client, one, "text/csv;header=absent") == expected[:1]
        times = BULK_BYTES // len(one) + 1
        bulk = csv_body(names, rows * times, header=True)
        assert scores(written_client, bulk, "text/csv") == expected * times
        columns = {name: pa.array([row[name] for row in rows]) for name in names}
        assert scores(written_client, parquet(columns), "application/x-parquet") == expected


def test_reasons_show_cells_as_they_were_sent(written_client: Client):
    row = {name: write(40) for name, write in WRITTEN.items()} | {"moment": 1_700_000_010_000}
    headers = {ATTRIBUTES: "inference_output=reasons", "Accept": "application/json"}
    answer = written_client.post("/invocations", json=[row], headers=headers)
    shown = {
        reason.partition(" = ")[0]: reason.partition(" = ")[2].split(" ", 1)[0]
        for reason in json.loads(answer.data)["predictions"][0]["reasons"]
    }
    assert shown
    assert shown == {name: str(row[name]) for name in shown}


def csv_text(value: object) -> str:
    return repr(value) if isinstance(value, float) else str(value)
