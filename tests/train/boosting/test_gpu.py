"""What a GPU trains is what the CPU trains, but for the order of float sums."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sagetree.bundle.model import Model
from sagetree.tables.table import Source, Table
from tests.needs import needs_gpu
from tests.train.conftest import Job, lines

pytestmark = needs_gpu

# Which rows and columns are drawn differs between the two, so none are drawn but in one way.
TREES = {"num_round": "20", "max_depth": "4", "subsample": "1", "colsample_bytree": "1"}
WAYS = {
    "hist": {},
    "approx": {"tree_method": "approx"},
    "gpu_hist": {"tree_method": "gpu_hist"},
    "one-hot": {"encoding": "onehot"},
    "dart": {"booster": "dart", "rate_drop": "0.2"},
    "lossguide": {"grow_policy": "lossguide", "max_leaves": "12"},
    "sampled": {"subsample": "0.7", "sampling_method": "gradient_based"},
    "monotone": {"monotone_constraints": '{"amount": 1}'},
    "depth search": {"max_depth": None},
    "ensemble": {"_kfold": "3"},
}


def test_two_classes(job: Job, subtests: pytest.Subtests) -> None:
    for way, given in WAYS.items():
        with subtests.test(way):
            settings = {name: text for name, text in (TREES | given).items() if text is not None}
            cpu, gpu = (_scores(job, settings, device) for device in ("cpu", "cuda"))
            assert np.abs(cpu - gpu).mean() < 0.01
            assert np.corrcoef(cpu, gpu)[0, 1] > 0.98


@pytest.mark.parametrize(
    ("objective", "more"),
    [
        ("reg:squarederror", {}),
        ("reg:absoluteerror", {}),
        ("reg:tweedie", {"tweedie_variance_power": "1.3"}),
        ("count:poisson", {}),
        ("multi:softprob", {"num_class": "2"}),
    ],
)
def test_other_objectives(job: Job, objective: str, more: dict[str, str]) -> None:
    settings = TREES | {"objective": objective} | more
    cpu, gpu = (_scores(job, settings, device) for device in ("cpu", "cuda"))
    assert np.corrcoef(cpu.ravel(), gpu.ravel())[0, 1] > 0.98


def test_a_job_goes_on_from_a_checkpoint(job: Job, tmp_path: Path) -> None:
    settings = TREES | {"device": "cuda", "checkpoint_interval": "5"}
    channels = {"train": lines(2000), "validation": lines(400, seed=1)}
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    (tmp_path / "input" / "config").mkdir(parents=True)
    (tmp_path / "input" / "config" / "checkpointconfig.json").write_text(
        f'{{"LocalPath": "{folder}"}}'
    )
    first = job(channels, settings)
    assert first.code == 0, first.log
    assert [*folder.iterdir()]
    again = job(channels, settings)
    assert again.code == 0, again.log


def _scores(job: Job, settings: dict[str, str], device: str) -> NDArray[np.float32]:
    ran = job(
        {"train": lines(2000), "validation": lines(400, seed=1)}, settings | {"device": device}
    )
    assert ran.code == 0, ran.log
    model: Model = ran.model
    names = model.schema.all_names
    rows = [line.split(",") for line in lines(500, seed=2).splitlines()[1:]]
    columns = [[*cells] for cells in zip(*rows, strict=True)][1:]
    table = Table(names, tuple(columns), len(rows), True, (Source(len(rows)),))
    return np.asarray(model.score(table))
