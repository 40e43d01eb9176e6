"""The routes, in this process: answers, headers, lines of the log."""

import json
import logging
import math
import re
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import xgboost
from werkzeug.test import Client

from sagetree.bundle.file_names import MODEL_FILE
from sagetree.bundle.model import Model
from sagetree.machine.program import LOG
from sagetree.serve.application import Application
from sagetree.serve.models.loading import ModelHolder
from sagetree.tables.table import Source, Table
from tests.serve.artifacts import INPUTS, client_for, settings_for, site_of
from tests.serve.asking import ATTRIBUTES, CSV, ROWS, post, problem
from tests.serve.rows import NAMES, csv_body, records


def expected_scores(model: Model) -> list[float]:
    cells = tuple([row[name] for row in ROWS] for name in INPUTS)
    return model.score(Table(INPUTS, cells, 3, True, (Source(3),))).tolist()


def test_ping_is_200_and_empty(client: Client):
    answer = client.get("/ping")
    assert (answer.status_code, answer.data) == (200, b"")


def test_the_loop_is_told_how_long_a_connection_may_be_idle(base_dir: Path):
    settings = settings_for(base_dir / "model", SAGETREE_KEEPALIVE_SECONDS="600")
    site = site_of(settings, ModelHolder(base_dir / "model", lambda: None))  # type: ignore[arg-type]
    assert Application(site).keepalive == 600


def test_scores_come_back_as_the_official_container_prints_them(client: Client, model: Model):
    scores = expected_scores(model)
    assert len(set(scores)) == 3
    answer = post(client, CSV)
    assert answer.data == "".join(f"{score!r}\n" for score in scores).encode()
    assert answer.content_type == "text/csv"
    answer = post(client, CSV, Accept="application/json")
    assert answer.data == json.dumps({"predictions": [{"score": s} for s in scores]}).encode()
    assert answer.content_type == "application/json"


def test_every_shape_of_the_rows_gets_the_same_answer(client: Client):
    plain = post(client, CSV).data
    reordered = tuple(reversed(NAMES))
    shuffled = [{name: row[name] for name in reordered} for row in ROWS]
    columns = [row[name] for row in ROWS for name in INPUTS]
    lists = [columns[i : i + len(INPUTS)] for i in range(0, len(columns), len(INPUTS))]
    bodies = [
        (csv_body(NAMES, ROWS, header=False), "text/csv"),
        (csv_body(reordered, ROWS, header=True), "text/csv; charset=utf-8"),
        (csv_body(INPUTS, ROWS, header=True).replace(b"\n", b"\r\n"), "TEXT/CSV; header=present"),
        (json.dumps(shuffled).encode(), "application/json"),
        (json.dumps({"instances": ROWS}).encode(), "application/json"),
        (json.dumps({"instances": lists}).encode(), "application/json"),
        (json.dumps({"columns": INPUTS, "data": lists}).encode(), "application/json"),
    ]
    for body, kind in bodies:
        assert post(client, body, kind, Accept="text/csv").data == plain
    bodies = [(json.dumps(row).encode(), "application/json") for row in ROWS]
    single = [post(client, body, kind, Accept="text/csv").data for body, kind in bodies]
    assert b"".join(single) == plain


def test_the_default_accept_can_be_set(base_dir: Path):
    variables = {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "application/json"}
    client = client_for(base_dir / "model", **variables)
    assert list(post(client, CSV).get_json()) == ["predictions"]
    assert post(client, CSV, Accept="text/csv").data.count(b"\n") == 3


@pytest.mark.parametrize("accept", [{}, {"Accept": "*/*"}])
def test_without_accept_json_is_answered_in_json_and_the_rest_in_csv(
    client: Client, base_dir: Path, accept: dict[str, str]
):
    body, lines = json.dumps(ROWS).encode(), "\n".join(map(json.dumps, ROWS)).encode()
    answer = post(client, body, "application/json; charset=utf-8", **accept)
    assert [row["score"] for row in answer.get_json()["predictions"]] == [
        float(line) for line in post(client, CSV, **accept).data.splitlines()
    ]
    assert post(client, lines, "application/jsonlines", **accept).mimetype == "text/csv"
    batch = client_for(base_dir / "model", SAGEMAKER_BATCH="true")
    assert post(batch, body, "application/json", **accept).data == post(batch, CSV).data
    told = client_for(base_dir / "model", SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="text/csv")
    assert post(told, body, "application/json", **accept).data == post(told, CSV).data


def test_nan_is_a_missing_cell_and_no_answer_has_it(client: Client):
    row = {**ROWS[0], "num_claims": None}
    expected = post(client, json.dumps(row).encode(), "application/json").data
    missing = json.dumps({**row, "num_claims": math.nan}).encode()
    assert b"NaN" in missing
    for body, kind in (
        (missing, "application/json"),
        (b'{"instances": [%b]}' % missing, "application/json"),
        (b'{"dataframe_records": [%b], "params": {}}' % missing, "application/json"),
        (b'{"inputs": [%b]}' % missing, "application/json"),
        (missing, "application/jsonlines"),
    ):
        assert post(client, body, kind, Accept="application/json").data == expected


def test_mlflows_own_routes(client: Client, tmp_path: Path):
    health = client.get("/health")
    assert (health.status_code, health.data, health.mimetype) == (200, b"\n", "application/json")
    told = client.get("/version")
    assert (told.status_code, told.mimetype) == (200, "application/json")
    assert told.data.decode() == version("sagetree")
    nothing = client_for(tmp_path / "nothing")
    nothing.post("/invocations", data=b"1", content_type="text/csv")  # waits for the loading
    assert nothing.get("/health").status_code == 503


def test_a_request_keeps_the_id_its_caller_gave(client: Client):
    def returned(**headers: str) -> str:
        return post(client, CSV, **headers).headers["X-Amzn-RequestId"]

    assert returned(X_Amzn_RequestId="abc-1") == "abc-1"
    both = {"X_Amzn_RequestId": "abc-1", "X_Amzn_SageMaker_Inference_Id": "mine"}
    assert returned(**both) == "mine"
    for unusable in ("", "x" * 65, "two words", "größe"):
        fresh = returned(X_Amzn_RequestId=unusable)
        assert len(fresh) == 32
        assert int(fresh, 16)


def test_custom_attributes_come_back(client: Client):
    text = "trace=17; inference_output=score;anything at all"
    assert post(client, CSV, **{ATTRIBUTES: text}).headers[ATTRIBUTES] == text
    refused = post(client, b"1,2", **{ATTRIBUTES: text})
    assert (refused.status_code, refused.headers[ATTRIBUTES]) == (422, text)
    assert ATTRIBUTES not in post(client, CSV).headers
    assert ATTRIBUTES not in post(client, CSV, **{ATTRIBUTES: "größe"}).headers


def test_one_line_per_request_and_nothing_of_its_content(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(LOG, "propagate", True)
    with caplog.at_level(logging.INFO):
        post(client, CSV, X_Amzn_RequestId="good")
        secret = csv_body(INPUTS, [{**ROWS[0], "num_claims": "secret"}], header=False)
        post(client, secret, X_Amzn_RequestId="bad")
        client.get("/secret?secret=secret", headers={"X-Amzn-RequestId": "lost"})
        client.get("/ping", headers={"X-Amzn-RequestId": "ping"})
    lines = [
        record.getMessage().partition(" ms=")
        for record in caplog.records
        if record.module == "metrics"
    ]
    assert [line.partition(" ")[2] for line, _, _ in lines] == [
        f"good POST /invocations 200 rows=3 bytes_in={len(CSV)} "
        f"bytes_out={len(post(client, CSV).data)}",
        f"bad POST /invocations 422 rows=1 bytes_in={len(secret)} "
        f"bytes_out={len(post(client, secret, X_Amzn_RequestId='bad').data)}",
        "lost GET - 404 rows=0 bytes_in=0 bytes_out="
        f"{len(client.get('/x', headers={'X-Amzn-RequestId': 'lost'}).data)}",
        "ping GET /ping 200 rows=0 bytes_in=0 bytes_out=0",
    ]
    times = "[0-9.]+ decode=[0-9.]+ transform=[0-9.]+ score=[0-9.]+ encode=[0-9.]+"
    assert re.fullmatch(f"{times} model=[0-9a-f]{{12}}", lines[0][2])
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ", line[0]) for line in lines)
    assert [line[2].partition(" error=")[2] for line in lines[1:]] == [
        "SchemaError reason=line 1, column 'num_claims': '...' is text where a number is expected",
        "NotFound reason=the path does not exist",
        "",
    ]


def test_the_line_has_the_trace_of_x_ray(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(LOG, "propagate", True)
    trace = "Root=1-67891233-abcdef012345678912345678;Parent=463ac35c9f6413ad;Sampled=1"
    with caplog.at_level(logging.INFO):
        post(client, CSV, X_Amzn_Trace_Id=trace)
    assert caplog.records[-1].getMessage().endswith(f" trace={trace}")


def test_the_line_of_a_refusal_names_columns_of_the_model_alone(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(LOG, "propagate", True)
    with caplog.at_level(logging.INFO):
        post(client, b"num_claims,a<b,secret\n1,2,3\n")
        post(client, b"size,num_claims,size\n1,2,3\n".replace(b"size", "größe".encode()))
        post(client, b'{"secret": ["secret"]}', "application/json")
        post(client, b"1,2\n")
        post(client, b"1,2\n1\n")
        post(client, CSV, "secret/secret")
    lines = [record.getMessage().partition(" error=")[2] for record in caplog.records]
    assert lines == [
        "SchemaError reason=columns 'x,y', 'début [UTC]', 'größe' are missing; "
        "column '...' is unknown",
        "SchemaError reason=column 'größe' is given twice",
        "SchemaError reason=row 1, column '...': a list stands where a single value is expected",
        "SchemaError reason=line 1: there are 2 columns, and the model has 5 or 6 columns",
        "DecodingError reason=line 2: the line has 1 cells, and the first line has 2",
        "UnsupportedMediaTypeError reason=Content-Type: '...' is not supported",
    ]


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_value_of_a_request_is_logged(
    base_dir: Path, form: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    client = client_for(base_dir / "model", SAGETREE_LOG_FORMAT=form)
    monkeypatch.setattr(LOG, "propagate", True)
    names = (
        "Accept", "Content-Encoding", ATTRIBUTES, "X-Amzn-Trace-Id", "Authorization", "Cookie",
        "User-Agent", "X-Amzn-SageMaker-Target-Model", "X-Amzn-RequestId ",
    )  # fmt: skip
    with caplog.at_level(logging.INFO):
        for name in names:
            post(client, CSV, **{name.strip(): "canary canary"})
        post(client, CSV, "canary/canary; charset=canary")
        post(client, b"canary\ncanary\n")
        post(client, b'{"canary": "canary"}', "application/json")
        post(client, b'{"canary": ["canary"]}', "application/json")
        post(client, b"num_claims,canary,a<b\n1,2,3\n")
        post(client, b"canary,num_claims,canary,a<b\n1,2,3,4\n")
        post(client, b'1,2,3,"canary" canary\n')
        post(client, b"PAR1canaryPAR1", "application/x-parquet")
        post(client, b"canary", "application/x-npy")
        post(client, b"\x93NUMPY\x01\x00\x08\x00canary  ", "application/x-npy")
        post(client, b"0 1:canary 2:1\n", "text/libsvm")
        client.post("/v2/models/canary/infer", data=b'{"model_name": "canary"}')
        post(
            client,
            b'{"inputs": [{"name": "canary", "shape": [1], "datatype": "canary"}]}',
            path="/v2/models/model/infer",
        )
        post(client, csv_body(INPUTS, [{**ROWS[0], "a<b": "canary"}], header=False))
        client.get("/canary?canary=canary")
        client.open("/invocations?canary", method="CANARY")
    assert len([r for r in caplog.records if r.module == "metrics"]) == len(names) + 16
    assert "canary" not in caplog.text.lower()


def test_a_row_does_not_depend_on_its_batch_mates(client: Client):
    rows = records(40, seed=12)
    together = post(client, csv_body(INPUTS, rows, header=False)).data.splitlines()
    for number, row in enumerate(rows):
        (alone,) = post(client, csv_body(INPUTS, [row], header=False)).data.splitlines()
        assert alone == together[number]
    mates = [{**row, "a<b": "never seen", "num_claims": 1e30} for row in rows[1:]]
    answer = post(client, csv_body(INPUTS, [rows[0], *mates], header=False)).data
    assert answer.splitlines()[0] == together[0]


def test_an_official_artifact_is_served_by_position(plain_dir: Path):
    client = client_for(plain_dir)
    matrix = np.random.default_rng(5).random((4, 3), np.float32)
    matrix[1, 2] = np.nan
    rows = [["" if np.isnan(x) else repr(float(x)) for x in row] for row in matrix]
    body = "\n".join(",".join(row) for row in rows).encode()
    booster = xgboost.Booster(model_file=bytearray((plain_dir / MODEL_FILE).read_bytes()))
    expected = [f"{score!r}" for score in booster.inplace_predict(matrix).tolist()]
    assert post(client, body).data.decode().splitlines() == expected
    named = b"f2,f0,f1\n" + "\n".join(",".join([r[2], r[0], r[1]]) for r in rows).encode()
    assert post(client, named).data.decode().splitlines() == expected
    too_few = problem(post(client, b"0.1,0.2\n"))
    assert too_few == (
        422,
        {
            "error": "SchemaError",
            "message": "there are 2 columns, and the model has 3 columns",
            "where": "line 1",
            "hint": "Without a header row the columns must be, in this order, f0, f1, f2",
            "violations": [
                {
                    "row": None,
                    "column": "",
                    "reason": "there are 2 columns, and the model has 3 columns",
                }
            ],
        },
    )


def test_a_multiclass_model_gives_a_score_per_class(multiclass_dir: Path):
    client = client_for(multiclass_dir)
    (line,) = post(client, b"0.9,0.1,0.2\n").data.decode().splitlines()
    scores = list(map(float, line.split(",")))
    assert len(scores) == 3
    assert scores[0] == max(scores)
    answer = post(client, b"0.9,0.1,0.2\n", Accept="application/json").get_json()
    assert answer == {"predictions": [{"score": scores}]}


def test_a_linear_model_is_served(tmp_path: Path):
    matrix = np.random.default_rng(6).random((20, 2), np.float32)
    booster = xgboost.train({"booster": "gblinear"}, xgboost.DMatrix(matrix, matrix[:, 0]), 2)
    booster.save_model(tmp_path / "model.ubj")
    expected = [f"{score!r}" for score in booster.predict(xgboost.DMatrix(matrix)).tolist()]
    body = "\n".join(",".join(map(repr, row)) for row in matrix.tolist()).encode()
    assert post(client_for(tmp_path), body).data.decode().splitlines() == expected


def test_the_models_of_a_cross_validation_answer_with_their_mean(tmp_path: Path):
    matrix = np.random.default_rng(7).random((60, 2), np.float32)
    data = xgboost.DMatrix(matrix, matrix[:, 0] > matrix[:, 1])
    scores = []
    for number, seed in enumerate((1, 2, 3)):
        params = {"objective": "binary:logistic", "subsample": 0.5, "seed": seed, "nthread": 1}
        booster = xgboost.train(params, data, 3)
        (tmp_path / f"{MODEL_FILE}-{number}").write_bytes(booster.save_raw("ubj"))
        scores.append(booster.inplace_predict(matrix))
    (tmp_path / "README.md").write_text("no model")
    body = "\n".join(",".join(map(repr, row)) for row in matrix.tolist()).encode()
    found = [float(line) for line in post(client_for(tmp_path), body).data.splitlines()]
    assert len({score[0] for score in scores}) == 3
    assert found == np.mean(scores, axis=0, dtype=np.float32).tolist()
