"""`sagetree compare A B`, and the champion as a gate of `sagetree evaluate`."""

import json
import shutil
from pathlib import Path

import pytest

from sagetree.evaluate.cli import main as evaluate
from sagetree.evaluate.compare import main as compare
from sagetree.evaluate.compare import report
from sagetree.train.cli import main as train
from tests.evaluate.conftest import HEADER, rows

EVALUATION = Path("sagetree-out/processing/evaluation")


@pytest.fixture(scope="module")
def weaker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows one column, which says nothing, and has one that the other lacks."""
    root = tmp_path_factory.mktemp("weaker")
    (root / "input" / "data" / "train").mkdir(parents=True)
    lines = [line.split(",") for line in rows(400, 0)]
    text = "".join(f"{label},{number % 7},{kind}" for number, (label, _, kind) in enumerate(lines))
    (root / "input/data/train/t.csv").write_text(f"fraud,day,kind\n{text}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGEMAKER_BASE_DIR", str(root))
        assert train(["--set", "num_round=5"]) == 0
    return root / "model"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with labelled rows that have the columns of both models."""
    monkeypatch.delenv("SAGEMAKER_BASE_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    lines = [f"{line.strip()},{number % 7}\n" for number, line in enumerate(rows(300, 1))]
    Path("later.csv").write_text("fraud,amount,kind,day\n" + "".join(lines))


def result(name: str) -> dict[str, object]:
    content: dict[str, object] = json.loads((EVALUATION / name).read_text())
    return content


def test_a_better_and_a_worse_challenger(
    trained: Path, weaker: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare([str(weaker), str(trained), "--test", "later.csv"]) == 0
    head, *lines = capsys.readouterr().out.partition("300 rows\n")[2].splitlines()
    assert head.split() == [
        *("champion", "challenger", "difference", "95", "%", "interval", "challenger", "is")
    ]
    assert [(line.split()[0], line.split()[-1]) for line in lines[:3]] == [
        ("auc", "better"), ("au_prc", "better"), ("logloss", "better"),
    ]  # fmt: skip
    assert lines[3].startswith("The challenger is better than the champion: auc 0.")
    assert lines[-2:] == [
        f"comparison  {EVALUATION}/comparison.json",
        f"To judge the challenger:  sagetree evaluate {trained} later.csv --champion {weaker}",
    ]
    found = result("comparison.json")
    assert (found["verdict"], found["decided_by"], found["rows"]) == ("better", "auc", 300)
    assert found["metrics"]["auc"]["low"] > 0
    assert compare([str(trained), str(weaker), "--test", "later.csv"]) == 0
    assert result("comparison.json")["verdict"] == "worse"
    assert report([str(trained), str(weaker), "--test", "x"]) == Path("sagetree-out/output/message")


def test_a_model_against_itself_and_the_rows_it_was_trained_on(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("known.csv").write_text(HEADER + "".join(rows(400, 0)))
    costs = ["--miss", "1200", "--alarm", "35"]
    assert compare([str(trained), str(trained), "--test", "known.csv", *costs]) == 0
    found = result("comparison.json")
    assert (found["verdict"], found["decided_by"]) == ("no difference shown", "cost")
    assert [(m["low"], m["high"]) for m in found["metrics"].values()] == [(0, 0)] * 4
    said = capsys.readouterr().out
    for name in ("champion", "challenger"):
        assert (
            f"WARNING: 400 of 400 rows are rows of the {name}'s training, where 0.5% would be by "
            "chance: it looks better than it is. Compare on rows that neither model was trained on"
        ) in said


def test_the_champion_is_a_gate(
    trained: Path, weaker: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gate = ["--threshold-auc", "0", "--fail-below"]
    assert evaluate([str(weaker), "later.csv", "--champion", str(trained), *gate]) == 1
    decision = result("decision.json")
    assert decision["verdict"] == "Rejected"
    reached, _, reason = str(decision["reason"]).partition("; but ")
    assert reached.endswith("reaches the required 0.0")
    assert reason == result("comparison.json")["reason"]
    assert reason.startswith("the challenger is worse than the champion: auc 0.")
    assert f"Rejected: {decision['reason']}\n" in capsys.readouterr().out

    assert evaluate([str(trained), "later.csv", "--champion", str(weaker), *gate]) == 0
    assert "; the challenger is better than the champion: auc" in str(result("decision.json"))
    Path("own.csv").write_text(HEADER + "".join(rows(300, 1)))
    assert evaluate([str(trained), "own.csv", "--champion", str(trained), *gate]) == 0
    assert "; no difference to the champion is shown: auc" in str(result("decision.json"))


def test_the_champion_of_a_processing_job(
    trained: Path, weaker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    processing, written = tmp_path / "processing", tmp_path / "processing" / "evaluation"
    shutil.copytree(weaker, processing / "model")
    shutil.copytree(trained, processing / "champion")
    (processing / "test").mkdir()
    shutil.copy("later.csv", processing / "test")
    assert evaluate(["--threshold-auc", "0"]) == 0
    assert json.loads((written / "decision.json").read_bytes())["verdict"] == "Rejected"
    shutil.rmtree(processing / "champion")
    Path("later.csv").write_text("".join(
        line.replace("amount,", "") if line.startswith("fraud") else
        ",".join(line.split(",")[:1] + line.split(",")[2:])
        for line in Path("later.csv").read_text().splitlines(keepends=True)
    ))  # fmt: skip
    shutil.copy("later.csv", processing / "test")
    assert evaluate(["--threshold-auc", "0"]) == 0
    assert json.loads((written / "decision.json").read_bytes())["verdict"] == "Approved"
    assert not (written / "comparison.json").exists()


def with_values(count: int, seed: int) -> str:
    """Rows with a column of what each of them is worth."""
    lines = [f"{line.strip()},{number % 90}\n" for number, line in enumerate(rows(count, seed))]
    return "fraud,amount,kind,value\n" + "".join(lines)


@pytest.mark.parametrize("turned", [False, pytest.param(True, marks=pytest.mark.long)])
def test_costs_are_those_of_the_decision_in_a_bundle(
    turned: bool, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, rule = tmp_path / "priced", "cost: miss=value alarm=35"
    (root / "input/data/train").mkdir(parents=True)
    (root / "input/data/train/t.csv").write_text(with_values(300, 0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGEMAKER_BASE_DIR", str(root))
        assert train(["--set", "num_round=5", "--set", f"decision={rule}"]) == 0
    Path("priced.csv").write_text(with_values(200, 1))
    assert evaluate([str(root / "model"), "priced.csv", "--out", "judged"]) == 0
    evaluation = json.loads(Path("judged/processing/evaluation/evaluation.json").read_bytes())
    paid = evaluation["operating_point"]["chosen"]["cost"]["value"] / 200
    capsys.readouterr()
    models = [str(trained), str(root / "model")]
    models = models[::-1] if turned else models
    assert compare([*models, "--test", "priced.csv", "--out", "compared"]) == 0
    found = json.loads(Path("compared/processing/evaluation/comparison.json").read_bytes())
    assert (found["decided_by"], found["costs"]) == ("cost", rule)
    of_priced = found["metrics"]["cost"]["champion" if turned else "challenger"]
    assert of_priced == pytest.approx(paid)
    assert f"A row's mean cost is by {rule}\n" in capsys.readouterr().out


def test_models_that_read_other_labels(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    turned = tmp_path / "turned"
    (turned / "input/data/train").mkdir(parents=True)
    (turned / "input/data/train/t.csv").write_text(HEADER + "".join(rows(200, 0)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGEMAKER_BASE_DIR", str(turned))
        assert train(["--set", "num_round=2", "--set", "positive_label=0"]) == 0
    Path("own.csv").write_text(HEADER + "".join(rows(200, 1)))
    assert compare([str(trained), str(trained), "--test", "own.csv"]) == 0
    assert (EVALUATION / "comparison.json").exists()
    capsys.readouterr()
    assert compare([str(trained), str(turned), "--test", "own.csv"]) == 1
    assert not (EVALUATION / "comparison.json").exists()
    assert (
        "FAILED: sagetree-out/processing/test: the champion and the challenger do not read the "
        "same labels in these rows. Compare two models of one label, with the same positive value "
        "or classes\n"
    ) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["a", "b", "--test", "x", "--miss", "3"],
         "--miss and --alarm must be given together: what each of the two mistakes costs"),
        (["a", "b", "--test", "x", "--miss", "-3", "--alarm", "1"],
         "argument --miss: '-3' is not a cost: a number from 0 on"),
        (["a", "b", "--test", "x", "--miss", "nan", "--alarm", "1"],
         "argument --miss: 'nan' is not a cost: a number from 0 on"),
        (["a", "--test", "x"], "the following arguments are required: B"),
    ],
)  # fmt: skip
def test_wrong_calls(arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        compare(arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"sagetree compare: error: {text}"


def test_a_champion_without_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        evaluate(["--champion", "a"])
    assert capsys.readouterr().err.splitlines()[-1] == (
        "sagetree evaluate: error: --champion without MODEL: name the model to compare it with, "
        "and TEST"
    )


def test_what_cannot_begin_leaves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare(["gone", "later.csv", "--test", "later.csv"]) == 1
    assert capsys.readouterr().out.startswith("FAILED: later.csv: it is neither a folder")
    assert not Path("sagetree-out").exists()
    assert report(["gone", "later.csv", "--test", "later.csv"]) is None
