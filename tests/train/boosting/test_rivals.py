"""What a job tries in the place of the preset's, at the best depth, and where it takes it."""

import re
from pathlib import Path

import numpy as np
import pytest

from sagetree.bundle.bundle import ModelBundle
from sagetree.errors import SettingsError
from sagetree.train.boosting.checkpoints import Checkpoints
from sagetree.train.boosting.plan import RunOptions
from sagetree.train.settings.checkpoint_files import fingerprint
from sagetree.train.settings.settings import Checkpointing, TrainSettings
from sagetree.train.tuning.course import default_settings
from tests.train.boosting.test_depths import planned, trained
from tests.train.conftest import Job

CLASSES, NUMBERS = {"objective": "multi:softprob"}, {"objective": "reg:squarederror"}
OF_CLASSES = {"min_child_weight": 0.1, "colsample_bytree": 0.5}
OF_NUMBERS = {"max_cat_to_onehot": 4}


def written(names: list[str], *columns: np.ndarray) -> str:
    rows = (",".join(map(str, row)) for row in zip(*columns, strict=True))
    return "\n".join([",".join(names), *rows, ""])


def alike(rows: int) -> str:
    """A table of three classes that each of twelve columns says, with some noise."""
    random = np.random.default_rng(0)
    labels = random.integers(3, size=rows)
    columns = (labels + random.normal(scale=0.7, size=(12, rows))).round(2)
    names = ["y", *(f"c{n}" for n in range(12))]
    return written(names, np.array(["a", "b", "c"])[labels], *columns)


def together(rows: int) -> str:
    """A table of four classes that two columns say only together."""
    random = np.random.default_rng(0)
    one, two = random.normal(size=(2, rows)).round(2)
    labels = 2 * (one > two) + (one + two > 0)
    return written(["y", "one", "two"], np.array(["a", "b", "c", "d"])[labels], one, two)


def of_categories(rows: int, many: int) -> str:
    """A table of numbers; half of `many` categories raise each."""
    random = np.random.default_rng(0)
    codes = random.integers(many, size=rows)
    other, noise = random.normal(size=(2, rows)).round(2)
    return written(
        ["y", "kind", "other"],
        (codes % 2 * 3 * (other > 0) + noise).round(2),
        np.array([f"k{n}" for n in range(many)])[codes],
        other,
    )


@pytest.mark.parametrize(
    ("texts", "rival"),
    [
        (CLASSES, OF_CLASSES),
        ({"objective": "multi:softmax"}, OF_CLASSES),
        ({**CLASSES, "colsample_bytree": "0.9"}, {"min_child_weight": 0.1}),
        ({**CLASSES, "max_depth": "4"}, {}),
        ({**CLASSES, "preset": "xgboost"}, {}),
        ({**CLASSES, "booster": "dart"}, {}),
        (NUMBERS, OF_NUMBERS),
        ({"objective": "count:poisson"}, OF_NUMBERS),
        ({**NUMBERS, "max_cat_to_onehot": "9"}, {}),
        ({"objective": "binary:logistic"}, {}),
        ({"objective": "rank:ndcg"}, {}),
    ],
)
def test_a_rival_is_of_what_nobody_has_set(texts: dict[str, str], rival: dict[str, float]) -> None:
    assert TrainSettings.of(texts).boosting.rival == rival


def test_sure_rows_of_columns_that_are_alike_take_the_rival(job: Job) -> None:
    given = {"target": "y", "nfold": 2, "num_round": 60, "eta": 0.2, **CLASSES}
    ran = job({"train": alike(150)}, given)
    assert ran.code == 0, ran.log
    assert re.search(
        r"^max_depth=\d, min_child_weight=0\.1, colsample_bytree=0\.5 are chosen: mlogloss of the "
        r"held-out rows of 2 of 2 folds is .* at 4, \S+ at \d \(min_child_weight=0\.1, "
        r"colsample_bytree=0\.5\)$",
        ran.log,
        re.M,
    ), ran.log
    origin = ModelBundle.load(ran.opt_ml.model).origin
    assert origin is not None
    assert origin.chosen == OF_CLASSES
    assert origin.max_depth in (2, 4)


def test_columns_that_only_tell_together_keep_the_preset() -> None:
    found = trained(together(200), RunOptions(), nfold="2", num_round="60", **CLASSES)
    assert set(found.chosen) == {"max_depth"}


def test_categories_of_many_rows_are_parted_by_their_means() -> None:
    text = of_categories(800, 24)
    found = trained(text, RunOptions(), nfold="2", num_round="60", **NUMBERS)
    assert found.chosen == {"max_depth": found.chosen["max_depth"], **OF_NUMBERS}


def test_where_it_makes_no_difference_no_rival_is_tried() -> None:
    for many, rival in ((3, {}), (4, OF_NUMBERS)):
        assert planned(of_categories(100, many), RunOptions(), **NUMBERS)[0].rival == rival
    assert planned(together(50), RunOptions(), **CLASSES)[0].rival == OF_CLASSES


def test_a_search_begins_with_rivals_too() -> None:
    for given, text, rival in (
        (NUMBERS, of_categories(100, 4), OF_NUMBERS),
        (CLASSES, together(50), OF_CLASSES),
    ):
        tuning = TrainSettings.of({**given, "tune": "2"}).tuning
        assert tuning is not None
        plan, _ = planned(text, RunOptions(), **given)
        found = default_settings(tuning, plan, has_encoding=False)
        usual, rivals = found[:3], found[3:]
        assert [settings["max_depth"] for settings in usual] == [4, 2, 6]
        assert rivals == tuple({**settings, **rival} for settings in usual)


def test_checkpoints_of_a_rival_are_its_own(tmp_path: Path) -> None:
    settings = Checkpointing(rounds=50, seconds=60, kept=1, save_on_termination=True)
    given = {"nfold": "2", "num_round": "60", "eta": "0.2"}
    mark = fingerprint(TrainSettings.of({**given, **CLASSES}), {})
    kept = Checkpoints.open(tmp_path, mark, settings)
    options = RunOptions(checkpoints=kept.phase)
    first = trained(alike(150), options, **given, **CLASSES)
    assert set(first.chosen) == {"max_depth", *OF_CLASSES}
    depth = first.chosen["max_depth"]
    names = {path.name.rpartition(".")[0] for path in tmp_path.iterdir()}
    phases = ["trial-depth-4", "trial-depth-2"]
    phases += [f"{phase}-depth-{depth}-rival" for phase in ("trial", "folds", "all-rows")]
    assert names == {f"sagetree-checkpoint-{phase}" for phase in phases}
    again = trained(alike(150), options, **given, **CLASSES)
    assert (again.models, again.chosen) == (first.models, first.chosen)


def test_checkpoints_of_a_rival_are_none_of_what_is_given() -> None:
    open_ = fingerprint(TrainSettings.of(CLASSES), {})
    given = fingerprint(TrainSettings.of({**CLASSES, "colsample_bytree": "0.8"}), {})
    with pytest.raises(
        SettingsError, match=r"colsample_bytree was 'chosen by the job' and is '0\.8'"
    ):
        given.check(open_, Path("folder"))
