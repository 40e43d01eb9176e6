"""Numbers and dates as people write them: read where the whole column agrees, else said."""

import json
from collections.abc import Callable
from datetime import date, datetime

import numpy as np
import pytest

from sagetree.bundle.bundle import FEATURES_FILE, ModelBundle
from sagetree.errors import quote
from sagetree.features.moment import Moment
from sagetree.tables.cells import Cell, NumberShape
from sagetree.train.columns.written import number_shapes
from tests.train.conftest import Job, Ran


@pytest.fixture
def job(quick_job: Job) -> Job:
    return quick_job


ROWS = 60
LABELS = np.random.default_rng(1).integers(0, 2, ROWS)


def data(cells: list[str], more: str = "") -> dict[str, str]:
    rows = [
        f'{y},"{cell}",{i * 7 % 5}' for i, (y, cell) in enumerate(zip(LABELS, cells, strict=True))
    ]
    return {"train": "\n".join(["y,x,b", *rows, *([more] if more else [])])}


def table(columns: dict[str, list[str]]) -> dict[str, str]:
    """The columns side by side, their names in quotes, before the one column of numbers."""
    names = ",".join(f'"{name}"' for name in columns)
    rows = zip(LABELS, *columns.values(), strict=True)
    return {
        "train": "\n".join(
            [f"y,{names},b"]
            + [",".join([str(y), *(f'"{c}"' for c in row), f"{i * 7 % 5}"])
               for i, (y, *row) in enumerate(rows)]
        )
    }  # fmt: skip


def typed(columns: dict[str, list[str]], kind: str) -> dict[str, str]:
    """The hyperparameter that declares all columns to be of a kind."""
    return {"column_types": json.dumps(dict.fromkeys(columns, kind))}


def features(ran: Ran, cells: list[str], place: int = 0) -> list[float]:
    """What the served model is given for a column's cells."""
    assert ran.code == 0, ran.log
    feature = ran.model.features.features[place]
    values, misfits = feature.encode([*cells], ran.model.features.missing)
    assert misfits == []
    return (values * feature.shift.scale + feature.shift.offset).tolist()


NUMBERS = [round(17.25 * i + 1000 * (i % 13), 2) for i in range(1, ROWS + 1)]


def grouped(group: str, mark: str) -> Callable[[float], str]:
    return lambda n: f"{n:,.2f}".replace(",", "g").replace(".", mark).replace("g", group)


WAYS: dict[str, Callable[[float], str]] = {
    "thousands": lambda n: f"{n:,.2f}",
    "dollars": lambda n: f"${n:,.2f}",
    "euros behind": lambda n: f"{n:.2f} €",
    "code before": lambda n: f"USD {n:,.2f}",
    "code behind": lambda n: f"{n:.2f} EUR",
    "unit": lambda n: f"{n:.2f} kg",
    "brackets": lambda n: f"({n:.2f})",
    "negative dollars": lambda n: f"-${n:,.2f}",
    "comma": grouped("", ","),
    "comma and points": grouped(".", ","),
    "comma and spaces": grouped("\u202f", ","),
    "apostrophes": grouped("'", "."),
}


@pytest.mark.parametrize("is_declared", [False, pytest.param(True, marks=pytest.mark.long)])
def test_numbers_in_one_way_of_writing_are_read(job: Job, is_declared: bool) -> None:
    columns = {way: [write(number) for number in NUMBERS] for way, write in WAYS.items()}
    ran = job(table(columns), typed(columns, "number") if is_declared else {})
    for place, (way, cells) in enumerate(columns.items()):
        sign = -1 if way in ("brackets", "negative dollars") else 1
        assert features(ran, cells, place) == [sign * number for number in NUMBERS], way
        assert f"Column '{way}' is read as numbers: {quote(max(cells, key=len))} is " in ran.log


def test_percentages_are_hundredths(job: Job) -> None:
    cells = [f"{i}.5%" for i in range(ROWS)]
    ran = job(data(cells))
    assert features(ran, cells) == [float(f"{i}.5e-2") for i in range(ROWS)]
    assert features(ran, [0.125, "0.125", "12.5 %"]) == [0.125, 0.125, 0.125]
    assert "Column 'x' is read as numbers: '10.5%' is 0.105\n" in ran.log


def test_whole_thousands_are_read(job: Job) -> None:
    numbers = [250 * i for i in range(ROWS)]
    ran = job(data([f"{n:,}" for n in numbers]))
    assert features(ran, [f"{n:,}" for n in numbers]) == numbers
    assert "Column 'x' is read as numbers: '10,000' is 10000\n" in ran.log


def test_numbers_that_may_be_either_need_the_setting(job: Job) -> None:
    cells = [f"{i},125" if i % 4 else str(2000 + i) for i in range(1, ROWS + 1)]
    ran = job(data(cells), {"column_types": '{"x": "number"}'})
    assert ran.failure.splitlines()[0] == (
        "data.csv line 2, column 'x': '1,125' and '2060' do not show which decimal mark is used. "
        "Set decimal=point or decimal=comma"
    )
    assert features(job({}, {"decimal": "point"}), cells[:4]) == [1125, 2125, 3125, 2004]
    assert features(job({}, {"decimal": "comma"}), cells[:4]) == [1.125, 2.125, 3.125, 2004]


def test_the_setting_turns_a_number_with_a_point_into_thousands(job: Job) -> None:
    cells = [f"{i}.{125 + i}" for i in range(1, ROWS + 1)]
    files = data(cells)
    ran = job(files | {"validation": files["train"]})
    assert ran.model.features.features[0].kind == "number"
    ran = job({}, {"decimal": "comma"})
    assert features(ran, cells[:2]) == [1126, 2127]
    fingerprints = ModelBundle.load(ran.opt_ml.model).data
    assert fingerprints["train"] == fingerprints["validation"]


def test_further_channels_are_read_by_the_rule_of_train(job: Job) -> None:
    train = data([f"{i}.125" if i % 2 else f"{i},5" for i in range(1, ROWS + 1)])["train"]
    header, *rows = train.splitlines()
    only_points = "\n".join([header, *rows[::2]])
    ran = job({"train": train, "validation": only_points, "test": only_points})
    feature = ran.model.features.features[0]
    assert features(ran, ["1.125"]) == [1125]
    kept = [feature.encode([row.split('"')[1]], ran.model.features.missing)[0] for row in rows[::2]]
    baseline = ran.opt_ml.model
    assert ModelBundle.load(baseline).data["validation"] == ModelBundle.load(baseline).data["test"]
    assert np.concatenate(kept).min() == 1125


def test_a_decimal_comma_refuses_a_point_at_serving(job: Job) -> None:
    ran = job(data([f"{i},5" for i in range(ROWS)]))
    feature, missing = ran.model.features.features[0], ran.model.features.missing
    values, misfits = feature.encode(["10.35", "1,5", 1.5, "", "$1"], missing)
    assert [misfit.reason for misfit in misfits] == [
        "'10.35' is not written with a decimal comma",
        "'$1' is not a number without a unit",
    ]
    np.testing.assert_array_equal(values, [np.nan, 1.5, 1.5, np.nan, np.nan])


PARTS = [(2020 + i % 4, 1 + i % 12, 1 + i % 28) for i in range(ROWS)]
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
DATE_WAYS: dict[str, Callable[[int, int, int], str]] = {
    "31/12/2020": lambda y, m, d: f"{d:02}/{m:02}/{y}",
    "12/31/2020": lambda y, m, d: f"{m}/{d}/{y}",
    "31.12.2024": lambda y, m, d: f"{d:02}.{m:02}.{y}",
    "31-Oct-2023": lambda y, m, d: f"{d}-{MONTHS[m - 1]}-{y}",
    "October 31, 2023": lambda y, m, d: f"{MONTHS[m - 1]} {d}, {y}",
    "2012/01/01": lambda y, m, d: f"{y}/{m:02}/{d:02}",
    "2024-01-01 00:00:00 UTC": lambda y, m, d: f"{y}-{m:02}-{d:02} 00:00:00 UTC",
    "1/31/2020 12:00 AM": lambda y, m, d: f"{m}/{d}/{y} 12:00 AM",
}


@pytest.mark.parametrize("is_declared", [False, pytest.param(True, marks=pytest.mark.long)])
def test_dates_in_one_shape_are_read(job: Job, is_declared: bool) -> None:
    columns = {way: [write(*parts) for parts in PARTS] for way, write in DATE_WAYS.items()}
    ran = job(table(columns), typed(columns, "datetime") if is_declared else {})
    assert ran.code == 0, ran.log
    missing = ran.model.features.missing
    iso, _ = Moment(column="x").encode([f"{y}-{m:02}-{d:02}" for y, m, d in PARTS], missing)
    moments = [one for one in ran.model.features.features if isinstance(one, Moment)]
    assert [moment.column for moment in moments] == list(columns)
    for moment, cells in zip(moments, columns.values(), strict=True):
        values, misfits = moment.encode([*cells], missing)
        assert misfits == []
        np.testing.assert_array_equal(values, iso)
        assert f"Column '{moment.column}' is read as dates: " in ran.log


def test_dates_that_may_be_either_need_the_setting(job: Job) -> None:
    cells = [f"{1 + i % 12:02}/{1 + i % 6:02}/2020" for i in range(ROWS)]
    ran = job(data(cells))
    assert ran.model.schema.columns[0].kind == "category"
    assert (
        "Column 'x' looks like dates and is taken as a category: '01/01/2020' and '12/06/2020' do "
        "not show whether day or month comes first. Set date_order=day or date_order=month\n"
    ) in ran.log
    for order, days in (("day", 31), ("month", 1)):
        ran = job({}, {"date_order": order})
        feature = ran.model.features.features[0]
        values, _ = feature.encode(["01/01/2020", "01/02/2020"], ran.model.features.missing)
        assert np.diff(values) == 86400 * days
    ran = job({}, {"column_types": '{"x": "datetime"}'})
    assert ran.failure.splitlines()[0] == (
        "data.csv line 2, column 'x': '01/01/2020' and '12/06/2020' do not show whether day or "
        "month comes first. Set date_order=day or date_order=month"
    )


def test_what_looks_like_numbers_or_dates_and_is_not_read_is_a_warning(job: Job) -> None:
    columns = {
        "money": [f"{'$€'[i % 2]}{i % 20}" for i in range(ROWS)],
        "share": [f"{i % 20}%" if i % 3 else "0.5" for i in range(ROWS)],
        "day": [f"2020/01/{1 + i % 20}" if i % 9 else "never" for i in range(ROWS)],
    }
    ran = job(table(columns))
    assert {c.name: c.kind for c in ran.model.schema.columns if c.name != "b"} == dict.fromkeys(
        columns, "category"
    )
    for name, kinds, two in (
        ("money", "numbers", "'$0' and '€1'"),
        ("share", "numbers", "'0.5' and '1%'"),
        ("day", "dates", "'2020/01/2' and 'never'"),
    ):
        said = (
            f"Column '{name}' looks like {kinds} and is taken as a category: {two} are not "
            "written in the same way. Write all cells in one way, list texts that mean no value "
            "in missing_values, "
            "or list the column in categorical_columns\n"
        )
        assert said in ran.log
    assert "looks like" not in job({}, {"categorical_columns": ",".join(columns)}).log


def test_dates_with_two_digits_of_the_year_are_a_warning(job: Job) -> None:
    ran = job(data([f"{1 + i % 9}/12/2{i % 3}" for i in range(ROWS)]))
    assert ran.model.schema.columns[0].kind == "category"
    assert (
        "Column 'x' looks like dates and is taken as a category: the format of '1/12/20' and "
        "'9/12/22' is unknown. Write all cells in one way, list texts that mean no value in "
        "missing_values, or list the column in categorical_columns\n"
    ) in ran.log


def test_missing_values_go_with_every_way_of_writing(job: Job) -> None:
    cells = ["NA" if i % 3 else f"${i + 1},500" for i in range(ROWS)]
    ran = job(data(cells), {"missing_values": "NA"})
    np.testing.assert_array_equal(features(ran, ["NA", "$3,500", ""]), [np.nan, 3500, np.nan])


def test_codes_stay_categories_without_a_word(job: Job) -> None:
    columns = {
        "quarter": [f"Q{i % 4}" for i in range(ROWS)],
        "padded": [f"{i % 12:03}" + "A" * (i % 2) for i in range(ROWS)],
        "range": [f"{i % 7}-{i % 7 + 9}" for i in range(ROWS)],
        "address": [f"10.0.0.{i % 9}" for i in range(ROWS)],
        "seat": [f"{1 + i % 5}{'ABC'[i % 3]}" for i in range(ROWS)],
        "release": [f"v{i % 9}.1" for i in range(ROWS)],
    }
    ran = job(table(columns))
    kinds = {column.name: column.kind for column in ran.model.schema.columns}
    assert kinds == {**dict.fromkeys(columns, "category"), "b": "number"}
    assert "looks like" not in ran.log
    assert "is read as" not in ran.log


def test_semicolons_and_decimal_commas(job: Job) -> None:
    rows = [f"{y};{i},{i % 10}5;{i % 3}" for i, y in enumerate(LABELS)]
    ran = job({"train": "\n".join(["y;x;b", *rows])})
    assert features(ran, ["3,35"]) == [3.35]


def test_columns_without_a_rule_are_stored_as_before(job: Job) -> None:
    ran = job(data([f"{i}.5" for i in range(ROWS)]))
    stored = (ran.opt_ml.model / FEATURES_FILE).read_text()
    assert "written" not in stored
    assert ran.model.features.number_columns == {"x", "b"}


def test_a_label_is_read_as_columns_are(job: Job) -> None:
    rows = [f'"{1000 + i % 5},5";{i % 5}' for i in range(ROWS)]
    ran = job({"train": "\n".join(["y;x", *rows])}, {"objective": "reg:squarederror"})
    assert "60 rows; label y: 1000.5 to 1004.5, mean 1002.5\n" in ran.log
    asked = {"objective": "reg:squarederror", "decimal": "comma"}
    points = [f"{1 + i % 5}.500;{i % 5}" for i in range(ROWS)]
    log = job({"train": "\n".join(["y;x", *points])}, asked).log
    assert "60 rows; label y: 1500 to 5500, mean 3500\n" in log


@pytest.mark.parametrize(
    "cells", [[date(2024, 1, 31)], [datetime(2024, 1, 31, 9, 30), datetime(2024, 2, 1)]]
)
def test_cells_that_their_file_types_as_dates_are_no_numbers(cells: list[Cell]):
    assert number_shapes(cells, None) == number_shapes(cells, "comma") == ()
    assert number_shapes([1, 2.5], None) == (NumberShape("point"),)
