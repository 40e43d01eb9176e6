"""Captured requests in all their forms are the rows that the server scored."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from sagetree.bundle.model import Model
from sagetree.drift.captured.reading import Capture, read_capture
from sagetree.drift.captured.refusals import Reason
from sagetree.drift.settings import TimeWindow
from sagetree.errors import DataError
from tests.drift.watched import COLUMNS, INPUTS, LABEL, captured, one_each, rows, text, write_lines
from tests.serve import encoded
from tests.serve.artifacts import client_for

ROWS = rows(12, 5)

FOUR = datetime(2026, 1, 31, 16, tzinfo=UTC)
FROM_FOUR_TO_FIVE = TimeWindow(FOUR, FOUR + timedelta(hours=1))


def read(model: Model, *paths: Path, window: TimeWindow | None = None) -> Capture:
    return read_capture(model, paths, (), window)


def answers(trained: Path) -> list[float]:
    """What the server says about ROWS."""
    body = text(ROWS, INPUTS, header=False)
    answer = client_for(trained).post("/invocations", data=body, content_type="text/csv")
    assert answer.status_code == 200
    return [float(line) for line in answer.text.split()]


def instances(*, named: bool) -> str:
    found = [{n: row[n] for n in INPUTS} if named else [row[n] for n in INPUTS] for row in ROWS]
    return json.dumps({"instances": found})


FORMS = {
    "one row each": one_each(ROWS),
    "CSV": [captured(text(ROWS, INPUTS, header=False), "text/csv")],
    "CSV with its header, in another order": [captured(text(ROWS, INPUTS[::-1]), "text/csv")],
    "CSV with the identifier": [captured(text(ROWS, COLUMNS, header=False), "text/csv")],
    "CSV in base64": [captured(text(ROWS, INPUTS).encode(), "text/csv; charset=utf-8")],
    "JSON": [captured(instances(named=True), "application/json")],
    "JSON by place, in base64": [captured(instances(named=False).encode(), "application/json")],
    "JSON Lines": [
        captured(
            "\n".join(json.dumps({n: row[n] for n in INPUTS}) for row in ROWS).encode(),
            "application/jsonlines",
        )
    ],
    "Parquet": [
        captured(
            encoded.parquet({n: [row[n] for row in ROWS] for n in INPUTS}),
            "application/x-parquet",
        )
    ],
}


@pytest.mark.parametrize("form", FORMS)
def test_rows_get_the_servers_scores(
    form: str, model: Model, trained: Path, tmp_path: Path
) -> None:
    capture = read(model, write_lines(tmp_path / "c.jsonl", FORMS[form]))
    assert capture.rows.rows == len(ROWS)
    assert capture.requests == len(FORMS[form])
    assert capture.refusals.rows == 0
    assert (
        capture.rows.scores.astype(str).tolist()
        == np.float32(answers(trained)).astype(str).tolist()
    )


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "parquet", "jsonl"])
def test_plain_tables_get_them_too(
    suffix: str, model: Model, trained: Path, tmp_path: Path
) -> None:
    """Also with the label, and with a column that the model does not know."""
    path = tmp_path / f"rows.{suffix}"
    columns = (LABEL, *COLUMNS, "office")
    table = [row | {"office": "here"} for row in ROWS]
    if suffix == "parquet":
        path.write_bytes(encoded.parquet({n: [row[n] for row in table] for n in columns}))
    elif suffix == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in table))
    else:
        content = text(table, columns).encode()
        path.write_bytes(gzip.compress(content) if suffix.endswith("gz") else content)
    capture = read(model, path)
    assert np.float32(answers(trained)).tolist() == capture.rows.scores.tolist()
    assert capture.refusals.extra == {"office": len(ROWS)}
    assert (capture.requests, capture.refusals.rows) == (0, 0)


def test_requests_and_tables_may_lie_in_one_folder(model: Model, tmp_path: Path) -> None:
    write_lines(tmp_path / "2026/01/31/16/a.jsonl", one_each(ROWS))
    (tmp_path / "b.csv").write_text(text(ROWS, COLUMNS))
    capture = read(model, tmp_path)
    assert (capture.rows.rows, capture.requests) == (2 * len(ROWS), len(ROWS))
    assert capture.rows.scores[: len(ROWS)].tolist() == capture.rows.scores[len(ROWS) :].tolist()


def test_cells_are_counted_as_they_were_written(model: Model, tmp_path: Path) -> None:
    """A category that training never saw has its own name, whatever stands for it in the model."""
    changed = [
        *({**row, "kind": "hover"} for row in ROWS[:3]),
        *({**row, "amount": None, "city": "nowhere"} for row in ROWS[3:5]),
        *ROWS[5:],
    ]
    capture = read(model, write_lines(tmp_path / "c.jsonl", one_each(changed)))
    amount, kind, city, seen = capture.rows.columns
    assert (amount.missing, kind.missing, city.missing, seen.missing) == (2, 0, 0, 0)
    assert dict(kind.unseen) == {"hover": 3}
    assert city.unseen["nowhere"] == 2
    assert sum(kind.counts) == len(ROWS) - 3
    assert amount.numbers is not None
    assert [None if np.isnan(x) else round(x, 4) for x in amount.numbers] == [
        row["amount"] for row in changed
    ]


def test_what_the_server_refuses_is_counted_by_its_reason(model: Model, tmp_path: Path) -> None:
    wrong = [
        captured("1,car\n", "text/csv"),
        captured('{"instances": [', "application/json"),
        captured(json.dumps({"amount": 1, "city": "a", "seen": None}), "application/json"),
        captured("a lot,car,city 1,2026-01-01\n1,car,city 1,2026-01-01\n", "text/csv"),
        captured(b"\x00", "image/png"),
    ]
    capture = read(model, write_lines(tmp_path / "c.jsonl", [*wrong, *one_each(ROWS)]))
    assert capture.rows.rows == len(ROWS) + 1
    assert capture.refusals.rows == 5
    assert capture.refusals.by_reason == {
        Reason("data_type_check", "(body)"): 3,
        Reason("missing_column_check", "kind"): 1,
        Reason("data_type_check", "amount"): 1,
    }
    assert capture.refusals.examples[Reason("data_type_check", "amount")] == (
        f"{tmp_path}/c.jsonl line 4 line 1, column 'amount': 'a lot' is text where a number is "
        "expected"
    )


def test_only_the_window_counts(model: Model, tmp_path: Path) -> None:
    """More than was asked for may be downloaded; its end is not a part of it."""
    hours = {15: 3, 16: 2, 17: 4}
    records = [
        record
        for hour, count in hours.items()
        for record in one_each(ROWS[:count], time=f"2026-01-31T{hour}:00:00Z")
    ]
    for record in records[::2]:  # some write it so
        event = record["eventMetadata"]
        assert isinstance(event, dict)
        event["eventTime"] = event.pop("inferenceTime")
    capture = read(model, write_lines(tmp_path / "c.jsonl", records), window=FROM_FOUR_TO_FIVE)
    assert (capture.rows.rows, capture.outside, capture.requests) == (2, 7, 9)


def test_answers_alone_are_left_out(model: Model, tmp_path: Path) -> None:
    records = one_each(ROWS)
    del records[0]["captureData"]["endpointInput"]  # type: ignore[attr-defined]
    capture = read(model, write_lines(tmp_path / "c.jsonl", records))
    assert (capture.rows.rows, capture.without_input) == (len(ROWS) - 1, 1)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"captureData": ', "line 2: the line is not JSON: unexpected end of data: line 2 column "
         "1 (char 17). Copy the file again from the endpoint's capture"),
        ('{"a": 1}', (
            "line 2: the line is not a record of SageMaker's data capture: captureData is "
            "missing from it. Copy the file again from the endpoint's capture"
        )),
        (json.dumps(captured("*", "x") | {"captureData": {"endpointInput": {
            "data": "*", "encoding": "BASE64"}}}), "line 2: the body is not base64: Only base64 "
         "data is allowed. Copy the file again from the endpoint's capture"),
        (json.dumps(captured("1", "text/csv", time="noon")), "line 2: 'noon' is not a time. Write "
         "it as 2026-01-31T16:20:00Z"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_record_is_an_error(
    line: str, problem: str, model: Model, tmp_path: Path
) -> None:
    path = write_lines(tmp_path / "c.jsonl", one_each(ROWS[:1]))
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(DataError) as error:
        read(model, path)
    assert str(error.value) == f"{path} {problem}"


def test_a_capture_without_any_row_says_why(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    output = {"captureData": {"endpointOutput": {"data": "1"}}, "eventMetadata": {}}
    late = one_each(ROWS[:2], time="2026-01-31T18:00:00Z")
    cases: dict[str, list[dict[str, object]]] = {
        "the capture holds only answers. Let the endpoint capture its input too (CaptureMode "
        "Input)": [output],
        "none of 2 requests was made within the window. Check start_time and end_time": late,
        f"no row can be scored: {path} line 1 line 1: there are 1 columns, and the model has 4 or "
        "5 columns. Without a header row the columns must be, in this order, amount, kind, city, "
        "seen; or, with those left out of training, amount, kind, city, seen, policy. Check that "
        "they were captured from an endpoint of this model": [captured("1\n", "text/csv")],
    }
    for problem, records in cases.items():
        write_lines(path, records)
        with pytest.raises(DataError) as error:
            read(model, path, window=FROM_FOUR_TO_FIVE)
        assert str(error.value) == f"{path}: {problem}"
