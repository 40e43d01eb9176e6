"""What `evaluate` says about its rows: rows of training, unseen and missing cells, one label."""

import json
import shutil
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from sagetree.bundle.bundle import ROWS_FILE
from sagetree.bundle.file_names import MANIFEST_FILE
from sagetree.evaluate.cli import main as evaluate
from sagetree.machine.paths import OptMl
from sagetree.train.cli import main as train

Said = tuple[dict[str, object], str]
Evaluated = Callable[..., Said]

OVERLAP = (
    "{} of {} rows are rows of training, where 0.0% would be by chance: metrics of them show what "
    "the model remembers. Evaluate on rows that training does not have (sagetree prepare splits "
    "by key)"
)


@pytest.fixture(scope="module")
def model_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The function that trains on rows, once for the same ones and settings."""

    @cache
    def trained(rows: str, **settings: str) -> Path:
        opt_ml = OptMl(tmp_path_factory.mktemp("trained"))
        (opt_ml.data / "train").mkdir(parents=True)
        (opt_ml.data / "train" / "t.csv").write_text(rows)
        opt_ml.config.mkdir()
        given = {"preset": "xgboost", "num_round": "5", **settings}
        (opt_ml.config / "hyperparameters.json").write_text(json.dumps(given))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SAGEMAKER_BASE_DIR", str(opt_ml.root))
            assert train([]) == 0
        return opt_ml.model

    return trained


@pytest.fixture
def evaluated(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    model_of: Callable[..., Path],
) -> Evaluated:
    """The function that evaluates the trained model on rows: decision.json, and the log."""
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    opt_ml = OptMl(tmp_path)

    def run(
        test: str,
        trained_on: str | None = None,
        settings: Mapping[str, str] | None = None,
        arguments: tuple[str, ...] = (),
    ) -> Said:
        if trained_on is not None:
            shutil.rmtree(tmp_path / "processing", ignore_errors=True)
            (opt_ml.processing / "test").mkdir(parents=True)
            model = model_of(trained_on, **(settings or {}))
            shutil.copytree(model, opt_ml.processing / "model")
        (opt_ml.processing / "test" / "t.csv").write_text(test)
        capsys.readouterr()
        code = evaluate(list(arguments))
        log = capsys.readouterr().out
        path = opt_ml.processing / "evaluation" / "decision.json"
        content: dict[str, object] = json.loads(path.read_text()) if code == 0 else {}
        shutil.rmtree(path.parent, ignore_errors=True)
        return content, log if code == 0 else opt_ml.message.read_text()

    return run


def table(rows: int, seed: int, words: tuple[str, str] = ("lo", "hi")) -> list[str]:
    """Return lines of a label, a number that says much of it, and a category."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, rows)
    return [
        f"{y},{random.normal(1.5 * y):.7f},{words[int(random.random() < 0.3 + 0.4 * y)]}\n"
        for y in labels.tolist()
    ]


HEADER = "y,n,c\n"
TRAIN = table(400, 0)
TEST = table(200, 1)


def csv(*parts: list[str]) -> str:
    return HEADER + "".join(line for part in parts for line in part)


def test_rows_that_are_new_are_nothing_to_speak_of(evaluated: Evaluated) -> None:
    decision, log = evaluated(csv(TEST), csv(TRAIN), arguments=("--threshold-auc", "0.6"))
    assert decision["test_rows"] == {
        "rows": 200,
        "rows_of_training": {"repeated": 0, "compared": 200, "share_by_chance": 0.0},
        "absent_cells": {},
        "warnings": [],
    }
    assert decision["verdict"] == "Approved"
    assert "WARNING" not in log


def test_the_rows_of_training_are_not_held_out(evaluated: Evaluated) -> None:
    decision, log = evaluated(csv(TRAIN), csv(TRAIN))
    assert decision["verdict"] == "Rejected"
    assert decision["reason"] == (
        "100.0% of the rows are rows of training, so nothing is known about other rows. "
        f"The AUC of {decision['auc']:.4g} reaches the required 0.7"
    )
    assert f"WARNING: {OVERLAP.format(400, 400)}\n" in log
    assert "Rejected: 100.0% of the rows" in log


def test_the_verdict_says_which_share_is_of_training(evaluated: Evaluated) -> None:
    some, log = evaluated(csv(TEST, TRAIN[:100]), csv(TRAIN))
    assert some["verdict"] == "Approved"
    assert some["reason"] == (
        f"The AUC of {some['auc']:.4g} reaches the required 0.7; but 33.3% of the rows are rows of "
        "training"
    )
    assert OVERLAP.format(100, 300) in log
    few, log = evaluated(csv(TEST, TRAIN[:2]))
    assert few["reason"] == f"The AUC of {few['auc']:.4g} reaches the required 0.7"
    assert few["test_rows"]["rows_of_training"]["repeated"] == 2
    assert "rows of training" not in log


def test_copied_rows_count_once_in_the_interval(evaluated: Evaluated) -> None:
    once, _ = evaluated(csv(TEST), csv(TRAIN))
    decision, log = evaluated(csv(TEST, TEST, TEST[:100]))
    plain, _ = evaluated(csv(TEST, TEST))
    warning = (
        "300 of 500 rows are copies of other rows: intervals and standard deviations count each "
        "once"
    )
    assert f"WARNING: {warning}\n" in log
    assert decision["test_rows"]["warnings"] == [warning]
    assert plain["auc"] == pytest.approx(once["auc"])
    assert plain["interval"] == pytest.approx(once["interval"])


def test_another_metric_and_other_formats_of_the_cells_make_no_difference(
    evaluated: Evaluated,
) -> None:
    """Rows are known again in another order of columns and another spelling."""
    numbers = [line.replace(",lo", ",3").replace(",hi", ",4") for line in TRAIN]
    turned = ["c,n,y\n"]
    for line in numbers:
        label, number, kind = line.strip().split(",")
        turned.append(f"{kind}.0,{float(number):.9e},{label}\n")
    decision, _ = evaluated(
        "".join(turned),
        csv(numbers),
        {"objective": "reg:squarederror", "target": "y"},
        arguments=("--gate", "rmse<=10"),
    )
    assert decision["test_rows"]["rows_of_training"] == {
        "repeated": 400, "compared": 400, "share_by_chance": 0.0
    }  # fmt: skip
    assert decision["verdict"] == "Rejected"
    assert decision["reason"].startswith("100.0% of the rows are rows of training, so nothing")


def test_a_table_of_few_values_repeats_itself_by_chance(evaluated: Evaluated) -> None:
    random = np.random.default_rng(2)
    few = [
        f"{y},{int(random.random() < 0.2 + 0.6 * y)},{random.choice(['a', 'b', 'c'])}\n"
        for y in random.integers(0, 2, 400).tolist()
    ]
    decision, log = evaluated(csv(few[200:]), csv(few[:200]))
    assert decision["test_rows"]["rows_of_training"] == {
        "repeated": 200, "compared": 200, "share_by_chance": 1.0
    }  # fmt: skip
    assert decision["test_rows"]["warnings"] == []
    assert "rows of training" not in log


def test_a_bundle_that_does_not_know_its_rows_says_nothing_of_them(
    evaluated: Evaluated, tmp_path: Path
) -> None:
    evaluated(csv(TEST), csv(TRAIN))
    folder = tmp_path / "processing" / "model"
    (folder / ROWS_FILE).unlink()
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    del manifest["files"][ROWS_FILE]
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
    decision, log = evaluated(csv(TRAIN))
    assert decision["test_rows"]["rows_of_training"] is None
    assert decision["verdict"] == "Approved"
    assert "WARNING" not in log


ENCODINGS = pytest.mark.parametrize(
    "encoding", ["native", pytest.param("onehot", marks=pytest.mark.long)]
)
UNSEEN = "column 'c': 200 of 200 cells hold categories that training did not see, such as 'HI'"


@ENCODINGS
def test_unseen_categories_are_counted_by_column(evaluated: Evaluated, encoding: str) -> None:
    upper = table(200, 1, ("HI", "HI"))
    decision, log = evaluated(csv(upper), csv(TRAIN), {"encoding": encoding})
    assert decision["test_rows"]["absent_cells"] == {
        "c": {"missing": 0, "unseen_categories": 200, "missing_share_in_training": 0.0}
    }
    assert decision["test_rows"]["warnings"] == [UNSEEN]
    assert f"WARNING: {UNSEEN}\n" in log
    some, log = evaluated(csv(upper[:10], TEST[:190]))
    assert some["test_rows"]["absent_cells"]["c"]["unseen_categories"] == 10
    assert "WARNING: column" not in log  # 5 %
    assert "11 of 200 cells hold" in evaluated(csv(upper[:11], TEST[:189]))[1]


@ENCODINGS
def test_empty_columns_are_counted_against_training(evaluated: Evaluated, encoding: str) -> None:
    holes = [line if n % 4 else f"{line[0]},,{line.split(',')[2]}" for n, line in enumerate(TRAIN)]
    empty = [line.rpartition(",")[0] + ",\n" for line in TEST]
    decision, log = evaluated(csv(empty), csv(holes), {"encoding": encoding})
    assert decision["test_rows"]["absent_cells"] == {
        "c": {"missing": 200, "unseen_categories": 0, "missing_share_in_training": 0.0}
    }
    assert "WARNING: column 'c': 200 of 200 cells are missing, and in training 0.0%\n" in log
    # a quarter is what training misses too; 39.2 % are 14.2 beyond it, by chance 9.2 at most
    as_training, log = evaluated(csv(holes[:200]))
    assert as_training["test_rows"]["absent_cells"]["n"] == {
        "missing": 50, "unseen_categories": 0, "missing_share_in_training": 0.25
    }  # fmt: skip
    assert "column 'n'" not in log
    more = [f"{line[0]},,{line.split(',')[2]}" for line in TEST[:90]]
    assert (
        "column 'n': 90 of 200 cells are missing, and in training 25.0%\n"
        in (evaluated(csv(more, TEST[90:]))[1])
    )


def test_of_many_columns_some_are_named(evaluated: Evaluated) -> None:
    names = [f"k{n}" for n in range(14)]
    random = np.random.default_rng(4)

    def wide(rows: int, words: str) -> str:
        lines = [
            ",".join([str(int(random.integers(2))), *random.choice(list(words), 14)])
            for _ in range(rows)
        ]
        return "\n".join([",".join(["y", *names]), *lines]) + "\n"

    decision, _ = evaluated(wide(60, "xyz"), wide(100, "abc"))
    warnings = decision["test_rows"]["warnings"]
    assert [text.partition(":")[0] for text in warnings[:10]] == [
        f"column 'k{n}'" for n in range(10)
    ]
    assert warnings[10:] == ["and 4 more columns like these"]
    assert len(decision["test_rows"]["absent_cells"]) == 14


@pytest.mark.parametrize(
    ("settings", "labels", "constant", "said"),
    [
        ({"objective": "reg:squarederror"}, "1 2 3", "7.5", "the label is '7.5' in every row"),
        pytest.param(
            {"objective": "count:poisson"},
            "0 1 2",
            "0",
            "the label is '0' in every row",
            marks=pytest.mark.long,
        ),
        ({"objective": "multi:softprob"}, "a b c", "b", "the label is 'b' in every row"),
        ({"objective": "survival:cox"}, "1 2 -3", "2", "the label is '2' in every row"),
    ],
)
def test_one_label_in_every_row_is_an_error(
    evaluated: Evaluated, settings: dict[str, str], labels: str, constant: str, said: str
) -> None:
    lines = [f"{labels.split()[n % 3]},{line.partition(',')[2]}" for n, line in enumerate(TRAIN)]
    test = [f"{constant},{line.partition(',')[2]}" for line in TEST[:40]]
    decision, message = evaluated(csv(test), csv(lines), settings)
    assert decision == {}
    assert message == (
        f"t.csv line 2, column 'y': {said}. Name the column to predict, or give rows with other "
        "labels\n"
    )


def test_a_model_that_says_the_same_of_every_row_is_not_approved(evaluated: Evaluated) -> None:
    """Its mean is that of the test rows, so that r2 is 0 to the bit."""
    train_rows = [f"{n % 2},1.{n % 3},a\n" for n in range(40)]
    settings = {"objective": "reg:squarederror", "min_child_weight": "1000"}
    decision, _ = evaluated(
        csv([f"{n % 2},2.{n % 7},a\n" for n in range(40)]), csv(train_rows), settings
    )
    assert decision["value"] == 0
    assert (decision["verdict"], decision["gate"]) == ("Rejected", "r2>0")
    assert decision["reason"] == (
        "The r2 of 0.0 is not above 0.0, which a constant prediction would give"
    )
