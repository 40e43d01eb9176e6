"""The Open Inference Protocol, version 2: health, metadata, tensors in and out."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client, TestResponse

from sagetree.errors import RequestError, SchemaError
from sagetree.serve.routes.tensors import HINT, table_of_tensors
from tests.serve.artifacts import INPUTS, SCHEMA, client_for
from tests.serve.asking import ATTRIBUTES, ROWS, post, problem

INFER = "/v2/models/model/infer"


def infer(client: Client, request: object, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(INFER, data=json.dumps(request), headers=named)


def tensors() -> list[dict[str, object]]:
    kinds = dict(zip(INPUTS, ("FP64", "BYTES", "BOOL", "BYTES", "BYTES"), strict=True))
    return [
        {"name": name, "shape": [3, 1], "datatype": kind, "data": [row[name] for row in ROWS]}
        for name, kind in kinds.items()
    ]


def test_health_and_metadata(client: Client, model: object, tmp_path: Path):
    assert client.get("/v2/health/live").get_json() == {"live": True}
    assert client.get("/v2/health/ready").get_json() == {"ready": True}
    assert client.get("/v2/models/model/ready").get_json() == {"name": "model", "ready": True}
    server = client.get("/v2").get_json()
    assert sorted(server) == ["extensions", "name", "version"]
    assert server["extensions"] == ["binary_tensor_data"]
    described = client.get("/v2/models/model").get_json()
    assert described["inputs"][:3] == [
        {"name": "num_claims", "datatype": "FP64", "shape": [-1]},
        {"name": "a<b", "datatype": "BYTES", "shape": [-1]},
        {"name": "x,y", "datatype": "BOOL", "shape": [-1]},
    ]
    assert described["outputs"] == [{"name": "score", "datatype": "FP32", "shape": [-1]}]
    nothing = client_for(tmp_path / "nothing")
    nothing.post("/invocations", data=b"1", content_type="text/csv")  # waits for the loading
    assert nothing.get("/v2/health/live").status_code == 200
    assert nothing.get("/v2/health/ready").status_code == 503


def test_a_tensor_for_each_column_gets_the_scores_of_records(client: Client):
    body = json.dumps(ROWS).encode()
    predictions = post(client, body, "application/json").get_json()["predictions"]
    expected = [row["score"] for row in predictions]
    answer = infer(client, {"id": "a7", "inputs": tensors()})
    found = answer.get_json()
    assert (found["model_name"], found["id"]) == ("model", "a7")
    assert found["outputs"] == [
        {"name": "score", "datatype": "FP32", "shape": [3], "data": expected}
    ]
    reordered = infer(client, {"inputs": tensors()[::-1]}).get_json()
    assert reordered["outputs"] == found["outputs"]
    assert len(answer.headers["X-Amzn-RequestId"]) == 32


def test_the_asked_outputs_come_as_tensors(client: Client):
    outputs = [{"name": name} for name in ("predicted_label", "probabilities", "labels")]
    found = infer(client, {"inputs": tensors(), "outputs": outputs}).get_json()["outputs"]
    assert [(tensor["name"], tensor["datatype"], tensor["shape"]) for tensor in found] == [
        ("predicted_label", "BYTES", [3]),
        ("probabilities", "FP64", [3, 2]),
        ("labels", "BYTES", [3]),
    ]
    assert found[2]["data"] == ['["no", "yes"]'] * 3
    attributes = {ATTRIBUTES: "inference_output=threshold"}
    (threshold,) = infer(client, {"inputs": tensors()}, **attributes).get_json()["outputs"]
    assert threshold["data"] == [0.25] * 3


def test_one_tensor_holds_rows_in_the_trained_order(plain_dir: Path):
    client = client_for(plain_dir)
    matrix = np.random.default_rng(5).random((4, 3), np.float32)
    body = "\n".join(",".join(map(str, row)) for row in matrix).encode()
    expected = [float(line) for line in post(client, body).data.splitlines()]
    cells = [[float(str(x)) for x in row] for row in matrix]
    for data in (cells, [cell for row in cells for cell in row]):
        tensor = {"name": "x", "shape": [4, 3], "datatype": "FP32", "data": data}
        found = infer(client, {"inputs": [tensor]}).get_json()
        assert found["outputs"][0]["data"] == expected
    labels = infer(client, {"inputs": [tensor], "outputs": [{"name": "predicted_label"}]})
    assert labels.get_json()["outputs"][0]["datatype"] == "INT64"


ONE = {"name": "num_claims", "shape": [1], "datatype": "FP64", "data": [1]}


@pytest.mark.parametrize(
    ("request_", "where", "message"),
    [
        ([], "the body", "it is not an inference request"),
        ({}, "the body", "there are no inputs"),
        ({"inputs": [3]}, "the body", "there are no inputs"),
        ({"inputs": [{"shape": [1]}]}, "inputs", "name is missing from an input"),
        ({"inputs": [{**ONE, "shape": [-1]}]}, "input 'num_claims'",
         "its shape is not a list of sizes"),
        ({"inputs": [{**ONE, "shape": [True]}]}, "input 'num_claims'",
         "its shape is not a list of sizes"),
        ({"inputs": [{**ONE, "shape": [1, 1, 1]}]}, "input 'num_claims'",
         "its shape [1, 1, 1] is not that of a column"),
        ({"inputs": [{**ONE, "datatype": "INT7"}]}, "input 'num_claims'",
         "its datatype 'INT7' is not one of BOOL, INT8, INT16, INT32, INT64, UINT8, UINT16, "
         "UINT32, UINT64, FP16, FP32, FP64, BYTES"),
        ({"inputs": [{**ONE, "data": [1, 2]}]}, "input 'num_claims'",
         "it has 2 values, and its shape says 1"),
        ({"inputs": [{**ONE, "data": 1}]}, "input 'num_claims'",
         "it has 0 values, and its shape says 1"),
        ({"inputs": [{**ONE, "data": ["1"]}]}, "input 'num_claims'",
         "its values are not of datatype FP64"),
        ({"inputs": [ONE, {**ONE, "name": "a<b", "shape": [2], "data": [1, 2]}]}, "inputs",
         "they differ in their number of rows"),
        ({"inputs": [{**ONE, "shape": [0], "data": []}]}, "inputs", "there are no rows"),
        ({"inputs": [ONE], "outputs": [1]}, "outputs", "they are not a list of objects"),
        ({"inputs": [ONE], "outputs": [{"name": 3}]}, "outputs", "the name '3' is not text"),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused(client: Client, request_: object, where: str, message: str):
    said = f"{where}: {message}. {HINT}" if where else f"{message}. {HINT}"
    assert problem(infer(client, request_)) == (
        400,
        {"error": said, "message": message, "where": where, "hint": HINT},
    )


@pytest.mark.parametrize(
    ("method", "path", "message", "hint"),
    [
        ("GET", "/v2/models/claims", "the model does not exist",
         "The model of this server is called model: ask for /v2/models/model"),
        ("GET", "/v2/models/claims/ready", "the model does not exist",
         "The model of this server is called model: ask for /v2/models/model"),
        ("POST", "/v2/models/claims/infer", "the model does not exist",
         "The model of this server is called model: ask for /v2/models/model"),
        ("POST", "/v2/models/claims/versions/1/infer", "the model does not exist",
         "The model of this server is called model: ask for /v2/models/model"),
        ("GET", "/v2/models/model/infer", "the path does not exist",
         "The paths are GET /v2/models/model, GET /v2/models/model/ready, POST "
         "/v2/models/model/infer, "
         "GET /v2/models/model/versions/{version}, GET /v2/models/model/versions/{version}/ready, "
         "POST /v2/models/model/versions/{version}/infer"),
    ],
)  # fmt: skip
def test_another_model_is_answered_by_the_one_that_is_here(
    client: Client, method: str, path: str, message: str, hint: str
):
    expected = {"error": f"the path: {message}. {hint}", "message": message, "where": "the path",
                "hint": hint}  # fmt: skip
    assert problem(client.open(path, method=method)) == (404, expected)


def test_the_version_that_is_told_can_be_asked_for(client: Client):
    (version,) = client.get("/v2/models/model").get_json()["versions"]
    path = f"/v2/models/model/versions/{version}"
    assert client.get(path).get_json() == client.get("/v2/models/model").get_json()
    assert client.get(f"{path}/ready").get_json() == {"name": "model", "ready": True}
    request = {"inputs": tensors()}
    found = client.post(f"{path}/infer", data=json.dumps(request)).get_json()
    assert found == infer(client, request).get_json()
    assert found["model_version"] == version
    for method, rest in (("GET", ""), ("GET", "/ready"), ("POST", "/infer")):
        status, told = problem(client.open(f"/v2/models/model/versions/1{rest}", method=method))
        assert (status, told["error"]) == (
            404,
            "the path: the version does not exist. The model's version is " + version,
        )


@pytest.mark.parametrize(
    "keys",
    [
        ("predicted_label", "probabilities", "labels", "threshold", "contributions"),
        ("score", "reasons", "model", "raw_scores"),
    ],
)
def test_metadata_are_true_of_every_output(base_dir: Path, keys: tuple[str, ...]):
    client = client_for(base_dir / "model", SAGEMAKER_INFERENCE_OUTPUT=",".join(keys))
    answer = infer(client, {"inputs": tensors()}).get_json()
    described = client.get("/v2/models/model").get_json()["outputs"]
    assert [output["name"] for output in described] == list(keys)
    for told, found in zip(described, answer["outputs"], strict=True):
        assert (told["datatype"], told["shape"]) == (found["datatype"], [-1, *found["shape"][1:]])


def test_metadata_of_several_classes(multiclass_dir: Path):
    variables = {"SAGEMAKER_INFERENCE_OUTPUT": "score,predicted_label"}
    client = client_for(multiclass_dir, **variables)
    post(client, b"1,2,3")  # waits for the loading
    assert client.get("/v2/models/model").get_json()["outputs"] == [
        {"name": "score", "datatype": "FP32", "shape": [-1, 3]},
        {"name": "predicted_label", "datatype": "INT64", "shape": [-1]},
    ]


def test_an_unknown_output_is_named(client: Client):
    request = {"inputs": tensors(), "outputs": [{"name": "output0"}]}
    status, told = problem(infer(client, request))
    assert (status, told["where"], told["message"]) == (
        400,
        "outputs",
        "output 'output0' does not exist",
    )
    assert str(told["hint"]).startswith("This model gives predicted_label, labels, ")


def test_a_packed_body_is_not_read(client: Client):
    answer = infer(client, {"inputs": tensors()}, Content_Encoding="gzip")
    assert problem(answer) == (
        415,
        {
            "error": "Content-Encoding: the body is compressed as 'gzip'. Send the body "
            "uncompressed",
            "message": "the body is compressed as 'gzip'",
            "where": "Content-Encoding",
            "hint": "Send the body uncompressed",
        },
    )


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)
INPUTS_ = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.sampled_from([*INPUTS, "x", 3]),
            "shape": st.lists(st.integers(-1, 3) | VALUES, max_size=3) | VALUES,
            "datatype": st.sampled_from(["FP64", "BYTES", "BOOL", "INT8", 1]),
            "data": VALUES,
        },
    ),
    max_size=3,
)


@given(INPUTS_ | VALUES)
def test_any_inputs_are_a_table_or_the_clients_fault(inputs: object):
    try:
        table = table_of_tensors(inputs, SCHEMA)
    except (RequestError, SchemaError):
        return
    assert {len(cells) for cells in table.columns} == {table.rows}


def test_nan_is_a_missing_value_and_infinity_is_none(client: Client):
    columns = tensors()
    columns[0]["data"] = [1, None, 2]
    expected = infer(client, {"inputs": columns}).get_json()["outputs"]
    columns[0]["data"] = [1, math.nan, 2]
    assert infer(client, {"inputs": columns}).get_json()["outputs"] == expected
    columns[0]["data"] = [1, math.inf, 2]
    status, told = problem(infer(client, {"inputs": columns}))
    assert (status, told["message"]) == (400, "its values are not of datatype FP64")


@pytest.mark.parametrize(("datatype", "cell"), [("BYTES", "P7"), ("INT64", 7)])
def test_an_identifier_comes_back_as_text_whatever_it_is(
    base_dir: Path, datatype: str, cell: object
):
    client = client_for(base_dir / "model", SAGEMAKER_INFERENCE_OUTPUT="identifiers")
    ids = {"name": "policy_id", "shape": [3], "datatype": datatype, "data": [cell] * 3}
    (found,) = infer(client, {"inputs": [*tensors(), ids]}).get_json()["outputs"]
    (told,) = client.get("/v2/models/model").get_json()["outputs"]
    assert told == {"name": "policy_id", "datatype": "BYTES", "shape": [-1]}
    assert (found["datatype"], found["data"]) == ("BYTES", [str(cell)] * 3)
