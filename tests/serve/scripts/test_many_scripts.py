"""Many models that answer by scripts: each its own or the one for all, and none sees another's."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client, TestResponse

from sagetree.bundle.file_names import MODEL_FILE
from sagetree.errors import ArtifactError
from sagetree.machine.program import LOG
from sagetree.serve.models.registry import Registry
from sagetree.serve.routes.script import many_scripts
from sagetree.serve.scripts.code import prepare_scripts
from sagetree.serve.scripts.user_script import MODULE
from sagetree.serve.telemetry.log_lines import text_line
from sagetree.serve.telemetry.metrics import Observer
from tests.serve.artifacts import settings_for
from tests.serve.asking import client_of
from tests.serve.server_process import ask, eventually, healthy, serving
from tests.serve.server_process import load as load_in

BODY = b"0.9,0.1,0.2\n"

# Keeps its model in a global of a helper, as scripts do.
COMMON = """
import os
import helper

def model_fn(folder):
    helper.name = os.path.basename(folder)
    return folder

def transform_fn(model, body, content_type, accept):
    from tools import late
    return f"{helper.name} {late.word} {os.path.basename(model)}", "text/plain"
"""
OWN = COMMON.replace('return f"', 'return f"own ')


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, plain_dir: Path) -> Path:
    folder = tmp_path_factory.mktemp("many")
    for name in ("a", "b", "own", "asks", "dies", "fails", "plain"):
        (folder / name / "code").mkdir(parents=True)
        data = (plain_dir / MODEL_FILE).read_bytes()
        (folder / name / MODEL_FILE).write_bytes(data)
    for code, script, word in ((folder / "common", COMMON, "x"), (folder / "own/code", OWN, "y")):
        code.mkdir(exist_ok=True)
        (code / "inference.py").write_text(script)
        (code / "helper.py").write_text("name = None")
        (code / "tools").mkdir()
        (code / "tools/late.py").write_text(f"word = {word!r}")
    (folder / "asks/code/inference.py").write_text("")
    (folder / "asks/code/requirements.txt").write_text("numpy")
    (folder / "dies/code/inference.py").write_text("import os\nos._exit(3)")
    (folder / "fails/code/inference.py").write_text("def model_fn(folder): raise KeyError('w')")
    (folder / "plain/code/inference.py").write_text("")
    return folder


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[Client]:
    settings = settings_for(
        folder, SAGEMAKER_MULTI_MODEL="true", SAGEMAKER_PROGRAM="inference.py",
        SAGEMAKER_SUBMIT_DIRECTORY=str(folder / "common"),
    )  # fmt: skip
    scripts = prepare_scripts(settings, folder / "home")
    (folder / "shared").mkdir()
    registry = Registry(folder / "shared", settings.model_memory, settings.workers)
    site = many_scripts(settings, registry, Observer(None, text_line, LOG.info), scripts)
    yield client_of(site)
    store = site.handlers["GET", "/models"].args[0]  # type: ignore[attr-defined]
    store.close()


@pytest.fixture(scope="module")
def good(client: Client, folder: Path) -> str:
    """The name of a model that is served by the common script."""
    assert load(client, "good", folder / "a").status_code == 200
    return "good"


def load(client: Client, name: str, folder: Path) -> TestResponse:
    return client.post("/models", json={"model_name": name, "url": str(folder)})


def invoke(client: Client, name: str, body: bytes = BODY) -> TestResponse:
    return client.post(f"/models/{name}/invoke", data=body, headers={"Content-Type": "text/csv"})


def test_each_model_has_its_script_and_its_helpers(client: Client, folder: Path) -> None:
    for name in ("a", "b", "own", "plain"):
        assert load(client, name, folder / name).status_code == 200
    for _ in range(2):
        assert invoke(client, "a").data == b"a x a"
        assert invoke(client, "own").data == b"own own y own"
        assert invoke(client, "b").data == b"b x b"
    (score,) = invoke(client, "plain").get_json()  # without a function, as the official one
    assert 0 < score < 1
    assert not {MODULE, "helper", "tools", "tools.late"} & set(sys.modules)
    assert not [path for path in sys.path if path.startswith(str(folder))]
    for name in ("a", "b", "own", "plain"):
        assert client.delete(f"/models/{name}").status_code == 200
    assert invoke(client, "a").status_code == 404


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("dies", "the script ends its process on this model", "Copy the artifact"),
        ("fails", "KeyError: 'w'", "Correct the script"),
        (
            "asks",
            "requirements of a model's own script are not installed while several models are "
            "served",
            "Put it into the folder that SAGEMAKER_SUBMIT_DIRECTORY names",
        ),
    ],
)
def test_a_script_that_cannot_serve_is_refused_and_touches_no_other(
    name: str, message: str, hint: str, client: Client, folder: Path, good: str
) -> None:
    answer = load(client, name, folder / name)
    told = answer.get_json()
    assert (answer.status_code, told["message"]) == (400, message)
    assert told["hint"].startswith(hint)
    assert invoke(client, good).data == b"a x a"


def test_without_a_common_script_each_model_needs_one(folder: Path) -> None:
    settings = settings_for(folder, SAGEMAKER_MULTI_MODEL="true", SAGEMAKER_PROGRAM="inference.py")
    scripts = prepare_scripts(settings, folder / "nothing")
    assert scripts.of(folder / "own").path == folder / "own/code/inference.py"
    with pytest.raises(ArtifactError) as caught:
        scripts.of(folder / "a")
    assert str(caught.value) == (
        f"{folder}/a: code/inference.py does not exist. Put it there, or name a folder for all "
        "models with SAGEMAKER_SUBMIT_DIRECTORY"
    )


@pytest.mark.long
def test_workers_of_a_server_answer_by_each_models_script(folder: Path, tmp_path: Path) -> None:
    environ = {
        "SAGEMAKER_MULTI_MODEL": "true",
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": str(folder / "common"),
    }
    with serving(tmp_path, tmp_path / "log", **environ) as server:
        eventually(lambda: healthy(server))
        for name in ("a", "own"):
            assert load_in(server, name, folder / name) == 200
        assert load_in(server, "dies", folder / "dies") == 400
        for _ in range(8):  # so that both workers are asked
            assert ask(server, "POST", "/models/a/invoke", BODY).body == b"a x a"
            assert ask(server, "POST", "/models/own/invoke", BODY).body == b"own own y own"
        assert ask(server, "DELETE", "/models/a").status == 200
