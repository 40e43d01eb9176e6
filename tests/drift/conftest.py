"""A small model, and the folder that its training wrote to."""

from pathlib import Path

import pytest

from sagetree.bundle.bundle import ModelBundle
from sagetree.bundle.model import Model
from sagetree.train.cli import main as train
from tests.drift.watched import COLUMNS, LABEL, ROWS, rows, text


@pytest.fixture(scope="package")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("trained")
    (root / "input/data/train").mkdir(parents=True)
    (root / "input/data/train/t.csv").write_text(text(rows(ROWS, 0), (LABEL, *COLUMNS)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGEMAKER_BASE_DIR", str(root))
        assert train(["--set", "num_round=15", "--set", "report=false"]) == 0
    return root / "model"


@pytest.fixture(scope="package")
def model(trained: Path) -> Model:
    return Model.load(trained)


@pytest.fixture(scope="package")
def bundle(trained: Path) -> ModelBundle:
    return ModelBundle.load(trained)
