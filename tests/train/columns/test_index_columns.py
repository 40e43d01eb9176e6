"""Columns that pandas writes for an index: no label, no feature, not needed in requests."""

import io

import numpy as np
import pandas as pd
import pytest

from sagetree.serve.bodies.csv_body import decode_csv
from sagetree.serve.bodies.hints import Hints
from sagetree.serve.bodies.parquet_body import decode_parquet
from tests.train.conftest import Job, Ran


@pytest.fixture
def job(quick_job: Job) -> Job:
    return quick_job


VALUE = {"objective": "reg:squarederror", "preset": "xgboost"}
INDEXED = ",price,a\n" + "".join(f"{i},{100 + i % 5 * 10},{i % 5}\n" for i in range(40))


def frame() -> pd.DataFrame:
    """A frame sorted by its label, so that its index (of no even steps) is a perfect feature."""
    random = np.random.default_rng(4)
    noisy = random.normal(size=200)
    label = (noisy + random.normal(size=200) > 0).astype(int)
    data = pd.DataFrame({"y": label, "a": noisy.round(3), "b": random.normal(size=200).round(3)})
    return data.sort_values("y").set_index(np.r_[1, 0, 2:200])


def parquet(data: pd.DataFrame) -> bytes:
    sink = io.BytesIO()
    data.to_parquet(sink)
    return sink.getvalue()


def scores(ran: Ran, data: pd.DataFrame, *, index: bool) -> dict[str, np.ndarray]:
    """The scores of requests with and without an index, as CSV and as Parquet."""
    model = ran.model
    hints = Hints(model.schema, {})
    sink = io.BytesIO()
    (data if index else data.reset_index(drop=True)).to_parquet(sink)
    bodies = {
        "csv": decode_csv(data.to_csv(index=index).encode(), hints),
        "parquet": decode_parquet(sink.getvalue(), hints),
    }
    return {how: np.concatenate([model.score(t) for t in body]) for how, body in bodies.items()}


def test_a_column_without_a_name_is_not_the_label(job: Job) -> None:
    ran = job({"train": INDEXED}, VALUE)
    assert ran.code == 0, ran.log
    assert "40 rows; label price: 100 to 140, mean 120" in ran.log
    kinds = {column.name: column.kind for column in ran.model.schema.columns}
    assert kinds == {"Unnamed: 0": "identifier", "a": "number"}


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "__index_level_0__"])
@pytest.mark.parametrize("place", [0, pytest.param(1, marks=pytest.mark.long), 2])
def test_an_index_is_no_feature_wherever_it_stands(job: Job, name: str, place: int) -> None:
    data = frame()
    data.insert(place, name, data.index)
    ran = job({"train": data.to_csv(index=False)}, {"preset": "xgboost"})
    assert ran.code == 0, ran.log
    assert ran.model.schema.input_names == ("a", "b")
    assert ran.model.schema.label
    assert ran.model.schema.label.name == "y"


@pytest.mark.parametrize(
    ("cell", "kind", "distinct"),
    [("{0}", "number", 5), ("{0}.5", "number", 5), ("v{0}", "category", 5)],
)
def test_a_column_without_a_name_that_repeats_values_is_doubted(
    job: Job, cell: str, kind: str, distinct: int
) -> None:
    """A forgotten name in the middle of a header cost a model its best column without a word."""
    rows = "".join(f"{i % 5},{i % 7},{cell.format(i % 5)}\n" for i in range(70))
    ran = job({"train": "price,a,\n" + rows}, VALUE)
    assert ran.code == 0, ran.log
    doubt = (
        "Column 'Unnamed: 2' has no name and is left out as the index of a data frame, but its 70 "
        f"values are only {distinct} different ones: if it is more than an index, name it, or set "
    )
    assert f'{doubt}column_types={{"Unnamed: 2": "{kind}"}}\n' in ran.log
    declared = job({}, {**VALUE, "column_types": f'{{"Unnamed: 2": "{kind}"}}'})
    assert declared.code == 0, declared.log
    assert "has no name" not in declared.log
    assert declared.model.schema.input_names == ("a", "Unnamed: 2")
    assert "has no name" not in job({"train": INDEXED}, VALUE).log


@pytest.mark.parametrize("index", [False, True])
def test_requests_may_hold_the_index_and_need_not(job: Job, index: bool) -> None:
    data = frame()
    rows = data[["a", "b"]]
    ran = job({"train": {"t.parquet": parquet(data)}}, {"preset": "xgboost"})
    assert ran.code == 0, ran.log
    assert ran.model.schema.all_names == ("a", "b", "__index_level_0__")
    assert ran.model.schema.input_names == ("a", "b")
    if index:
        rows = rows.rename_axis("__index_level_0__")
    found = scores(ran, rows, index=index)
    plain = job({"train": data.to_csv(index=False)}, {"preset": "xgboost"})
    expected = scores(plain, data[["a", "b"]], index=False)["csv"]
    for how in found:
        np.testing.assert_array_equal(found[how], expected, how)


def test_an_index_with_a_name_is_restored_from_parquet(job: Job) -> None:
    data = frame().rename_axis("when")
    first = data.reset_index().set_index("when")
    files = {"t.parquet": parquet(first)}
    ran = job({"train": files, "validation": files}, {"preset": "xgboost"})
    assert ran.failure.startswith("column 'when': 200 keys are both in train and in validation")
    files = {"t.parquet": parquet(first.rename(lambda row: row // 2))}
    ran = job({"train": files, "validation": files}, {"preset": "xgboost"})
    assert ran.code == 0, ran.log
    assert ran.model.schema.input_names == ("a", "b")


def test_settings_may_say_what_an_index_is(job: Job) -> None:
    data = frame().set_index("y")
    ran = job({"train": {"t.parquet": parquet(data)}}, {"preset": "xgboost", "target": "y"})
    assert ran.code == 0, ran.log
    assert ran.model.schema.input_names == ("a", "b")
    kinds = {"column_types": '{"Unnamed: 0": "number"}'}
    (ran.opt_ml.data / "train" / "t.parquet").unlink()
    ran = job({"train": INDEXED}, VALUE | kinds)
    assert ran.code == 0, ran.log
    assert ran.model.schema.input_names == ("Unnamed: 0", "a")


def test_an_index_that_training_had_not_is_left_out_of_parquet(job: Job) -> None:
    data = frame()
    channels = {
        "train": {"t.csv": data.to_csv(index=False)},
        "validation": {"t.parquet": parquet(data)},
    }
    ran = job(channels, {"preset": "xgboost"})
    assert ran.code == 0, ran.log
    found = scores(ran, data[["a", "b"]], index=False)
    hints = Hints(ran.model.schema, {})
    (table,) = decode_parquet(parquet(data[["a", "b"]]), hints)
    np.testing.assert_array_equal(ran.model.score(table), found["csv"])


def test_a_first_column_of_keys_is_refused_as_the_label(job: Job) -> None:
    text = INDEXED.replace(",price", "policy_id,price", 1)
    assert job({"train": text}, VALUE).failure == (
        "column 'policy_id': the first column is taken for the label, but it only numbers rows: "
        "its values are whole numbers, each of them once. Name the label column with target\n"
    )
    assert job({}, VALUE | {"target": "price"}).code == 0
    assert job({}, VALUE | {"target": "policy_id"}).code == 0


def test_a_class_for_each_row_is_refused(job: Job) -> None:
    text = "name,a\n" + "".join(f"n{i},{i}\n" for i in range(30))
    settings = {"objective": "multi:softprob"}
    assert job({"train": text}, settings).failure == (
        "column 'name': the label has 30 classes ('n0', 'n1', 'n10', ...) in 30 rows: no two rows "
        "are alike. Name the label column with target; it is 'name' now\n"
    )
