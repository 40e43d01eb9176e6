"""SageMaker's contract, as it stands in files, exit codes and HTTP."""

import http.client
import json
import re
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.backends import Backend, Served
from tests.needs import WORKSHOP, needs_workshop
from tests.serve.server_process import eventually
from tests.train.conftest import lines

HEADER, *ROWS = lines(60, seed=5).splitlines()
FEATURES = [row.split(",", 1)[1] for row in ROWS]
NAMES = HEADER.split(",")[1:]


def put(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


@pytest.fixture(scope="module")
def trained(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a job that succeeded."""
    root = tmp_path_factory.mktemp("trained")
    put(root, "input/config/hyperparameters.json", '{"num_round": "20", "max_depth": "\\"3\\""}')
    put(root, "input/config/inputdataconfig.json", '{"train": {"TrainingInputMode": "File"}}')
    put(root, "input/config/resourceconfig.json", '{"current_host": "algo-1", "hosts": ["algo-1"]}')
    put(root, "input/data/train/data.csv", lines(400))
    outcome = backend.run(root, "train")
    assert outcome.code == 0, outcome.log
    (root / "log").write_text(outcome.log)
    return root


def test_a_training_job_leaves_a_model_and_no_failure(trained: Path) -> None:
    found = {str(p.relative_to(trained)) for p in trained.rglob("*") if p.is_file()}
    assert {"model/xgboost-model", "model/sagetree/manifest.json"} <= found
    assert "output/data/metrics.json" in found
    assert "output/failure" not in found
    metric = re.compile(r".*\[[0-9]+\].*#011validation-auc:(\S+)")
    log = (trained / "log").read_text().replace("\t", "#011")
    assert sum(bool(metric.match(line)) for line in log.splitlines()) == 21


@pytest.mark.long  # each has its like in tests/bad and tests/train/test_job.py, in one process
@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (
            {},
            "channel 'train' is missing (channels: none): put files into {root}/input/data/train, "
            "name another folder than {root} by SAGEMAKER_BASE_DIR, or name files of your own "
            "(sagetree train FILE --target COLUMN). Correct it\n",
        ),
        (
            {
                "input/config/hyperparameters.json": '{"max_dept": "3", "eta": "7"}',
                "input/data/train/data.csv": lines(),
            },
            "'max_dept' is not a hyperparameter (did you mean 'max_depth'?); "
            "eta is '7' and must be a number from 0 to 1. Correct all 2\n",
        ),
        (
            {"input/data/train/data.csv": lines() + "1,much,a,CA\n"},
            "data.csv line 122, column 'amount': 'much' is text where a number is expected. "
            "Correct the cell, list the text in missing_values if it means no value, "
            "or list the column in categorical_columns\n",
        ),
    ],
)
def test_a_failed_training_job_says_why_and_leaves_no_model(
    backend: Backend, tmp_path: Path, files: dict[str, str], reason: str
) -> None:
    for name, text in files.items():
        put(tmp_path, name, text)
    outcome = backend.run(tmp_path, "train")
    assert outcome.code == 1
    root = str(tmp_path) if _is_local(backend) else "/opt/ml"
    assert (tmp_path / "output" / "failure").read_text() == reason.replace("{root}", root)
    assert not [p for p in (tmp_path / "model").rglob("*") if p.is_file()]


@pytest.mark.long  # three processes; the demo's tests run them too
def test_prepare_and_evaluate_are_processing_jobs(
    backend: Backend, trained: Path, tmp_path: Path
) -> None:
    keyed = [f"{i},{row}" for i, row in enumerate(ROWS)]
    put(tmp_path, "processing/input/claims/a.csv", "\n".join([f"key,{HEADER}", *keyed]))
    put(tmp_path, "q.sql", "SELECT * FROM claims")
    shutil.copy(tmp_path / "q.sql", tmp_path / "processing" / "q.sql")
    sql = str(tmp_path / "q.sql") if _is_local(backend) else "/opt/ml/q.sql"
    options = ["--key", "key", "--label", "fraud", "--sql", sql]
    options += ["--format", "csv", "--split", "0.5,0,0.5"]
    assert backend.run(tmp_path, "prepare", *options).code == 0
    test = tmp_path / "processing" / "output" / "test" / "test.csv"
    assert test.read_text().splitlines()[0] == f"fraud,key,{','.join(NAMES)}"

    (tmp_path / "processing" / "model").mkdir()
    with tarfile.open(tmp_path / "processing" / "model" / "model.tar.gz", "w:gz") as tar:
        tar.add(trained / "model", arcname=".")
    rows = ["fraud," + ",".join(NAMES), *ROWS]
    put(tmp_path, "processing/test/test.csv", "\n".join(rows))
    outcome = backend.run(tmp_path, "evaluate", "--threshold-auc", "0.99999", "--fail-below")
    assert outcome.code == 1
    decision = json.loads((tmp_path / "processing" / "evaluation/decision.json").read_text())
    assert decision["verdict"] == "Rejected"
    outcome = backend.run(tmp_path, "evaluate", "--threshold-auc", "0.01", "--fail-below")
    assert outcome.code == 0, outcome.log


def _is_local(backend: Backend) -> bool:
    return type(backend).__name__ == "Local"


@pytest.fixture(scope="module")
def served(backend: Backend, trained: Path) -> Iterator[Served]:
    """A server of that job's model."""
    with backend.serve(trained) as server:
        yield server


def ask(
    server: Served, method: str, path: str, body: str = "", **headers: str
) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=20)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body.encode() or None, named)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    finally:
        connection.close()


def post(server: Served, body: str, kind: str = "text/csv", accept: str = "*/*") -> str:
    status, _, answer = ask(server, "POST", "/invocations", body, Content_Type=kind, Accept=accept)
    assert status == 200, answer
    return answer


def test_ping_is_200_and_empty(served: Served) -> None:
    eventually(lambda: ask(served, "GET", "/ping")[0] == 200)
    status, _, body = ask(served, "GET", "/ping")
    assert (status, body) == (200, "")


def test_every_shape_of_rows_gets_the_same_scores(served: Served) -> None:
    scores = post(served, "\n".join(FEATURES))
    assert re.fullmatch(r"(0\.\d+\n){60}", scores)
    turned = [",".join(reversed(row.split(","))) for row in FEATURES]
    assert post(served, "\n".join([",".join(reversed(NAMES)), *turned])) == scores
    records = [dict(zip(NAMES, row.split(","), strict=True)) for row in FEATURES]
    assert post(served, json.dumps(records), "application/json", "text/csv") == scores
    data = {"columns": NAMES, "data": [list(record.values()) for record in records]}
    assert post(served, json.dumps(data), "application/json", "text/csv") == scores
    predictions = json.loads(post(served, "\n".join(FEATURES), accept="application/json"))
    listed = [row["score"] for row in predictions["predictions"]]
    assert listed == [float(line) for line in scores.split()]
    assert "".join(post(served, row) for row in FEATURES) == scores


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("POST", "/invocations", '"', {"Content_Type": "text/csv"}, 400),
        ("POST", "/invocations", "{", {"Content_Type": "application/json"}, 400),
        ("POST", "/invocations", "1,a", {"Content_Type": "text/csv"}, 422),
        ("POST", "/invocations", "much,a,CA", {"Content_Type": "text/csv"}, 422),
        ("POST", "/invocations", HEADER + "\n" + ROWS[0], {"Content_Type": "text/csv"}, 422),
        ("POST", "/invocations", "x", {"Content_Type": "image/png"}, 415),
        ("POST", "/invocations", "x", {}, 415),
        ("POST", "/invocations", "x", {"Content_Type": "text/csv", "Accept": "image/png"}, 406),
        ("GET", "/invocations", "", {}, 405),
        ("GET", "/elsewhere", "", {}, 404),
    ],
)
def test_every_error_is_a_problem_with_a_request_id(
    served: Served, method: str, path: str, body: str, headers: dict[str, str], status: int
) -> None:
    found, answered, text = ask(served, method, path, body, **headers)
    problem = json.loads(text)
    assert found == status
    assert answered["Content-Type"] == "application/json"
    assert {"error", "message", "where", "hint", "request_id"} <= set(problem)
    assert problem["message"]
    assert problem["request_id"]


def test_an_empty_body_has_an_empty_answer(served: Served) -> None:
    status, _, text = ask(served, "POST", "/invocations", "", Content_Type="text/csv")
    assert (status, text) == (204, "")


def test_execution_parameters(served: Served) -> None:
    status, _, text = ask(served, "GET", "/execution-parameters")
    parameters = json.loads(text)
    assert status == 200
    assert parameters["BatchStrategy"] == "MULTI_RECORD"
    assert parameters["MaxConcurrentTransforms"] * parameters["MaxPayloadInMB"] <= 100


def test_a_server_without_a_model_says_why_and_ends_with_0(
    backend: Backend, tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()
    messages: list[str] = []

    def has_looked() -> bool:
        status, _, text = ask(server, "GET", "/ping")
        assert status == 503
        messages.append(json.loads(text)["message"])
        return messages[-1] != "the model is being loaded"

    with backend.serve(tmp_path) as server:
        eventually(has_looked)
        assert messages[-1] == "there is no model"
        assert server.end() == 0


@needs_workshop
@pytest.mark.long  # a job and a server; tests/oracle holds the scores in this process
def test_the_workshops_scores(backend: Backend, tmp_path: Path) -> None:
    """Whatever XGBoost the backend has, the answers are those SageMaker gave."""
    settings = {
        "max_depth": "3", "eta": "0.2", "objective": "binary:logistic", "num_round": "100",
        "base_score": "0.5", "tree_method": "exact", "nfold": "5", "stratified": "false",
        "early_stopping_rounds": "10", "seed": "0", "preset": "xgboost",
    }  # fmt: skip
    put(tmp_path, "input/config/hyperparameters.json", json.dumps(settings))
    put(tmp_path, "input/data/train/train.csv", (WORKSHOP / "train.csv").read_text())
    outcome = backend.run(tmp_path, "train")
    assert outcome.code == 0, outcome.log
    assert "[20]\ttrain-auc:0.89922\tvalidation-auc:0.79020" in outcome.log
    with backend.serve(tmp_path) as server:
        answer = post(server, (WORKSHOP / "batchinput.csv").read_text())
    assert answer == (WORKSHOP / "batchinput.csv.out").read_text()
