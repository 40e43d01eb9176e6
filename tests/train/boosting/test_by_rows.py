"""What rows decide where nobody has set it: bins of wide tables, boosters made at a time."""

import numpy as np
import pytest

from sagetree.machine.cores import usable_cores
from sagetree.train.boosting.by_rows import THREADED_CELLS, bins_of_wide, boosters_at_once
from sagetree.train.examples.examples import Examples
from sagetree.train.hosts.group import ONE
from sagetree.train.settings.settings import TrainSettings
from tests.train.conftest import Job, lines

TOLD = "Few rows have many columns: max_bin is 32 in place of 256. Set max_bin to have another\n"


@pytest.mark.parametrize(
    ("given", "rows", "features", "bins"),
    [
        ({}, 150, 15_000, 37),
        ({}, 10, 501, 32),
        ({}, 1023, 501, 255),
        ({}, 1024, 15_000, None),
        ({}, 150, 500, None),
        ({"max_bin": "256"}, 150, 15_000, None),
        ({"preset": "xgboost"}, 150, 15_000, None),
        ({"tree_method": "exact"}, 150, 15_000, None),
        ({"tree_method": "approx"}, 150, 15_000, None),
        ({"booster": "gblinear"}, 150, 15_000, None),
        ({"booster": "dart"}, 150, 15_000, 37),
    ],
)
def test_few_rows_of_many_features_have_four_rows_a_bin(
    given: dict[str, str], rows: int, features: int, bins: int | None
) -> None:
    settings = TrainSettings.of({"target": "y", **given}).boosting
    found = bins_of_wide(settings, settings.params, rows, features)
    assert found == ({} if bins is None else {"max_bin": bins})


@pytest.mark.parametrize(
    ("columns", "given", "is_told"),
    [(501, {}, True), (500, {}, False), (501, {"max_bin": 9}, False)],
)
def test_a_job_on_a_wide_table_has_the_fewer_bins(
    job: Job, columns: int, given: dict[str, object], is_told: bool
) -> None:
    x = np.random.default_rng(0).normal(size=(60, columns)).round(3)
    lines = [",".join(["y", *(f"x{place}" for place in range(columns))])]
    lines += [f"{int(row[0] > 0)}," + ",".join(map(str, row)) for row in x.tolist()]
    settings = {"num_round": "1", "max_depth": "1", "nfold": "2", **given}
    ran = job({"train": "\n".join(lines)}, settings)
    assert ran.code == 0, ran.log
    assert (TOLD in ran.log) == is_told


@pytest.mark.parametrize(
    ("given", "rows", "are_several"),
    [
        ({}, 200, True),
        ({"device": "cpu"}, 200, True),
        ({"nthread": 2}, 200, False),
        ({"device": "cuda"}, 200, False),
        ({}, THREADED_CELLS // 4, False),
    ],
)
def test_cores_that_a_round_leaves_idle_make_those_of_other_boosters(
    given: dict[str, object], rows: int, are_several: bool
) -> None:
    train = Examples(np.zeros((rows, 4), np.float32), np.zeros(rows, np.float32))
    assert boosters_at_once(given, train, ONE) == (usable_cores() if are_several else 1)


def test_a_model_does_not_depend_on_how_many_are_made_at_a_time(job: Job) -> None:
    given = {"subsample": "0.7", "_kfold": "3", "num_round": "20"}
    models = [
        {path.name: path.read_bytes() for path in ran.opt_ml.model.rglob("*model*")}
        for ran in (job({"train": lines()}, {**given, **one}) for one in ({}, {"nthread": "1"}))
    ]
    assert models[0] == models[1]
    assert models[0]
