"""A small model and rows like those it has learnt from."""

from pathlib import Path

import numpy as np
import pytest

from sagetree.train.cli import main as train

HEADER = "fraud,amount,kind\n"


def rows(count: int, seed: int) -> list[str]:
    random = np.random.default_rng(seed)
    return [
        f"{row % 4 // 3},{random.normal(row % 4 // 3):.4f},{random.choice(['a', 'b', 'N/A'])}\n"
        for row in range(count)
    ]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model folder of a small training job. Not to be changed."""
    root = tmp_path_factory.mktemp("trained")
    (root / "input" / "data" / "train").mkdir(parents=True)
    (root / "input/data/train/t.csv").write_text(HEADER + "".join(rows(400, 0)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGEMAKER_BASE_DIR", str(root))
        assert train(["--set", "num_round=20"]) == 0
    return root / "model"
