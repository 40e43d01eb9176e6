"""`sagetree train DATA...`: a job on files that the command names, laid out below --out."""

import json
import subprocess
from pathlib import Path

import pytest

from sagetree.desk.contract_folder import claimed
from sagetree.machine.paths import OptMl
from sagetree.train.cli import main, report
from tests.needs import needs_script_mode
from tests.programs import SAGETREE, TIMEOUT, environment
from tests.train.conftest import lines

OUT = OptMl(Path("sagetree-out"))
FEW = ("--set", "num_round=3")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with three files, in which the command is given."""
    monkeypatch.delenv("SAGEMAKER_BASE_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("claims.csv", "later.csv", "last.csv")):
        Path(name).write_text(lines(seed=seed))


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def links_below(folder: Path) -> dict[str, str]:
    paths = [path for path in folder.rglob("*") if path.is_symlink()]
    return {str(path.relative_to(folder)): path.resolve().name for path in paths}


def test_it_is_the_job_of_sagemaker_on_links_to_the_files(
    capsys: pytest.CaptureFixture[str],
):
    later = ["--validation", "later.csv", "--test", "last.csv"]
    assert main(["claims.csv", "--target", "fraud", *later, *FEW]) == 0
    assert said(capsys).endswith(
        "\nmodel    sagetree-out/model\n"
        "metrics  sagetree-out/output/data/metrics.json\n"
        "To evaluate it on rows it has not seen:  sagetree evaluate sagetree-out last.csv\n"
        "To score files with it:  sagetree predict --model sagetree-out FILE.csv\n"
        "To serve it:  sagetree serve sagetree-out\n"
    )
    assert links_below(OUT.data) == {
        "train/claims.csv": "claims.csv",
        "validation/later.csv": "later.csv",
        "test/last.csv": "last.csv",
    }
    assert json.loads(OUT.hyperparameters.read_text()) == {"target": "fraud", "num_round": "3"}
    own = (OUT.model / "xgboost-model").read_bytes()

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGEMAKER_BASE_DIR", "sagetree-out")
        assert main([]) == 0
    assert (OUT.model / "xgboost-model").read_bytes() == own
    assert "To serve it" not in said(capsys)


def test_the_next_command_leaves_nothing_of_the_last_and_a_failure_keeps_its_model(
    capsys: pytest.CaptureFixture[str],
):
    assert main(["claims.csv", "--validation", "later.csv", *FEW, "--out", "my out"]) == 0
    text = said(capsys)
    assert text.startswith("Without --target the label is the first column that is not an index\n")
    assert text.endswith("To serve it:  sagetree serve 'my out'\n")
    out = OptMl(Path("my out"))
    model = (out.model / "xgboost-model").read_bytes()
    assert main(["last.csv", "claims.csv", "--target", "frod", "--out", "my out"]) == 1
    reason = (
        "target is 'frod', which is not a column (did you mean 'fraud'?). "
        "The columns are 'fraud', 'amount', 'kind', 'state'\n"
    )
    assert out.failure.read_text() == reason
    assert said(capsys) == f"FAILED: {reason}"
    assert links_below(out.data) == {
        "train/claims.csv": "claims.csv",
        "train/last.csv": "last.csv",
    }
    assert (out.model / "xgboost-model").read_bytes() == model


def test_a_second_command_leaves_the_folder_of_the_first_alone(capsys: pytest.CaptureFixture[str]):
    with claimed(OUT.root):
        before = sorted(OUT.root.rglob("*"))
        assert main(["claims.csv", "--target", "fraud", *FEW]) == 1
        assert sorted(OUT.root.rglob("*")) == before
    assert said(capsys) == (
        "FAILED: --out sagetree-out: another command of sagetree is working in it. "
        "Wait until that one has ended, or name another folder with --out\n"
    )
    assert main(["claims.csv", "--target", "fraud", *FEW]) == 0


def test_an_error_names_forty_columns_of_a_wide_table(capsys: pytest.CaptureFixture[str]):
    names = ["y", *(f"c{number}" for number in range(41))]
    Path("wide.csv").write_text(f"{','.join(names)}\n" + f"{','.join('1' * 42)}\n" * 3)
    assert main(["wide.csv", "--target", "z"]) == 1
    listed = ", ".join(map(repr, names[:40]))
    reason = f"target is 'z', which is not a column. The columns are {listed}, ... (42 in all)\n"
    assert said(capsys) == f"FAILED: {reason}"


def test_a_check_trains_nothing_and_says_how_to_train(capsys: pytest.CaptureFixture[str]):
    assert main(["claims.csv", "--check", "--target", "fraud", "--out", "it's"]) == 0
    assert said(capsys).endswith(
        "\nTo train:  sagetree train claims.csv --target fraud --out 'it'\"'\"'s'\n"
    )
    assert not (Path("it's") / "model").exists()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ["clams.csv"],
            "DATA clams.csv: the file or folder does not exist (did you mean 'claims.csv'?). "
            "Correct the name; it is relative to the current folder",
        ),
        (
            ["claims.csv", "--validation", "2025"],
            "--validation 2025: the file or folder does not exist. "
            "Correct the name; it is relative to the current folder",
        ),
        (
            ["."],
            "DATA .: what the job writes to sagetree-out would be read as rows of this folder. "
            "Name the files in it, or a folder outside it with --out",
        ),
        (
            ["claims.csv", "--out", "later.csv"],
            "--out later.csv: it is a file. Name a folder: a new one, or one of an earlier command",
        ),
        (
            ["claims.csv", "--out", "."],
            "--out .: the folder was not made by a command of sagetree, and it holds 'claims.csv', "
            "'last.csv', 'later.csv'. "
            "Name a new folder, an empty one, or one of an earlier command",
        ),
        (
            ["claims.csv", "--target", "fraud", "--set", "target=kind"],
            "--target: it is 'fraud', and --set names 'kind'. Leave one of them out",
        ),
    ],
)
def test_what_cannot_begin_leaves_nothing(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    assert main(arguments) == 1
    assert said(capsys) == f"FAILED: {text}\n"
    assert len([*tmp_path.iterdir()]) == 3


def test_a_file_of_another_kind_says_so(capsys: pytest.CaptureFixture[str]):
    Path("claims.xlsx").write_bytes(b"PK\x03\x04" + bytes(100))
    assert main(["claims.xlsx", "--target", "fraud"]) == 1
    assert said(capsys) == (
        "FAILED: claims.xlsx: this is a zip or Excel file. Put CSV (UTF-8), Parquet, JSON Lines, "
        "libsvm or recordio-protobuf files there\n"
    )


def test_a_name_that_the_system_refuses(capsys: pytest.CaptureFixture[str]):
    assert main(["x" * 300]) == 1
    assert said(capsys).startswith("FAILED: ")


@pytest.mark.long
@needs_script_mode
def test_a_script_of_one_s_own_has_the_same_folders(tmp_path: Path):
    """The toolkit's folders are the environment's, and the script runs in a folder of its own."""
    Path("source").mkdir()
    Path("source/train.py").write_text(
        "import os\n"
        "names = os.listdir(os.environ['SM_CHANNEL_TRAIN'])\n"
        "open(os.environ['SM_MODEL_DIR'] + '/seen', 'w').write(repr(names))\n"
    )
    script = ["sagemaker_program=train.py", "sagemaker_submit_directory=source"]
    environ = environment(tmp_path)
    del environ["SAGEMAKER_BASE_DIR"]
    command = [SAGETREE, "train", "claims.csv", "--set", script[0], "--set", script[1]]
    subprocess.run(command, env=environ, check=True, timeout=TIMEOUT)
    assert (OUT.model / "seen").read_text() == "['claims.csv']"


def test_a_folder_in_the_environment_contradicts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", "job")
    assert main(["claims.csv"]) == 1
    assert said(capsys) == (
        "FAILED: SAGEMAKER_BASE_DIR: it names the folder 'job', and the command names DATA. "
        "Unset it, or leave out DATA\n"
    )


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ["--target", "fraud", "--out", "x"],
            "--target, --out without DATA: name the files to train on first, before any option",
        ),
        (
            ["--validation", "later.csv", "claims.csv"],
            "--validation without DATA: name the files to train on first, before any option",
        ),
        (
            ["claims.csv", "--reproduce", "manifest.json"],
            "--reproduce is used without DATA: it reads the channels of the folder that "
            "SAGEMAKER_BASE_DIR names, such as one that --out named",
        ),
    ],
)
def test_options_that_do_not_go_together(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"sagetree train: error: {text}"


def test_where_a_killed_job_leaves_its_reason(monkeypatch: pytest.MonkeyPatch):
    assert report([]) == Path("/opt/ml/output/failure")
    assert report(["claims.csv"]) is None  # the folder of does not exist ours yet
    OUT.root.mkdir()
    (OUT.root / ".sagetree-out").write_text("")
    assert report(["claims.csv", "--target", "fraud"]) == OUT.failure


def test_help_has_an_example_of_each_form(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["--help"])
    text = said(capsys)
    assert "\n  sagetree train claims.csv --target fraud --validation later.csv\n" in text
    assert "\n  SAGEMAKER_BASE_DIR=folder sagetree train\n" in text
