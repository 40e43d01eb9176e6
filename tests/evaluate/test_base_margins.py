"""Rows with base margins are measured from them, as they are scored."""

import json
from pathlib import Path

import numpy as np
import pytest

from sagetree.bundle.model import Model
from sagetree.evaluate.cli import main as evaluate
from sagetree.machine.paths import OptMl
from sagetree.train.cli import main as train
from tests.sagetree.models import table_of

_RANDOM = np.random.default_rng(2)
_X, _M, _N = _RANDOM.normal(size=(3, 200)).round(3)
_Y = (2 * _X + _M).round(3)
COLUMNS = {"y": _Y, "x": _X, "m": _M, "n": _N}


def csv(*names: str) -> str:
    rows = zip(*(COLUMNS[name] for name in names), strict=True)
    return ",".join(names) + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)


@pytest.fixture
def opt_ml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OptMl:
    """The folders of a processing job; the model's too, which it still lacks."""
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    here = OptMl(tmp_path)
    for folder in (here.processing / "test", here.data / "train", here.config):
        folder.mkdir(parents=True)
    return here


def learn(opt_ml: OptMl, **settings: str) -> Model:
    (opt_ml.data / "train" / "t.csv").write_text(csv(*COLUMNS))
    opt_ml.hyperparameters.write_text(json.dumps({"num_round": "20", "nfold": "2", **settings}))
    assert train([]) == 0
    opt_ml.model.rename(opt_ml.processing / "model")
    return Model.load(opt_ml.processing / "model")


def measured(opt_ml: OptMl, text: str) -> float:
    (opt_ml.processing / "test" / "t.csv").write_text(text)
    assert evaluate([]) == 0
    found = json.loads((opt_ml.processing / "evaluation" / "evaluation.json").read_text())
    return float(found["regression_metrics"]["mse"]["value"])


def test_rows_are_measured_from_their_base_margins(
    opt_ml: OptMl, capsys: pytest.CaptureFixture[str]
) -> None:
    model = learn(opt_ml, objective="reg:squarederror", base_margin_column="m")
    columns = {name: COLUMNS[name].tolist() for name in ("x", "m", "n")}
    squares = (_Y - model.score(table_of(columns))) ** 2
    capsys.readouterr()
    assert measured(opt_ml, csv("y", "n", "m", "x")) == pytest.approx(squares.mean(), rel=1e-5)
    assert "have no" not in capsys.readouterr().out
    del columns["m"]
    squares = (_Y - model.score(table_of(columns))) ** 2
    assert measured(opt_ml, csv("y", "n", "x")) == pytest.approx(squares.mean(), rel=1e-5)
    assert (
        "WARNING: the rows have no base margin ('m'): every score starts from 0\n"
        in capsys.readouterr().out
    )


def test_some_of_the_base_margins_are_not_enough(opt_ml: OptMl) -> None:
    quantiles = {"objective": "reg:quantileerror", "quantile_alpha": "[0.2, 0.8]"}
    learn(opt_ml, base_margin_column="m,n", **quantiles)
    (opt_ml.processing / "test" / "t.csv").write_text(csv("y", "x", "m"))
    assert evaluate([]) == 1
    assert opt_ml.message.read_text() == (
        "t.csv line 2: the base margin 'n' is missing. Give all of them, or none: 'm', 'n'\n"
    )


def test_an_empty_base_margin_is_refused(opt_ml: OptMl) -> None:
    learn(opt_ml, objective="reg:squarederror", base_margin_column="m")
    text = csv("y", "x", "m", "n")
    (opt_ml.processing / "test" / "t.csv").write_text(text + "1,2,,3\n")
    assert evaluate([]) == 1
    assert opt_ml.message.read_text() == (
        "t.csv line 202, column 'm': the base margin is empty. Every base margin must be a number\n"
    )
