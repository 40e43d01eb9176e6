"""What the application refuses: the status and the whole text of every answer."""

import json
from pathlib import Path

import pytest
from werkzeug.test import Client

from sagetree.machine.program import LOG
from sagetree.serve.answers.encoders import ENCODERS
from sagetree.serve.bodies.decoders import DECODERS
from sagetree.serve.models.loading import ModelHolder, ServedModel
from tests.serve.artifacts import INPUTS, client_for, settings_for, site_of
from tests.serve.asking import ATTRIBUTES, CSV, ROWS, client_of, post, problem
from tests.serve.rows import csv_body

LISTED = ", ".join(INPUTS)
GIVEN = (
    "predicted_label, labels, probability, probabilities, raw_score, raw_scores, score, "
    "threshold, contributions, reasons, model, identifiers"
)
KNOWN = GIVEN.replace("raw_scores, ", "raw_scores, predicted_score, ")
ACCEPTS = ", ".join(ENCODERS)
TYPES = ", ".join(DECODERS)


@pytest.mark.parametrize(
    ("body", "kind", "headers", "status", "expected"),
    [
        (
            CSV, "text/csv", {"Accept": "image/png"}, 406,
            ("NotAcceptableError", "the answer cannot be 'image/png'", "Accept",
             f"Accept one of {ACCEPTS}"),
        ),
        (
            CSV, "", {}, 415,
            ("UnsupportedMediaTypeError", "the header is missing", "Content-Type",
             f"Send one of {TYPES}"),
        ),
        (
            CSV, "text/html", {}, 415,
            ("UnsupportedMediaTypeError", "'text/html' is not supported", "Content-Type",
             f"Send one of {TYPES}"),
        ),
        (
            CSV, "text/csv", {"Content_Encoding": "gzip"}, 415,
            ("UnsupportedMediaTypeError", "the body is compressed as 'gzip'", "Content-Encoding",
             "Send the body uncompressed"),
        ),
        (
            b"1,2\n3\n", "text/csv", {}, 400,
            ("DecodingError", "the line has 1 cells, and the first line has 2", "line 2",
             "Give every line the same number of cells; quote a cell that holds a comma"),
        ),
        (
            b'{"num_claims": Inf}', "application/json", {}, 400,
            ("DecodingError", "the body is not JSON: unexpected character, expected a JSON value",
             "line 1 column 16",
             "Send JSON in UTF-8; a missing value is null or NaN"),
        ),
        (
            CSV, "text/csv", {ATTRIBUTES: "inference_output=score,odds"}, 400,
            ("RequestError", f"'odds' is not one of {KNOWN}", f"{ATTRIBUTES}, inference_output",
             f"This model gives {GIVEN}"),
        ),
        (
            CSV, "text/csv", {ATTRIBUTES: "inference_output=score,score"}, 400,
            ("RequestError", "score is given twice", f"{ATTRIBUTES}, inference_output",
             f"This model gives {GIVEN}"),
        ),
        (
            CSV, "text/csv", {ATTRIBUTES: "x" * 1025}, 400,
            ("RequestError", "the custom attributes cannot be returned", ATTRIBUTES,
             "Send at most 1024 visible ASCII characters"),
        ),
    ],
)  # fmt: skip
def test_a_refused_request_says_why(
    client: Client,
    body: bytes,
    kind: str,
    headers: dict[str, str],
    status: int,
    expected: tuple[str, ...],
):
    found = problem(post(client, body, kind, **headers))
    assert found == (
        status,
        dict(zip(("error", "message", "where", "hint"), expected, strict=True)),
    )


def test_the_headers_are_settled_before_any_work(client: Client):
    """An answer nobody can read is not computed, nor is a body nobody can read taken in."""
    assert post(client, b"not,csv\n1", Accept="image/png").status_code == 406
    assert post(client, b"not,csv\n1", "image/png").status_code == 415


def test_rows_that_do_not_fit_are_named_one_by_one(client: Client):
    rows = [
        {**row, "num_claims": "many", "début [UTC]": "yesterday" if number else None}
        for number, row in enumerate(ROWS)
    ]
    hint = "Correct the cell, or leave it empty if the value is missing"
    not_a_number = "'many' is text where a number is expected"
    not_a_date = "'yesterday' is not a date written as 2026-01-31 or 2026-01-31T13:45:00"
    for body, kind, place in [
        (csv_body(INPUTS, rows, header=True), "text/csv", "line 2"),
        (csv_body(INPUTS, rows, header=False), "text/csv", "line 1"),
        (json.dumps(rows).encode(), "application/json", "row 1"),
    ]:
        assert problem(post(client, body, kind)) == (
            422,
            {
                "error": "SchemaError",
                "message": f"{not_a_number} (and 4 more like it)",
                "where": f"{place}, column 'num_claims'",
                "hint": hint,
                "violations": [
                    {"row": 1, "column": "num_claims", "reason": not_a_number},
                    {"row": 2, "column": "num_claims", "reason": not_a_number},
                    {"row": 3, "column": "num_claims", "reason": not_a_number},
                    {"row": 2, "column": "début [UTC]", "reason": not_a_date},
                    {"row": 3, "column": "début [UTC]", "reason": not_a_date},
                ],
            },
        )


def test_columns_that_do_not_fit_are_named(client: Client):
    names = ("num_claims", "a<b", "x,y", "begin", "größe", "fraud")
    rows = [{**ROWS[0], "begin": "2026-01-31", "fraud": "no"}]
    answer = post(client, csv_body(names, rows, header=True))
    reason = "is the label: leave it out of the request"
    assert problem(answer) == (
        422,
        {
            "error": "SchemaError",
            "message": "column 'début [UTC]' is missing; column 'begin' is unknown; "
            f"column 'fraud' {reason}",
            "where": "",
            "hint": f"The model needs {LISTED}",
            "violations": [
                {"row": None, "column": "début [UTC]", "reason": "is missing"},
                {"row": None, "column": "begin", "reason": "is unknown"},
                {"row": None, "column": "fraud", "reason": reason},
            ],
        },
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"size,num_claims\n1,2\n", "text/csv"),
        (b"size;num_claims\n1;2\n", "text/csv"),
        (b'{"num_claims": 1, "size": 2}', "application/json"),
        (b'[{"num_claims": 1, "size": 2}, {"num_claims": 1, "size": 2}]', "application/json"),
        (b'[{"num_claims": 1, "size": 2}, {"size": 2, "policy_id": 7, "num_claims": 1}]',
         "application/json"),
        (b'{"columns": ["num_claims", "size"], "data": [[1, 2]]}', "application/json"),
        (b'{"inputs": {"num_claims": [1], "size": [2]}}', "application/json"),
        (b'{"num_claims": 1, "size": 2}\n', "application/jsonlines"),
    ],
)  # fmt: skip
def test_rows_of_some_named_columns_say_which_are_missing(client: Client, body: bytes, kind: str):
    body = body.replace(b"size", "größe".encode())
    _, found = problem(post(client, body, kind))
    assert (found["message"], found["where"], found["hint"]) == (
        "columns 'a<b', 'x,y', 'début [UTC]' are missing", "", f"The model needs {LISTED}",
    )  # fmt: skip


def test_twenty_violations_are_shown(client: Client):
    _, found = problem(post(client, b"x,,,,\n" * 50))
    assert found["message"] == "'x' is text where a number is expected (and 49 more like it)"
    assert len(found["violations"]) == 20


def test_a_row_without_names_must_have_the_trained_columns(client: Client):
    message = "there are 2 columns, and the model has 5 or 6 columns"
    assert problem(post(client, b"1,2\n")) == (
        422,
        {
            "error": "SchemaError",
            "message": message,
            "where": "line 1",
            "hint": f"Without a header row the columns must be, in this order, {LISTED}; or, with "
            f"those left out of training, {LISTED}, policy_id",
            "violations": [{"row": None, "column": "", "reason": message}],
        },
    )


def test_a_comma_too_many_is_named(plain_dir: Path):
    _, found = problem(post(client_for(plain_dir), b"0.9,0.1,0.2,\n"))
    assert found["message"] == "there are 4 columns, and the model has 3 columns"
    assert found["hint"] == (
        "Without a header row the columns must be, in this order, f0, f1, f2. The last cell is "
        "empty: no comma ends a row"
    )


@pytest.mark.parametrize("word", ["Infinity", "-Infinity"])
def test_infinity_is_refused_by_its_cell(client: Client, word: str):
    row = {**ROWS[0], "num_claims": float(word)}
    status, found = problem(post(client, json.dumps(row).encode(), "application/json"))
    assert (status, found["message"], found["where"]) == (
        422,
        f"'{word}' is infinite or too large for float32",
        "row 1, column 'num_claims'",
    )


def test_a_body_above_the_limit_is_refused(base_dir: Path):
    client = client_for(base_dir / "model", SAGEMAKER_MAX_PAYLOAD_IN_MB="1")
    line = csv_body(INPUTS, ROWS[:1], header=False)
    fitting = line * (2**20 // len(line))
    assert post(client, fitting).status_code == 200
    assert problem(post(client, fitting + line)) == (
        413,
        {
            "error": "PayloadTooLargeError",
            "message": "it is larger than 1 MB",
            "where": "the body",
            "hint": "Send fewer rows at once, or raise SAGEMAKER_MAX_PAYLOAD_IN_MB",
        },
    )


@pytest.mark.parametrize(
    ("method", "path", "status", "error", "message", "hint"),
    [
        (
            "GET", "/elsewhere", 404, "NotFound", "the path does not exist",
            "The paths are GET /ping, POST /invocations, GET /execution-parameters, GET /metrics, "
            "GET /v2/health/live, GET /v2/health/ready, GET /v2, GET /v2/models/model, "
            "GET /v2/models/model/ready, POST /v2/models/model/infer, "
            "GET /v2/models/model/versions/{version}, "
            "GET /v2/models/model/versions/{version}/ready, "
            "POST /v2/models/model/versions/{version}/infer, GET /health, "
            "GET /version, GET /schema, GET /metadata, GET /openapi.json, GET /",
        ),
        ("GET", "/invocations", 405, "MethodNotAllowed", "the method is not allowed here",
         "Use POST"),
        ("POST", "/ping", 405, "MethodNotAllowed", "the method is not allowed here",
         "Use GET, HEAD"),
    ],
)  # fmt: skip
def test_other_places_and_methods(
    client: Client, method: str, path: str, status: int, error: str, message: str, hint: str
):
    answer = client.open(path, method=method)
    expected = {"error": error, "message": message, "where": "", "hint": hint}
    assert problem(answer) == (status, expected)
    if status == 405:
        assert answer.headers["Allow"].split(", ") == [*hint[4:].split(", "), "OPTIONS"]


def test_a_bug_is_told_without_its_inside(
    base_dir: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    class BrokenHolder(ModelHolder):
        def wait(self, seconds: float = 0) -> ServedModel:
            raise ZeroDivisionError("secret")

    settings = settings_for(base_dir / "model")
    site = site_of(settings, BrokenHolder(settings.model_dir, lambda: None))
    monkeypatch.setattr(LOG, "propagate", True)
    answer = post(client_of(site), CSV, X_Amzn_RequestId="id-7")
    assert problem(answer) == (
        500,
        {
            "error": "InternalError",
            "message": "the server failed",
            "where": "",
            "hint": "Its log has the reason under this request_id",
        },
    )
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.getMessage() == "id-7 failed"
    assert "ZeroDivisionError: secret" in caplog.text
