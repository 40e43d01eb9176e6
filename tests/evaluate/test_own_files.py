"""`sagetree evaluate MODEL TEST...`: one's own model on one's own rows."""

import json
import tarfile
from pathlib import Path

import pytest

from sagetree.evaluate.cli import main, report
from tests.evaluate.conftest import HEADER, rows

OUT = Path("sagetree-out")
MODEL_HINT = (
    "Give a folder that sagetree train wrote to, a folder with a model's files, or a model.tar.gz"
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with labelled rows, in which the command is given."""
    monkeypatch.delenv("SAGEMAKER_BASE_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    Path("later.csv").write_text(HEADER + "".join(rows(200, 1)))


def verdict(out: Path) -> object:
    return json.loads((out / "processing" / "evaluation" / "decision.json").read_text())["verdict"]


def test_a_model_in_every_form_on_files(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with tarfile.open("model.tar.gz", "w:gz") as tar:
        tar.add(trained, arcname=".")
    for model in (trained, trained.parent, Path("model.tar.gz")):
        assert main([str(model), "later.csv"]) == 0
        assert capsys.readouterr().out.endswith(
            "\nmetrics  sagetree-out/processing/evaluation/evaluation.json\n"
            "verdict  sagetree-out/processing/evaluation/decision.json\n"
            "report   sagetree-out/processing/evaluation/report.html\n"
            "card     sagetree-out/processing/evaluation/model_card.md\n"
            f"To serve the model:  sagetree serve {model}\n"
        )
        assert verdict(OUT) == "Approved"
        assert (OUT / "processing/test/later.csv").resolve() == tmp_path / "later.csv"
        assert not (trained.parent / "processing").exists()


def test_a_folder_that_training_wrote_to_has_the_results_and_a_rejection_is_told(
    trained: Path, capsys: pytest.CaptureFixture[str]
):
    made = Path("made")
    made.mkdir()
    (made / ".sagetree-out").write_text("")
    (made / "model").symlink_to(trained)
    arguments = ["made", "later.csv", "--threshold-auc", "0.9999", "--fail-below"]
    assert main(arguments) == 1
    assert capsys.readouterr().out.endswith("To serve the model:  sagetree serve made\n")
    assert verdict(made) == "Rejected"
    assert not OUT.exists()
    assert report(arguments) == made / "output" / "message"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["gone", "later.csv"], f"gone: the file or folder does not exist. {MODEL_HINT}"),
        (["empty", "later.csv"], f"empty: it holds no model. {MODEL_HINT}"),
        (
            ["later.csv", "later.csv"],
            f"later.csv: it is neither a folder nor a .tar.gz. {MODEL_HINT}",
        ),
        (
            ["foreign", "latr.csv"],
            "TEST latr.csv: the file or folder does not exist (did you mean 'later.csv'?). "
            "Correct the name; it is relative to the current folder",
        ),
    ],
)
def test_what_cannot_begin_leaves_nothing(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
):
    Path("empty").mkdir()
    Path("foreign").mkdir()
    Path("foreign/xgboost-model").write_text("")
    assert main(arguments) == 1
    assert capsys.readouterr().out == f"FAILED: {text}\n"
    assert not OUT.exists()
    assert report(arguments) is None


def test_a_folder_in_the_environment_contradicts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", "job")
    assert main(["model", "later.csv"]) == 1
    assert capsys.readouterr().out == (
        "FAILED: SAGEMAKER_BASE_DIR: it names the folder 'job', and the command names MODEL. "
        "Unset it, or leave out MODEL\n"
    )
    assert report([]) == Path("job/output/message")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["model"], "MODEL without TEST: name files with rows to test it on"),
        (["--out", "x"], "--out without MODEL: name a model and rows to test it on"),
    ],
)
def test_options_that_do_not_go_together(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"sagetree evaluate: error: {text}"


@pytest.mark.parametrize(
    ("given", "absent", "meant"),
    [((), "model", "model.tar.gz"), (("model",), "test", "CSV or Parquet files with the label")],
)
def test_without_arguments_and_inputs_it_says_where_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: tuple[str, ...], absent: str, meant: str
):
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    for name in given:
        (tmp_path / "processing" / name).mkdir(parents=True)
    assert main([]) == 1
    assert (tmp_path / "output" / "message").read_text() == (
        f"{tmp_path}/processing/{absent}: the folder does not exist. Put {meant} there, name "
        "another "
        f"folder than {tmp_path} by SAGEMAKER_BASE_DIR, or name your own "
        "(sagetree evaluate MODEL TEST.csv)\n"
    )
