"""A script with any one function serves a bundle: raw rows in, scores out."""

import shutil
from pathlib import Path

import numpy as np
import orjson
import pytest

from sagetree.bundle.file_names import MODEL_FILE
from sagetree.bundle.model import Model
from sagetree.errors import NotReadyError
from tests.serve.asking import CSV, ROWS, post, problem
from tests.serve.rows import NAMES, csv_body
from tests.serve.scripts.conftest import Start

JSON_BODY = orjson.dumps(ROWS)
ONE = {
    "nothing": "",
    "model_fn": """
        from pathlib import Path
        from sagetree.bundle.model import Model

        def model_fn(folder):
            return Model.load(Path(folder))
    """,
    "input_fn of records": """
        import json

        def input_fn(body, content_type):
            return json.loads(body)
    """,
    "input_fn of a DataFrame": """
        import json, pandas

        def input_fn(body, content_type):
            return pandas.DataFrame(json.loads(body))
    """,
    "predict_fn": """
        def predict_fn(data, model):
            assert data.rows == 3 and "größe" in data.names, data
            return model.score(data)
    """,
    "output_fn": """
        import json

        def output_fn(prediction, accept):
            assert prediction.shape == (3,), prediction
            return json.dumps([float(score) for score in prediction]), accept
    """,
}


@pytest.fixture
def bundle_start(start: Start, base: Path, base_dir: Path) -> Start:
    (base / "model" / MODEL_FILE).unlink()
    shutil.copytree(base_dir / "model", base / "model", dirs_exist_ok=True)
    return start


@pytest.fixture
def scores(model: Model, client) -> list[float]:
    answer = client.post("/invocations", json=ROWS, headers={"Accept": "application/json"})
    return [row["score"] for row in answer.get_json()["predictions"]]


@pytest.mark.parametrize("function", ONE)
def test_one_function_of_a_script_is_enough(
    function: str, bundle_start: Start, scores: list[float]
):
    client = bundle_start(ONE[function])
    answer = post(client, JSON_BODY, "application/json", Accept="application/json")
    assert answer.status_code == 200, answer.data
    assert np.float32(answer.get_json()).tolist() == np.float32(scores).tolist()


def test_a_transform_fn_gets_the_model_and_the_body(bundle_start: Start):
    client = bundle_start("""
        def transform_fn(model, body, content_type, accept):
            return f"{model.objective.name} {content_type} {len(body)}", "text/plain"
    """)
    answer = post(client, JSON_BODY, "application/json")
    assert answer.data.decode() == f"binary:logistic application/json {len(JSON_BODY.decode())}"


def test_rows_are_read_as_without_a_script(bundle_start: Start, scores: list[float]):
    """In every type and shape."""
    client = bundle_start("def predict_fn(data, model): return [data.rows, *model.score(data)[:3]]")
    lines = b"\n".join(map(orjson.dumps, ROWS))
    with_header = csv_body(NAMES, ROWS, header=True)
    for body, kind in [
        (CSV, "text/csv"),
        (with_header, "text/csv; header=present"),
        (lines, "application/jsonlines"),
    ]:
        answer = post(client, body, kind, Accept="application/json").get_json()
        assert answer[0] == 3
        assert np.float32(answer[1:]).tolist() == np.float32(scores).tolist()


@pytest.mark.long
def test_a_large_body_is_one_table_for_the_script(bundle_start: Start, scores: list[float]):
    client = bundle_start("def predict_fn(data, model): return [data.rows, *model.score(data)[:3]]")
    many = orjson.dumps(ROWS * 20_000)
    answer = post(client, many, "application/json", Accept="application/json").get_json()
    assert answer[0] == 60_000
    assert np.float32(answer[1:]).tolist() == np.float32(scores).tolist()


@pytest.mark.parametrize(
    ("body", "kind", "status", "message"),
    [
        (
            b'[{"num_claims": 1}]',
            "application/json",
            422,
            "columns 'a<b', 'x,y', 'début [UTC]', 'größe' are missing",
        ),
        (b"{", "application/json", 400, "the body is not JSON"),
        (b"x", "image/png", 415, "'image/png' is not supported"),
    ],
)
def test_wrong_rows_are_refused_as_without_a_script(
    body: bytes, kind: str, status: int, message: str, bundle_start: Start
):
    status_found, told = problem(post(bundle_start(""), body, kind))
    assert (status_found, message in str(told)) == (status, True), told


def test_what_a_model_cannot_score_says_what_an_input_fn_may_give(bundle_start: Start):
    client = bundle_start("def input_fn(body, content_type): return 7")
    status, told = problem(post(client, CSV))
    assert (status, told["message"]) == (
        500,
        "TypeError: input_fn returned a int, which a sagetree model cannot score: return a "
        "DataFrame, "
        "records, or an array of numbers with a row each, or write a predict_fn",
    )


def test_a_damaged_bundle_says_so(bundle_start: Start, base: Path):
    (base / "model" / "sagetree" / "manifest.json").unlink()
    with pytest.raises(NotReadyError, match=r"manifest\.json"):
        bundle_start("")


def test_a_pickle_says_how_to_convert_it(start: Start, base: Path):
    (base / "model" / MODEL_FILE).write_bytes(b"\x80\x04N.")
    with pytest.raises(NotReadyError, match="the model is a pickle"):
        start("")


def test_an_ensemble_is_one_model(start: Start, base: Path, plain_dir: Path):
    data = (base / "model" / MODEL_FILE).read_bytes()
    (base / "model" / MODEL_FILE).unlink()
    for number in range(2):
        (base / "model" / f"{MODEL_FILE}-{number}").write_bytes(data)
    body = b"0.9,0.1,0.2\n"
    both = post(start(""), body, Accept="application/json").get_json()
    (base / "model" / f"{MODEL_FILE}-1").unlink()
    one = post(start("", "another.py"), body, Accept="application/json").get_json()
    assert both == pytest.approx(one)
