"""The whole command on rows like training's: models of both kinds of scores, few rows and many."""

from pathlib import Path

import pytest

from sagetree.drift.cli import main
from sagetree.train.cli import main as train
from tests.drift.watched import COLUMNS, LABEL, rows, text

# Rows of training, and captured.
TRAINED, CAPTURED = (200, 600, 3000), (30, 300, 6000)


def trained(folder: Path, count: int, seed: int, target: str) -> Path:
    """A model of the label, or of the amount, which is a number."""
    (folder / "input/data/train").mkdir(parents=True)
    columns = (target, *(name for name in (LABEL, *COLUMNS) if name != target))
    (folder / "input/data/train/t.csv").write_text(text(rows(count, seed), columns))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGEMAKER_BASE_DIR", str(folder))
        options = {"target": target, "num_round": "60", "report": "false"}
        arguments = [w for pair in options.items() for w in ("--set", "=".join(pair))]
        assert train(arguments) == 0
    return folder / "model"


@pytest.mark.long
@pytest.mark.parametrize("target", [LABEL, "amount"])
@pytest.mark.parametrize("count", TRAINED)
def test_rows_like_trainings_are_no_drift(target: str, count: int, tmp_path: Path) -> None:
    """Of 27 runs one in a hundred may be an alarm; two would be less likely than one in 30."""
    codes = []
    for seed in range(3):
        model = trained(tmp_path / str(seed), count, seed, target)
        for number, size in enumerate(CAPTURED):
            table = tmp_path / "captured.csv"
            table.write_text(text(rows(size, 100 * seed + number + 7), (LABEL, *COLUMNS)))
            out = ["--labels", str(table), "--out", str(tmp_path / "out")]
            codes.append(main(["--model", str(model), str(table), *out]))
    assert sorted(codes)[:-1] == [0] * 8, codes
