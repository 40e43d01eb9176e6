"""What an evaluation says about the threshold: shares and costs of the test rows."""

import json
from pathlib import Path

import numpy as np
import pytest

from sagetree.evaluate.cli import main as evaluate
from sagetree.machine.paths import OptMl
from sagetree.train.cli import main as train

RULE = "cost: miss=loss alarm=2"
NAMES = "fraud,amount,loss"


def rows(count: int, seed: int) -> list[list[str]]:
    """A quarter frauds with a loss, which other rows do not have."""
    random = np.random.default_rng(seed)
    return [
        [str(row % 4 // 3), f"{random.normal(row % 4 // 3):.4f}",
         f"{random.exponential(9):.2f}" if row % 4 == 3 else ""]
        for row in range(count)
    ]  # fmt: skip


def csv(table: list[list[str]], names: str = NAMES) -> str:
    return "\n".join([names, *map(",".join, table)]) + "\n"


@pytest.fixture
def opt_ml(trained_by_cost: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OptMl:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    (tmp_path / "processing" / "test").mkdir(parents=True)
    (tmp_path / "processing" / "model").symlink_to(trained_by_cost)
    return OptMl(tmp_path)


@pytest.fixture(scope="module")
def trained_by_cost(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of a job that goes by the cost of a column that is left out."""
    root = tmp_path_factory.mktemp("by_cost")
    (root / "input/data/train").mkdir(parents=True)
    (root / "input/data/train/t.csv").write_text(csv(rows(400, 0)))
    settings = {"num_round": "20", "decision": RULE, "drop_columns": "loss"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGEMAKER_BASE_DIR", str(root))
        assert train([part for n, v in settings.items() for part in ("--set", f"{n}={v}")]) == 0
    return root / "model"


def test_the_test_rows_have_the_cost_of_the_models_rule(
    opt_ml: OptMl, capsys: pytest.CaptureFixture[str]
) -> None:
    table = rows(200, 1)
    (opt_ml.processing / "test" / "t.csv").write_text(csv(table))
    assert evaluate([]) == 0
    log = capsys.readouterr().out
    found = json.loads((opt_ml.processing / "evaluation/evaluation.json").read_text())
    metrics, point = found["binary_classification_metrics"], found["operating_point"]
    chosen, nobody = point["chosen"], point["constant"]
    assert (point["rule"], point["rows"]) == (RULE, 200)
    assert chosen["threshold"] == found["threshold"]
    assert chosen["precision"]["value"] == pytest.approx(metrics["precision"]["value"])
    assert chosen["recall"]["value"] == pytest.approx(metrics["recall"]["value"])
    lost = sum(float(loss or 0) for _, _, loss in table)
    costs = {"call nobody": lost, "call everybody": 2 * 150}
    assert nobody["name"] == min(costs, key=lambda name: costs[name])
    assert nobody["cost"]["value"] == pytest.approx(costs[nobody["name"]])
    assert chosen["cost"]["low"] < chosen["cost"]["value"] < chosen["cost"]["high"]
    assert chosen["cost"]["value"] < nobody["cost"]["value"]
    lines = log.splitlines()
    place = lines.index(f"What it gives, beside others (rule {RULE}; 95 % intervals):")
    assert [line.split(":")[0] for line in lines[place + 1 : place + 4]] == [
        f"  threshold {found['threshold']:.4g}", "  0.5", f"  {nobody['name']}",
    ]  # fmt: skip


def test_another_threshold_is_measured_by_the_same_rule(opt_ml: OptMl) -> None:
    (opt_ml.processing / "test" / "t.csv").write_text(csv(rows(200, 1)))
    assert evaluate(["--threshold", "0.5"]) == 0
    found = json.loads((opt_ml.processing / "evaluation/evaluation.json").read_text())
    chosen, even = found["operating_point"]["chosen"], found["operating_point"]["even"]
    assert chosen | {"name": ""} == even | {"name": ""}


@pytest.mark.parametrize(
    ("table", "names", "text"),
    [
        (
            [row[:2] for row in rows(40, 1)],
            "fraud,amount",
            "t.csv line 2: column 'loss' is missing. The decision's rule needs it for the cost "
            "of a positive row that is missed: add the column",
        ),
        (
            [[*row[:2], ""] for row in rows(40, 1)],
            NAMES,
            "t.csv line 5, column 'loss': the amount is empty. Every amount must be a number from "
            "0 on in the row of a positive row that is missed",
        ),
    ],
)
def test_a_test_table_without_the_amounts_is_refused(
    opt_ml: OptMl, table: list[list[str]], names: str, text: str
) -> None:
    (opt_ml.processing / "test" / "t.csv").write_text(csv(table, names))
    assert evaluate([]) == 1
    assert opt_ml.message.read_text() == text + "\n"
