"""`sagetree prepare TABLE...`: one's own tables joined and split below --out."""

from pathlib import Path

import pytest

from sagetree.prepare.cli import main, report
from tests.prepare.tables import QUERY, every_row, put_pair

OUT = Path("sagetree-out")
NAMED = ("--key", "policy_id", "--label", "fraud")


@pytest.fixture(autouse=True)
def here(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder in which the tables are, where the command is given."""
    put_pair(root)
    monkeypatch.delenv("SAGEMAKER_BASE_DIR")
    monkeypatch.chdir(root / "processing" / "input")


def test_tables_are_joined_to_the_one_with_the_label(capsys: pytest.CaptureFixture[str]):
    assert main([*NAMED, "customers.csv", "claims", "--format", "csv"]) == 0
    rows = every_row(OUT)
    assert len(rows) == 40
    assert list(rows[0]) == ["fraud", "policy_id", "collision", "age"]
    assert capsys.readouterr().out.endswith(
        "\ntrain       sagetree-out/processing/output/train\n"
        "validation  sagetree-out/processing/output/validation\n"
        "test        sagetree-out/processing/output/test\n"
        "To train:  sagetree train sagetree-out/processing/output/train --target fraud "
        "--validation sagetree-out/processing/output/validation\n"
        "To evaluate then:  sagetree evaluate sagetree-out sagetree-out/processing/output/test\n"
    )


def test_a_query_of_one_s_own_and_parts_that_are_none(capsys: pytest.CaptureFixture[str]):
    options = ["--sql", str(QUERY), "--out", "my out", "--split", "1,0,0", "--format", "csv"]
    assert main(["claims", "customers.csv", *NAMED, *options]) == 0
    assert capsys.readouterr().out.endswith(
        "\ntrain  my out/processing/output/train\n"
        "To train:  sagetree train 'my out/processing/output/train' --target fraud "
        "--out 'my out'\n"
    )


def test_a_folder_in_which_one_is(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir("claims")
    assert main([".", *NAMED, "--out", "../out", "--split", "1,0,0", "--format", "csv"]) == 0
    assert list(every_row(Path("../out"))[0]) == ["fraud", "policy_id", "collision"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            ["claims", "custmers.csv", *NAMED],
            "TABLE custmers.csv: the file or folder does not exist (did you mean "
            "'customers.csv'?). "
            "Correct the name; it is relative to the current folder",
        ),
        (
            ["claims/part.csv", "notes.txt", *NAMED],
            "TABLE notes.txt: a table is a .csv or .parquet file, or a folder of them. "
            "Save it as one of these, and name that file",
        ),
        (
            ["claims", "Claims.csv", *NAMED],
            "TABLE: claims and Claims.csv are both the table 'Claims'. "
            "Rename one, or put the files of one table into a folder and name that",
        ),
        (
            ["claims", "--key", "policy_id"],
            "--label: not given. Name the column to predict with --label",
        ),
        (
            ["claims", "--kye", "policy_id"],
            "sagetree prepare: unrecognized arguments: --kye policy_id. "
            "sagetree prepare --help lists what it takes",
        ),
    ],
)
def test_what_cannot_begin_leaves_nothing(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
):
    Path("notes.txt").write_text("a")
    Path("Claims.csv").write_text("a")
    assert main(arguments) == 1
    assert capsys.readouterr().out == f"FAILED: {text}\n"
    assert not OUT.exists()


def test_out_goes_with_tables(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(root))
    assert main(["--out", "x", "--sql", str(QUERY), *NAMED]) == 1
    text = "--out: it is used only with tables. Name files and folders before any option"
    assert (root / "output" / "message").read_text() == f"{text}\n"


def test_where_a_killed_job_leaves_its_reason():
    assert report(["--key", "x"]) == Path("/opt/ml/output/message")
    assert report(["claims", *NAMED]) is None
    OUT.mkdir()
    (OUT / ".sagetree-out").write_text("")
    assert report(["claims", *NAMED]) == OUT / "output" / "message"
