"""Users' own scripts: each function alone, the defaults behind the others, errors as raised."""

import json
import subprocess
import tarfile
from pathlib import Path

import numpy as np
import pytest
import xgboost
from sagemaker_inference import encoder

from sagetree.bundle.file_names import MODEL_FILE
from sagetree.errors import NotReadyError, SettingsError
from sagetree.formats.recordio import frame, record_class
from sagetree.machine.program import LOG
from sagetree.serve.scripts.code import ScriptCode, prepare_script
from sagetree.serve.scripts.user_script import script_holder
from tests.programs import SAGETREE, environment, run_sagetree
from tests.serve.asking import post, problem
from tests.serve.scripts.conftest import Start, settings_of
from tests.serve.server_process import ask, eventually, healthy, serving
from tests.wheels import requirements, wheel

ROWS = np.array([[0.9, 0.1, 0.2], [0.1, np.nan, 0.3]], np.float32)
CSV = b"0.9,0.1,0.2\n0.1,,0.3\n"


@pytest.fixture(scope="module")
def expected(plain_dir: Path) -> list[float]:
    booster = xgboost.Booster(model_file=bytearray((plain_dir / MODEL_FILE).read_bytes()))
    return booster.predict(xgboost.DMatrix(ROWS)).tolist()


def recordio(rows: np.ndarray) -> bytes:
    made = []
    for row in rows:
        record = record_class()()
        record.features["values"].float32_tensor.values.extend(row.tolist())
        made.append(frame(record.SerializeToString()))
    return b"".join(made)


def test_an_empty_script_answers_as_the_official_one(start: Start, expected: list[float]):
    client = start("")
    assert client.get("/ping").status_code == 200
    lines = encoder.encode(np.array(expected, np.float32), "text/csv")
    assert len(set(expected)) == 2
    answer = post(client, CSV, Accept="text/csv")
    assert (answer.data.decode(), answer.content_type) == (lines, "text/csv")
    answer = post(client, CSV, "Text/CSV; charset=UTF-8")
    assert (answer.get_json(), answer.content_type) == (expected, "application/json")
    libsvm = b"1 0:0.9 1:0.1 2:0.2\n0 0:0.1 2:0.3\n"
    assert post(client, libsvm, "text/libsvm").get_json() == expected
    assert post(client, recordio(ROWS), "application/x-recordio-protobuf").get_json() == expected
    npy = post(client, CSV, Accept="application/x-npy").data
    assert npy == encoder.encode(np.array(expected, np.float32), "application/x-npy")


def test_every_function_of_a_script_is_called(start: Start):
    client = start("""
        import json

        def model_fn(folder):
            return 10

        def input_fn(body, content_type):
            assert content_type == "application/json", content_type
            return json.loads(body)["x"]

        def predict_fn(data, model):
            return data * model

        def output_fn(prediction, accept):
            return f"{prediction};{accept}", "text/plain"
    """)
    answer = post(client, b'{"x": 4}', "application/json", Accept="text/anything")
    assert (answer.data, answer.mimetype) == (b"40;text/anything", "text/plain")


def test_a_transform_fn_stands_alone_and_a_context_is_given(start: Start):
    client = start("""
        def model_fn(folder, context):
            return context.system_properties["model_dir"] == folder

        def transform_fn(model, body, content_type, accept, context):
            asked = context.get_request_header(0, "X-Amzn-Sagemaker-Custom-Attributes")
            return f"{model} {body} {content_type} {accept} {asked}", "text/plain"
    """)
    headers = {"X_Amzn_SageMaker_Custom_Attributes": "a=1"}
    answer = post(client, b"hello", "text/csv", Accept="text/plain", **headers)
    assert answer.data == b"True hello text/csv text/plain a=1"


def test_a_predict_fn_alone_gets_a_matrix_and_the_booster(start: Start, expected: list[float]):
    client = start("""
        def predict_fn(data, model):
            return [data.num_row(), round(float(model.predict(data)[0]), 6)]
    """)
    assert post(client, CSV).get_json() == [2, round(expected[0], 6)]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"teapot", 418, "I am a teapot"),
        (b"value", 500, "ValueError: no such thing"),
        (b"silent", 500, "KeyError: 'x'"),
        (b"format", 415, "the script does not read this type"),
        (b"number", 500, "the script's answer is a int, not text or bytes"),
        (b"\xff", 400, "the text is not UTF-8"),
    ],
)
def test_errors_have_the_status_and_the_message_they_were_raised_with(
    body: bytes, status: int, message: str, start: Start
):
    client = start("""
        from sagemaker_inference import errors

        def transform_fn(model, body, content_type, accept):
            if body == "teapot":
                raise errors.BaseInferenceToolkitError(418, "I am a teapot", "teapot")
            if body == "format":
                raise errors.UnsupportedFormatError(content_type)
            if body == "number":
                return 7
            raise {"value": ValueError("no such\\nthing")}.get(body) or KeyError("x")
    """)
    status_found, told = problem(post(client, body))
    assert (status_found, told["message"]) == (status, message)
    assert post(client, b"teapot").status_code == 418  # it goes on


@pytest.mark.parametrize(
    ("body", "kind", "accept", "status", "message"),
    [
        (b"x,y\n1,2\n", "text/csv", "", 400, "is text where a number is expected"),
        (b"1 0:x\n", "text/libsvm", "", 400, "'0:x' holds something that is not a number"),
        (b"junk", "application/x-recordio-protobuf", "", 400, "is not RecordIO"),
        (b"{}", "application/json", "", 415, "'application/json' is not supported"),
        (b"{}", "", "", 415, "'' is not supported"),
        (CSV, "text/csv", "image/png", 406, "the answer cannot be 'image/png'"),
    ],
)
def test_the_defaults_refuse_what_they_cannot_read_or_write(
    body: bytes, kind: str, accept: str, status: int, message: str, start: Start
):
    status_found, told = problem(post(start(""), body, kind, Accept=accept or "*/*"))
    assert status_found == status
    assert message in str(told["message"])


@pytest.mark.parametrize(
    ("answer", "accept", "sent"),
    [
        ("1,2", "text/csv; charset=utf-8", b"1,2\n"),
        ("1,2\n", "text/csv", b"1,2\n"),
        ("1,2\n\n", "text/csv", b"1,2\n\n"),
        ('{"a": 1}', "application/json", b'{"a": 1}\n'),
        ('{"a": 1}', "application/jsonlines", b'{"a": 1}\n'),
        ("x", "image/x", b"x"),
        ("", "text/csv", b""),
    ],
)
def test_in_batch_a_scripts_line_ends_and_nothing_of_it_is_lost(
    answer: str, accept: str, sent: bytes, start: Start
):
    source = (
        "def model_fn(folder): return 1\n"
        "def transform_fn(model, body, kind, accept): "
        f"return {answer!r}, {accept!r}\n"
    )
    assert post(start(source, SAGEMAKER_BATCH="true"), CSV).data == sent
    assert post(start(source), CSV).data == answer.encode()


def test_in_batch_the_defaults_answer_a_line_for_a_row(start: Start):
    assert post(start("", SAGEMAKER_BATCH="true"), CSV, Accept="text/csv").data.count(b"\n") == 2


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def model_fn(folder): raise RuntimeError('no weights')", "RuntimeError: no weights"),
        ("import not_there", "ModuleNotFoundError: No module named 'not_there'"),
        ("def f(:", "SyntaxError: invalid syntax"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        (
            "def transform_fn(m, b, c, a): 1\ndef predict_fn(d, m): 1",
            "ValueError: Cannot use transform_fn implementation in conjunction with input_fn, "
            "predict_fn, and/or output_fn implementation",
        ),
    ],
)
def test_a_script_that_cannot_start_says_why_on_ping(source: str, reason: str, start: Start):
    with pytest.raises(NotReadyError) as caught:
        start(source)
    assert reason in str(caught.value)
    assert str(caught.value).endswith("Correct the script")


@pytest.mark.usefixtures("_process_as_before")
def test_a_script_that_is_not_there_says_so(base: Path):
    settings = settings_of(base, "user_absent.py")
    holder = script_holder(settings, ScriptCode(base / "model" / "code" / "user_absent.py"))
    holder.start(watch=False)
    with pytest.raises(NotReadyError, match=r"user_absent\.py does not exist"):
        holder.wait()


def test_a_packed_script_is_unpacked(base: Path):
    (base / "user_packed.py").write_text("def model_fn(folder): return 1")
    source = base / "sourcedir.tar.gz"
    with tarfile.open(source, "w:gz") as packed:
        packed.add(base / "user_packed.py", "user_packed.py")
    settings = settings_of(base, "user_packed.py", SAGEMAKER_SUBMIT_DIRECTORY=str(source))
    home = base / "home"
    assert prepare_script(settings, home) == ScriptCode(home / "code" / "user_packed.py")
    assert (home / "code" / "user_packed.py").exists()


OWN = """
import helper, json, numpy, os, wording

def model_fn(folder): pass

def transform_fn(model, body, content_type, accept):
    named = os.environ["SAGEMAKER_PROGRAM"]
    found = [wording.__version__, numpy.__version__, helper.x, named]
    return json.dumps(found), "application/json"
"""


@pytest.mark.parametrize(
    "name", ["serve.py", "sagetree.py", "gunicorn.py", "numpy.py", "json.py", "flask.py"]
)
def test_a_script_may_be_called_as_a_library_is(start: Start, name: str):
    client = start("def transform_fn(m, b, c, a): return 'mine', 'text/plain'\n"
                   "def model_fn(folder): pass", name)  # fmt: skip
    assert post(client, CSV).data == b"mine"


def test_a_helper_that_cannot_be_imported_is_told(
    start: Start,
    base: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("sagetree.machine.program.LOG.propagate", True)
    for name in ("numpy.py", "json.py", "not_loaded.py"):
        (base / "model" / "code" / name).write_text("")
    with caplog.at_level("WARNING", LOG.name):
        start("")
    assert caplog.messages == [
        "json.py, numpy.py beside user_answer.py: the server has loaded a library of this name, "
        "and the script gets that one; rename the file"
    ]


@pytest.mark.long
def test_a_script_called_flask_hides_no_library_from_the_server(base: Path):
    """Flask comes with the first strange path; a helper of a loaded library's name is logged."""
    code, log = base / "model" / "code", base / "log"
    (code / "flask.py").write_text("import helper\ndef output_fn(p, accept): return helper.word")
    (code / "helper.py").write_text("word = 'mine'")
    (code / "numpy.py").write_text("")
    with serving(base, log, SAGEMAKER_PROGRAM="flask.py") as server:
        eventually(lambda: healthy(server))
        assert server.post(CSV).body == b"mine"
        answer = ask(server, "GET", "/nowhere")
        assert (answer.status, b'"NotFound' in answer.body) == (404, True), answer.body
    assert (
        "numpy.py beside flask.py: the server has loaded a library of this name, and the script "
        "gets that one; rename the file\n" in log.read_text()
    )


@pytest.mark.long
def test_requirements_are_the_scripts_and_ours_come_first(base_dir: Path, base: Path):
    """In a server: it answers by the script, and logs which version the script does not get."""
    code = base / "model" / "code"
    (code / "helper.py").write_text("x = 7")
    (code / "inference.py").write_text(OWN)
    wheel(code / "wheels", "wording", "0.4")
    wheel(code / "wheels", "numpy", "1.0")
    requirements(code, "wording", "numpy==1.0")
    log = base / "log"
    with serving(base, log, SAGEMAKER_PROGRAM="inference.py") as server:
        eventually(lambda: healthy(server))
        assert json.loads(server.post(CSV).body) == ["0.4", np.__version__, 7, "inference.py"]
    assert (
        f"requirements.txt asks for numpy 1.0 (here {np.__version__}): the script runs in the "
        "server's process and gets the version installed here" in log.read_text()
    )
    with serving(base_dir, log) as server:  # nothing of it is left for one without a script
        eventually(lambda: healthy(server))


SLOW = """
import pathlib, time
pathlib.Path("begun").touch()
time.sleep(20)
"""


@pytest.mark.long  # pip starts twice
def test_a_server_can_be_stopped_while_pip_works(base: Path):
    code = base / "model" / "code"
    (code / "slow").mkdir()
    (code / "slow" / "slow.py").write_text(SLOW)
    (code / "slow" / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "slow"\nbackend-path = ["."]\n'
    )
    (code / "inference.py").write_text("")
    (code / "requirements.txt").write_text("./slow\n")
    with subprocess.Popen(
        [SAGETREE, "serve", "--host", "127.0.0.1", "--port", "0"], text=True,
        env=environment(base, {"SAGEMAKER_PROGRAM": "inference.py"}), stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        eventually((code / "slow" / "begun").exists)
        process.terminate()
        log, _ = process.communicate(timeout=10)
    assert process.returncode == 1
    assert log.splitlines()[-1] == ("The job was stopped by SIGTERM, on which pip ended with -15")


@pytest.mark.long  # pip starts
def test_a_wrong_requirement_ends_the_server_with_pips_reason(base: Path):
    code = base / "model" / "code"
    (code / "inference.py").write_text("")
    (code / "requirements.txt").write_text("--no-index\nevaluate==0.0.1\n")
    address = ("--host", "127.0.0.1", "--port", "0")
    outcome = run_sagetree(base, "serve", *address, extra={"SAGEMAKER_PROGRAM": "inference.py"})
    assert outcome.code == 1
    assert (
        "sagetree serve cannot start: requirements.txt: No matching distribution found for "
        "evaluate==0.0.1. Correct it; without a network it can only name what is installed "
        "already\n" in outcome.log
    )


@pytest.mark.parametrize(
    ("program", "environ", "text"),
    [
        (
            "sub/inference.py",
            {},
            "SAGEMAKER_PROGRAM: 'sub/inference.py' is not the name of a Python module. Name a file "
            "such as inference.py, and its folder by SAGEMAKER_SUBMIT_DIRECTORY",
        ),
        (
            "inference.py",
            {"SAGEMAKER_SUBMIT_DIRECTORY": "/not/there"},
            "SAGEMAKER_SUBMIT_DIRECTORY, /not/there: the folder or file does not exist. Name a "
            "folder or a .tar.gz, here or on s3://, that this job may read",
        ),
    ],
)
def test_settings_of_a_script_that_cannot_be(
    program: str, environ: dict[str, str], text: str, base: Path
):
    with pytest.raises(SettingsError) as caught:
        prepare_script(settings_of(base, program, **environ), base)
    assert str(caught.value) == text


def test_a_model_without_a_script_says_so(base: Path):
    (base / "model" / "code").rmdir()
    with pytest.raises(SettingsError) as caught:
        prepare_script(settings_of(base, "inference.py"), base / "home")
    assert str(caught.value) == (
        f"SAGEMAKER_SUBMIT_DIRECTORY, {base}/model/code: the folder does not exist. Put the script "
        "into the model's folder code/, or name its folder here"
    )


def test_json_answers_are_json(start: Start):
    client = start("def predict_fn(data, model): return {'rows': data.num_row()}")
    assert json.loads(post(client, CSV, Accept="application/json").data) == {"rows": 2}
