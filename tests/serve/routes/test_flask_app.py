"""Flask is for what is rare: a worker that has only predicted has not imported it."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.serve.artifacts import INPUTS
from tests.serve.asking import CSV, ROWS
from tests.serve.server_process import ServerProcess, ask, eventually, healthy, load, serving

NAMES = ("claims", "a/b größe", "x/invoke", "..", "%2F")

# A library in C that Flask and werkzeug import, and nothing else does.
OF_FLASK = "/markupsafe/"


def has_flask(server: ServerProcess) -> bool:
    """Whether the server's only worker, or its master, has what Flask needs."""
    (worker,) = server.workers()
    pids = (server.process.pid, worker)
    return any(OF_FLASK in Path(f"/proc/{pid}/maps").read_text() for pid in pids)


def test_invocations_of_many_models_need_no_flask(base_dir: Path, tmp_path: Path):
    variables = {"SAGEMAKER_MULTI_MODEL": "true", "SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
    with serving(tmp_path, tmp_path / "log", **variables) as server:
        for name in NAMES:
            assert load(server, name, base_dir / "model") == 200
            path = f"/models/{quote(name, safe='')}/invoke"
            answers = [ask(server, "POST", path, CSV) for _ in range(3)]
            assert {(answer.status, answer.body.count(b"\n")) for answer in answers} == {(200, 3)}
            named = {"Content-Type": "text/csv", "X-Amzn-SageMaker-Target-Model": "claims"}
            by_header = server.request("POST", "/%69nvocations", CSV, named)
            assert by_header.body == answers[0].body
        assert ask(server, "POST", "/models/absent/invoke", CSV).status == 404
        assert ask(server, "POST", "/models/claims/invoke", b"1,2\n").status == 422
        assert not has_flask(server)
        assert ask(server, "GET", "/models/claims").status == 200
        assert has_flask(server)


@pytest.mark.long  # a server of its own
def test_inference_by_kserves_protocol_needs_no_flask(base_dir: Path, tmp_path: Path):
    tensors = [
        {"name": name, "shape": [1], "datatype": "BYTES", "data": [ROWS[0][name]]}
        for name in INPUTS
        if isinstance(ROWS[0][name], str)
    ]
    rest = [name for name in INPUTS if not isinstance(ROWS[0][name], str)]
    tensors += [{"name": name, "shape": [1], "datatype": "FP64", "data": [None]} for name in rest]
    body = json.dumps({"inputs": tensors}).encode()
    with serving(base_dir, tmp_path / "log", SAGEMAKER_MODEL_SERVER_WORKERS="1") as server:
        eventually(lambda: healthy(server))
        for path in ("/v2/models/model/infer", "/v2/models/mod%65l/infer"):
            assert ask(server, "POST", path, body).status == 200
        assert server.post(CSV).status == 200
        assert not has_flask(server)
        assert ask(server, "GET", "/v2/models/other/infer").status == 404
        assert has_flask(server)
