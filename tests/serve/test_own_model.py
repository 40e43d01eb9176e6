"""`sagetree serve MODEL`: the model in any form, and what is refused before anything listens."""

import os
import tarfile
from pathlib import Path

import pytest

from sagetree.serve.cli import main
from tests.serve.artifacts import make_bundle
from tests.serve.server_process import CSV, complete, eventually, scores_in_process, serving

IMAGE_BASE = Path("/opt/ml")


def test_an_archive_is_served_and_leaves_nothing(tmp_path: Path):
    """Of the processes that end, the workers too, only the one that unpacked it removes it."""
    make_bundle(1).save(tmp_path / "job" / "model")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "job" / "model", arcname=".")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    archive, log = str(tmp_path / "model.tar.gz"), tmp_path / "log"
    with serving(IMAGE_BASE, log, archive, TMPDIR=str(temporary)) as server:
        eventually(lambda: complete(server))
        assert server.post(CSV).body == scores_in_process(tmp_path / "job" / "model")
        first = min(server.workers())
        os.kill(first, 15)
        eventually(lambda: log.read_text().count("model ready") == 3)
        assert server.stop() == 0
    assert server.lines()[:3] == [
        "",
        f"model  {archive}",
        "To ask it:  curl -s http://127.0.0.1:PORT/invocations -H 'Content-Type: text/csv' "
        "--data-binary @rows.csv",
    ]
    assert not list(temporary.glob("sagetree-model-*"))


@pytest.mark.parametrize(
    ("environ", "text"),
    [
        (
            {},
            "{model}: the file or folder does not exist. Give a folder that sagetree train wrote "
            "to, "
            "a folder with a model's files, or a model.tar.gz",
        ),
        (
            {"SAGEMAKER_BASE_DIR": "job"},
            "SAGEMAKER_BASE_DIR: it names the folder 'job', and the command names MODEL. "
            "Unset it, or leave out MODEL",
        ),
    ],
)
def test_what_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    environ: dict[str, str],
    text: str,
):
    monkeypatch.delenv("SAGEMAKER_BASE_DIR", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    model = tmp_path / "modle"
    assert main([str(model)]) == 1
    reason = text.format(model=model)
    assert capsys.readouterr().out == f"sagetree serve cannot start: {reason}\n"


def test_models_that_come_by_requests_are_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.delenv("SAGEMAKER_BASE_DIR", raising=False)
    monkeypatch.setenv("SAGEMAKER_MULTI_MODEL", "true")
    (tmp_path / "xgboost-model").write_text("")
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().out == (
        "sagetree serve cannot start: SAGEMAKER_MULTI_MODEL: the models come from requests to "
        f"/models, and the command names {tmp_path}. Unset it, or leave out MODEL\n"
    )
