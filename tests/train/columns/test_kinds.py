"""What a column is: identifiers, large numbers, and what the log says about them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from sagetree.boosters.objectives import objective_of
from sagetree.boosters.scoring import Scores
from sagetree.tables.cells import Cell
from sagetree.tables.table import Source, Table
from sagetree.train.columns.labels import Goal
from sagetree.train.columns.plan import facts_of, fit_plan
from sagetree.train.settings.settings import TrainSettings
from tests.train.conftest import Job, Ran


@pytest.fixture
def job(quick_job: Job) -> Job:
    return quick_job


ROWS = 60


def csv(header: str, *columns: object) -> str:
    return "\n".join([header, *(",".join(map(str, row)) for row in zip(*columns, strict=True))])


def kinds(ran: Ran) -> dict[str, str]:
    return {column.name: column.kind for column in ran.model.schema.columns}


def scores(ran: Ran, columns: Mapping[str, Sequence[Cell]]) -> Scores:
    cells = [list(column) for column in columns.values()]
    rows = len(cells[0])
    return ran.model.score(Table(tuple(columns), tuple(cells), rows, True, (Source(rows),)))


LABELS = [int(i >= ROWS // 2) for i in range(ROWS)]
NOISE = [i * 7 % 5 for i in range(ROWS)]
SORTED = {
    "income": [1000 + 137 * i + i % 7 for i in range(ROWS)],
    "year": [1960 + i for i in range(ROWS)],
    "logged": [1_700_000_000 + 61 * i for i in range(ROWS)],
    "score": [300 + i for i in range(ROWS)],
    "postal_key": [98000 + 3 * i for i in range(ROWS)],
}


@pytest.mark.parametrize("order", ["sorted", "shuffled"])
def test_the_order_of_rows_does_not_decide_whether_a_column_is_learnt_from(
    job: Job, order: str
) -> None:
    rows = np.arange(ROWS) if order == "sorted" else np.random.default_rng(0).permutation(ROWS)
    columns = {name: np.array(column)[rows].tolist() for name, column in SORTED.items()}
    labels = np.array(LABELS)[rows].tolist()
    header = ",".join(["y", *columns, "b"])
    ran = job({"train": csv(header, labels, *columns.values(), NOISE)}, {"num_round": "30"})
    assert ran.code == 0, ran.log
    assert kinds(ran) == dict.fromkeys([*columns, "b"], "number")
    assert roc_auc_score(labels, scores(ran, {**columns, "b": NOISE})) > 0.99


def test_row_numbers_that_tell_nothing_are_left_out_in_any_order(job: Job) -> None:
    random = np.random.default_rng(0)
    labels = random.permutation(LABELS)
    columns = {f"row{i}": random.permutation(ROWS) + i % 2 for i in range(10)}
    header = ",".join(["y", *columns, "b"])
    ran = job({"train": csv(header, labels, *columns.values(), NOISE)})
    assert kinds(ran) == {**dict.fromkeys(columns, "identifier"), "b": "number"}
    assert "tells something" not in ran.log


@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob", "reg:squarederror"])
@pytest.mark.parametrize("tells", [False, True])
def test_a_column_named_as_a_key_is_one_unless_it_tells_of_the_label(
    job: Job, objective: str, tells: bool
) -> None:
    classes = {"binary:logistic": 2, "multi:softprob": 3, "reg:squarederror": ROWS}[objective]
    labels = np.arange(ROWS) * classes // ROWS
    keys = 5000 + 7 * np.arange(ROWS)
    if not tells:
        keys = np.random.default_rng(3).permutation(keys)
    ran = job({"train": csv("y,policy_id,b", labels, keys, NOISE)}, {"objective": objective})
    assert ran.code == 0, ran.log
    assert kinds(ran)["policy_id"] == ("number" if tells else "identifier")
    said = "variance) and is taken as a number, though it may only number the rows: if so, list it"
    assert (said in ran.log) is tells


def test_an_index_of_a_frame_is_left_out_and_what_it_tells_is_said(job: Job) -> None:
    files = {"train": csv("y,Unnamed: 0,b", LABELS, range(ROWS), NOISE)}
    said = (
        "Column 'Unnamed: 0' tells something about the label (92% of its variance) and is left "
        "out as the index of a data frame: if it is more than that, set "
        'column_types={"Unnamed: 0": "number"}\n'
    )
    ran = job(files)
    assert kinds(ran) == {"Unnamed: 0": "identifier", "b": "number"}
    assert said in ran.log
    assert said in job(files, arguments=["--check"]).log
    ran = job(files, {"column_types": '{"Unnamed: 0": "number"}'})
    assert kinds(ran)["Unnamed: 0"] == "number"
    assert "tells something" not in ran.log


MERGED = {
    "days": [20180131 + i % 2 for i in range(ROWS)],
    "milliseconds": [1_700_000_000_000 + 500 * (i % 2) for i in range(ROWS)],
    "keys": [2**24 + 1 - i % 2 for i in range(ROWS)],
    "below zero": [-(2**40) - 3 * (i % 2) for i in range(ROWS)],
    "fractions": [1e6 + (i % 2) / 1000 for i in range(ROWS)],
    "text": [f" {20180131 + i % 2}.0 " for i in range(ROWS)],
}


@pytest.mark.parametrize("declared", [{}, {"column_types": '{"x": "number"}'}])
def test_numbers_that_float32_merges_are_told_apart(job: Job, declared: dict[str, str]) -> None:
    labels = [i % 2 for i in range(ROWS)]
    ran = job({"train": csv("y,x,b", labels, MERGED["days"], NOISE)}, declared)
    assert ran.code == 0, ran.log
    assert "cannot tell apart" not in ran.log
    assert roc_auc_score(labels, scores(ran, {"x": MERGED["days"], "b": NOISE})) == 1.0


def test_numbers_are_told_apart_however_they_are_written(job: Job) -> None:
    labels = [i % 2 for i in range(ROWS)]
    ran = job({"train": csv(",".join(["y", *MERGED]), labels, *MERGED.values())})
    assert ran.code == 0, ran.log
    assert "cannot tell apart" not in ran.log
    for feature in ran.model.features.features:
        cells: list[Cell] = list(MERGED[feature.column])
        values, misfits = feature.encode(cells, ran.model.features.missing)
        assert misfits == []
        assert np.unique(values.astype(np.float32)).size == 2, feature.column
    assert len(ran.model.features.features) == len(MERGED)


def test_histograms_of_training_hold_the_users_own_numbers(job: Job) -> None:
    ran = job({"train": csv("y,x,b", [i % 2 for i in range(ROWS)], MERGED["days"], NOISE)})
    assert ran.model.baseline.features[0].edges == (20180131.5,)


def test_the_numbers_of_preset_xgboost_are_xgboosts_and_what_that_loses_is_said(job: Job) -> None:
    labels = [i % 2 for i in range(ROWS)]
    files = {"train": csv("y,x,b", labels, MERGED["days"], NOISE)}
    ran = job(files, {"preset": "xgboost"})
    assert ran.model.features.features[0].kind == "number"
    assert (
        "Column 'x' has numbers that XGBoost cannot tell apart: 2 different ones become 1. List it "
        "in categorical_columns if they are codes\n"
    ) in ran.log


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0, 2**40, 2**40 + 1], "3 different ones become 2"),
        ([2**60 + 64 * (i % 5) for i in range(10)], "those beyond 2^53 are rounded"),
    ],
)
def test_numbers_that_no_shift_keeps_apart_are_a_warning(
    job: Job, values: list[int], said: str
) -> None:
    cells = [values[i % len(values)] for i in range(ROWS)]
    ran = job({"train": csv("y,x,b", LABELS, cells, NOISE)})
    assert f"Column 'x' has numbers that XGBoost cannot tell apart: {said}. List it" in ran.log


def test_measurements_get_no_shift_and_no_warning(job: Job) -> None:
    random = np.random.default_rng(0)
    values = 1e9 * random.normal(size=ROWS)
    ran = job({"train": csv("y,x,b", LABELS, values, NOISE)})
    assert ran.model.features.features[0].kind == "number"
    assert "cannot tell apart" not in ran.log


def test_a_column_left_out_keeps_what_its_cells_look_like(job: Job) -> None:
    lines = "".join(f"{i % 2},K{i:04d},{i},{i % 7 / 8},5\n" for i in range(40))
    ran = job({"train": "y,code,id,x,k\n" + lines}, {"preset": "xgboost"})
    assert ran.code == 0, ran.log
    seen = {c.name: (c.kind, c.forms, c.low, c.high) for c in ran.model.schema.columns}
    assert seen == {
        "code": ("identifier", ("A9",), None, None),
        "id": ("identifier", ("9",), None, None),
        "x": ("number", (), 0.0, 0.75),
        "k": ("constant", ("9",), None, None),
    }


ALONE = (
    "Column 'name' is left out: 95.0% of its rows have a text of their own, which identifies rows "
    "and says nothing about others. Set categorical_columns to keep it\n"
)


@pytest.mark.parametrize("objective", ["binary:logistic", "reg:squarederror"])
def test_words_of_nearly_every_row_are_left_out_and_said(job: Job, objective: str) -> None:
    names = [f"n{'x' if i < 3 else i}" for i in range(ROWS)]
    table = {"train": csv("y,name,b", LABELS, names, NOISE)}
    settings = {"objective": objective, "max_depth": "2"}
    ran = job(table, settings)
    assert ALONE in ran.log
    assert kinds(ran) == {"name": "identifier", "b": "number"}
    kept = job(table, {**settings, "categorical_columns": "name"})
    assert ALONE not in kept.log
    assert kinds(kept)["name"] == "category"


@pytest.mark.parametrize(("alone", "kind"), [(53, "category"), (54, "identifier")])
def test_words_that_rows_share_are_categories(alone: int, kind: str) -> None:
    names = [f"n{i}" if i < alone else "same" for i in range(ROWS)]
    cells = {"y": LABELS, "name": names, "b": NOISE}
    table = Table(
        tuple(cells),
        tuple(pa.chunked_array([pa.array(column)]) for column in cells.values()),
        ROWS,
        True,
        (Source(ROWS),),
    )
    columns = TrainSettings.of({}).columns
    plan = fit_plan(facts_of(table, columns), columns, Goal(objective_of("binary:logistic")))
    assert plan.schema.columns[0].kind == kind


def test_missing_words_are_no_row_of_their_own(job: Job) -> None:
    """Whether there is a cabin tells something, though each of them has one passenger."""
    cabins = [f"C{i}" if i % 2 else "" for i in range(ROWS)]
    ran = job({"train": csv("y,cabin,b", LABELS, cabins, NOISE)}, {"max_depth": "2"})
    assert kinds(ran)["cabin"] == "category"
