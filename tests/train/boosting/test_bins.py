"""Wide tables with few rows have fewer bins, and all others XGBoost's own."""

import numpy as np
import pytest

from sagetree.train.boosting.bins import bins_of_wide
from sagetree.train.settings.settings import TrainSettings
from tests.train.conftest import Job

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
