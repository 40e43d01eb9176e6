"""The command: what it takes, what it writes, how it ends."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sagetree.drift.cli import main, report
from tests.drift.watched import COLUMNS, LABEL, one_each, rows, text, write_lines
from tests.predict.models import make_model

FILES = {"statistics.json", "constraints.json", "constraint_violations.json", "report.html"}


def looked_at(trained: Path, table: list[dict[str, object]], folder: Path) -> int:
    (folder / "rows.csv").write_text(text(table, (LABEL, *COLUMNS)))
    arguments = ["--model", trained, folder / "rows.csv", "--out", folder / "out"]
    return main([str(each) for each in (*arguments, "--labels", folder / "rows.csv")])


def test_the_exit_code_is_the_severity(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = {0: 0.0, 3: 0.12, 4: 0.6}
    for code, missing in cases.items():
        assert looked_at(trained, rows(400, 21, missing=missing), tmp_path) == code
        words = {0: "none", 3: "moderate", 4: "serious"}
        assert f"\nDrift: {words[code]}\n" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES


def test_the_log_says_what_was_found(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert looked_at(trained, rows(400, 22, new_kind=0.4, missing=0.2), tmp_path) == 4
    out = capsys.readouterr().out
    assert out.startswith("400 rows; 4 columns\n400 rows have a label, by policy: auc 0.")
    assert re.search(
        r"^moderate: amount: \d+ of 400 cells are missing \(.+%; in training 0.0%\); up to 5.0% "
        r"may be$",
        out, re.M,
    )  # fmt: skip
    assert re.search(
        r"^(serious|moderate): kind: \d+ of 400 cells \(.+%\) are of categories that training did "
        r"not see, such as 'hover'; up to .+% may be$",
        out, re.M,
    )  # fmt: skip
    assert out.endswith(f"\nreport  {tmp_path}/out/report.html\n")


class Words(HTMLParser):
    """The text of a page, and the figures' titles."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_says_it_all(trained: Path, tmp_path: Path) -> None:
    """With no script and nothing from elsewhere."""
    table = rows(400, 23, shift=1.0, new_kind=0.4, missing=0.2)
    write_lines(tmp_path / "capture/a.jsonl", [*one_each(table[:200])])
    (tmp_path / "capture/b.csv").write_text(text([r | {"x": 1} for r in table], (*COLUMNS, "x")))
    (tmp_path / "labels.csv").write_text(text(table, ("policy", LABEL)))
    arguments = ["--model", trained, tmp_path / "capture", "--out", tmp_path / "out"]
    labels = ["--labels", tmp_path / "labels.csv"]
    assert main([str(each) for each in (*arguments, *labels)]) == 4
    page = (tmp_path / "out/report.html").read_text()
    words = Words()
    words.feed(page)
    for wanted in (
        "Serious drift", "of 200 captured requests", "How good the answers were",
        "400 rows have a label that came later, found by policy; 200 have none so far.",
        "What the model answers", "Column by column",
        "Dates are later as time goes on, and not judged: seen.",
        "amount: share of rows below", "'hover'",
        "Columns of tables that the model does not know: x.",
        "each check may err by",
    ):  # fmt: skip
        assert wanted in words.text, wanted
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_what_a_bundle_does_not_hold_is_said(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bundle of before has histograms of ten bins, and no more of categories of many values."""
    folder = tmp_path / "model"
    shutil.copytree(trained, folder)
    (folder / "sagetree/columns.json").unlink()
    manifest = folder / "sagetree/manifest.json"
    content = json.loads(manifest.read_text())
    del content["files"]["sagetree/columns.json"]
    manifest.write_text(json.dumps(content))
    assert looked_at(folder, rows(400, 24, new_kind=0.4), tmp_path) == 4
    out = capsys.readouterr().out
    assert "The model's bundle does not hold the values of city, seen\n" in out
    assert "kind: " in out
    shutil.rmtree(tmp_path / "out")
    (folder / "sagetree/baseline.json").unlink()
    del content["files"]["sagetree/baseline.json"]
    manifest.write_text(json.dumps(content))
    assert looked_at(folder, rows(10, 24), tmp_path) == 1
    assert capsys.readouterr().out.endswith(
        "FAILED: the model does not store what its training rows were like. Train it again with "
        "this sagetree\n"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--model", "{model}", "{folder}/none.csv"], "{folder}/none.csv: the file or folder does "
         "not exist. Check its name, and the current folder"),
        (["--model", "{folder}/no.tar.gz", "{folder}/c.csv"], "{folder}/no.tar.gz: the file or "
         "folder does not exist. Give a folder that sagetree train wrote to, a folder with a "
         "model's files, or a model.tar.gz"),
        (["--model", "{folder}/plain", "{folder}/c.csv"], (
            "{folder}/plain: it is a plain XGBoost model, which does not store what its training "
            "rows were like. Train it with sagetree, or compare two tables with `sagetree "
            "profile`"
        )),
        (["--model", "{model}", "{folder}/c.csv", "--out", "{folder}/c.csv"], "--out "
         "{folder}/c.csv: it is a file. Name a folder"),
        (["--model", "{model}", "{folder}/c.csv", "--labels", "{folder}/l.csv"], "--labels "
         "{folder}/l.csv: the file or folder does not exist. Check its name, and the current "
         "folder"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_an_error(
    arguments: list[str],
    problem: str,
    trained: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "c.csv").write_text(text(rows(10, 25), COLUMNS))
    make_model(tmp_path / "plain", "reg:squarederror", foreign=True)
    names = {"model": str(trained), "folder": str(tmp_path)}
    assert main([each.format(**names) for each in arguments]) == 1
    assert capsys.readouterr().out == f"FAILED: {problem.format(**names)}\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["rows.csv"], "the following arguments are required: --model"),
        (["--model", "m"], "name what was captured (Model Monitor sets dataset_source)"),
    ],
)
def test_a_command_line_that_is_wrong_ends_with_2(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"sagetree drift: error: {problem}\n")


def test_only_model_monitors_job_has_a_message() -> None:
    assert report(["--model", "m", "rows.csv"]) is None
