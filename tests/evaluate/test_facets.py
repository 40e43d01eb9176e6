"""`evaluate --facets`: Clarify's file, the report's part, and what is said where that cannot be."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sagetree.bundle.model import Model
from sagetree.evaluate.cli import main as evaluate
from sagetree.machine.paths import OptMl
from sagetree.tables.table import Source, Table
from tests.evaluate.conftest import HEADER, rows
from tests.evaluate.report.test_files import Page

FACETS = [
    {"column": "gender", "values": ["f"], "group": "kind"},
    {"column": "amount", "threshold": 1},
]

Evaluated = Callable[..., "Results"]


class Results:
    """An evaluation that has ended."""

    def __init__(self, opt_ml: OptMl, code: int, log: str) -> None:
        self.opt_ml, self.code, self.log = opt_ml, code, log

    @property
    def folder(self) -> Path:
        return self.opt_ml.processing / "evaluation"

    def json(self, name: str = "bias_analysis.json") -> dict[str, object]:
        found: dict[str, object] = json.loads((self.folder / name).read_text())
        return found

    def metrics(self, stage: str, column: str, number: int = 0) -> dict[str, float]:
        found = self.json()[f"{stage}_training_bias_metrics"]
        return {m["name"]: m["value"] for m in found["facets"][column][number]["metrics"]}


@pytest.fixture
def frame() -> pd.DataFrame:
    """Rows with a column that the model does not know."""
    lines = [line.strip().split(",") for line in rows(300, 1)]
    frame = pd.DataFrame(lines, columns=HEADER.strip().split(","))
    frame["gender"] = np.random.default_rng(3).choice(["f", "m", ""], 300, p=[0.4, 0.5, 0.1])
    return frame


@pytest.fixture
def run(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    trained: Path,
    capsys: pytest.CaptureFixture[str],
) -> Evaluated:
    """The function that evaluates the small model on a frame's rows, with facets in a file."""
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "ml"))
    monkeypatch.chdir(tmp_path)
    opt_ml = OptMl(tmp_path / "ml")
    shutil.copytree(trained, opt_ml.processing / "model")
    (opt_ml.processing / "test").mkdir()

    def work(frame: pd.DataFrame, facets: object = FACETS, *options: str) -> Results:
        frame.to_csv(opt_ml.processing / "test" / "test.csv", index=False)
        Path("facets.json").write_text(facets if isinstance(facets, str) else json.dumps(facets))
        arguments = ["--facets", "facets.json"] if facets is not None else []
        if facets is None:
            Path("facets.json").unlink()
        code = evaluate([*arguments, *options])
        return Results(opt_ml, code, capsys.readouterr().out)

    return work


def favoured(frame: pd.DataFrame, model: Model) -> np.ndarray:
    """Which rows are predicted 0, by the model's own threshold."""
    columns = (frame.amount.tolist(), frame.kind.tolist())
    table = Table(("amount", "kind"), columns, len(frame), True, (Source(len(frame)),))
    return model.score(table).astype(float) < model.threshold


def test_the_numbers_are_pandas_of_the_served_scores(
    run: Evaluated, frame: pd.DataFrame, trained: Path
) -> None:
    ran = run(frame)
    assert ran.code == 0
    predicted = favoured(frame, Model.load(trained))
    label = frame.fraud == "0"
    for column, number, member in (
        ("gender", 0, frame.gender == "f"), ("amount", 0, frame.amount.astype(float) > 1),
    ):  # fmt: skip
        before, after = (ran.metrics(stage, column, number) for stage in ("pre", "post"))
        assert before["CI"] == pytest.approx(1 - 2 * member.mean())
        assert before["DPL"] == pytest.approx(label[~member].mean() - label[member].mean())
        assert after["DPPL"] == pytest.approx(predicted[~member].mean() - predicted[member].mean())
        hits = predicted & label
        recall = [hits[part].sum() / label[part].sum() for part in (~member, member)]
        assert after["RD"] == pytest.approx(recall[0] - recall[1])
        assert {*after} >= {"FT", "GE", "TE"}
    assert ran.metrics("post", "gender")["CDDPL"] is not None
    assert ran.metrics("post", "amount")["CDDPL"] is None


def test_the_file_has_clarifys_shape(run: Evaluated, frame: pd.DataFrame) -> None:
    found = run(frame, [*FACETS, {"column": "kind"}]).json()
    assert [*found] == ["version", "post_training_bias_metrics", "pre_training_bias_metrics"]
    stage = found["post_training_bias_metrics"]
    assert [*stage] == ["label", "facets", "label_value_or_threshold"]
    assert (stage["label"], stage["label_value_or_threshold"]) == ("fraud", "0")
    values = {n: [one["value_or_threshold"] for one in of] for n, of in stage["facets"].items()}
    highest = float(frame.amount.astype(float).max())
    assert values == {
        "gender": ["f"], "amount": [f"(1.0, {highest}]"], "kind": [*dict.fromkeys(frame.kind)],
    }  # fmt: skip
    metrics = stage["facets"]["amount"][0]["metrics"]
    assert [metric["name"] for metric in metrics] == sorted(metric["name"] for metric in metrics)
    assert metrics[1] == {
        "name": "CDDPL",
        "description": "Conditional Demographic Disparity in Predicted Labels (CDDPL)",
        "value": None,
        "error": "Group variable is empty or not provided",
    }


def test_the_other_label_can_be_the_favourable_one(run: Evaluated, frame: pd.DataFrame) -> None:
    before = run(frame).metrics("pre", "gender")
    ran = run(frame, FACETS, "--favourable", "1")
    assert ran.json()["pre_training_bias_metrics"]["label_value_or_threshold"] == "1"
    after = ran.metrics("pre", "gender")
    assert after["DPL"] == pytest.approx(-before["DPL"])
    assert after["CI"] == before["CI"]


def test_page_card_and_log_say_it(run: Evaluated, frame: pd.DataFrame) -> None:
    ran = run(frame)
    gender, fraud = frame.gender == "f", frame.fraud == "0"
    assert (
        f"\ngender = f ({gender.sum()} of 300 rows): fraud = 0 in {fraud[gender].mean():.1%}, in "
        f"{fraud[~gender].mean():.1%} of the others; predicted in "
    ) in ran.log
    empty = int((frame.gender == "").sum())
    note = (
        f"{empty} of 300 rows have no value in 'gender': they count among those outside its facets"
    )
    assert f"WARNING: {note}\n" in ran.log
    page = " ".join(Page((ran.folder / "report.html").read_text()).words)
    assert "Whom labels and predictions favour" in page
    assert note in page
    assert f"{ran.metrics('post', 'gender')['DPPL']:.4g}" in page
    assert (
        f"{ran.metrics('post', 'amount')['DI']:.4g}" in (ran.folder / "model_card.md").read_text()
    )
    facts = ran.json("model_card.json")["bias"]
    assert facts["favourable"] == "0"
    assert [one["column"] for one in facts["after"]] == ["gender", "amount"]


def test_the_model_is_measured_as_without_facets(run: Evaluated, frame: pd.DataFrame) -> None:
    """Also where their columns are not the model's, which it would refuse."""
    known = frame.drop(columns="gender")
    without = run(known, None)
    bare = without.json("evaluation.json")
    assert not (without.folder / "bias_analysis.json").exists()
    assert run(frame).json("evaluation.json") == bare
    assert not (run(known, []).folder / "bias_analysis.json").exists()


def test_weights_of_zero_are_no_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frame: pd.DataFrame
) -> None:
    from sagetree.train.cli import main as train

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAGEMAKER_BASE_DIR", raising=False)
    weighed = frame.assign(w=np.where(np.arange(300) < 100, 0, 2), gender=frame.gender + "x")
    weighed.to_csv("train.csv", index=False)
    Path("f.json").write_text('[{"column": "gender", "values": ["fx"]}]')
    settings = ["--set", "num_round=3", "--set", "nfold=2", "--set", "weight_column=w"]
    assert train(["train.csv", "--target", "fraud", *settings]) == 0
    assert evaluate(["sagetree-out", "train.csv", "--facets", "f.json"]) == 0
    found = json.loads(Path("sagetree-out/processing/evaluation/bias_analysis.json").read_text())
    (facet,) = found["pre_training_bias_metrics"]["facets"]["gender"]
    values = {metric["name"]: metric["value"] for metric in facet["metrics"]}
    assert values["CI"] == pytest.approx(1 - 2 * (weighed.gender[100:] == "fx").mean())


@pytest.mark.parametrize(
    ("facets", "options", "said"),
    [
        ([{"column": "gendr"}], [],
         "test.csv line 2, column of a facet: column 'gendr' is missing (did you mean 'gender'?). "
         "The columns are 'fraud', 'amount', 'kind', 'gender'"),
        ([{"column": "gender", "values": ["w"]}], [],
         "column 'gender': no row is in the facet gender = w. The column's values are "),
        ([{"column": "fraud", "values": [1]}], [],
         "a facet is of column 'fraud', which is the label. Name a column that says who the rows "
         "are of"),
        ("[{]", [], "--facets facets.json: it is not JSON: "),
        ('{"a": 1}', [],
         '--facets facets.json: it is not a list of facets. Write a JSON list such as [{"column": '
         '"gender", "values": ["F"]}, {"column": "age", "threshold": 40}], each perhaps with '
         '"group": a column'),
        (FACETS, ["--favourable", "legit"],
         "--favourable is 'legit', which is not a value of the label 'fraud'. Its values are '0', "
         "'1'"),
        (None, ["--favourable", "0"],
         "--favourable: it names the label that is good for a person, and there are no facets to "
         "compare. Add --facets FILE, or leave it out"),
        (None, ["--facets", "none.json"],
         "--facets none.json: it cannot be read: No such file or directory. Name a JSON file"),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_an_error(
    run: Evaluated, frame: pd.DataFrame, facets: object, options: list[str], said: str
) -> None:
    kept = frame if facets is not None else frame.drop(columns="gender")
    ran = run(kept, facets, *options)
    assert ran.code == 1
    assert ran.opt_ml.message.read_text().startswith(said)
    assert not (ran.folder / "bias_analysis.json").exists()
