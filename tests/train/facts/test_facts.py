"""What hosts find together in their rows is what one host finds in all of them."""

import cProfile
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from local_test.generate import parse, run
from sagetree.boosters.objectives import objective_of
from sagetree.errors import UserError
from sagetree.features.plan import TablePlan
from sagetree.machine.paths import OptMl
from sagetree.tables.cells import MissingValues
from sagetree.tables.table import Source, Table
from sagetree.train.channels.channels import read_channel
from sagetree.train.columns.default_objective import fitting_objective
from sagetree.train.columns.labels import Goal
from sagetree.train.columns.plan import facts_of, fit_plan
from sagetree.train.columns.precision import find_precision
from sagetree.train.facts.facts import Facts
from sagetree.train.facts.numbers import DistinctNumbers
from sagetree.train.hosts.group import ONE, Group
from sagetree.train.settings.columns import Columns
from sagetree.train.settings.faults import Faults
from sagetree.train.settings.settings import TrainSettings
from tests.train.hosts.threads import together

ROWS = 80

# A column's cells by the row's number and a random number from 0 to 1.
KINDS: dict[str, Callable[[int, float], Any]] = {
    "numbers": lambda _, r: round(r * 100, 1),
    "whole": lambda _, r: int(r * 5),
    "large": lambda row, _: 2**40 + 3 * (row % 7),
    "close": lambda _, r: 1_700_000_000 + 60 * int(r * 9),
    "fractions": lambda row, _: 1e6 + (row % 2) / 1000,
    "keys": lambda row, _: row + 1,
    "policy_id": lambda row, _: 5000 + 7 * row,
    "constant": lambda *_: 4,
    "words": lambda _, r: "abcdef"[int(r * 6)],
    "codes": lambda _, r: ["007", "7", "12", "x"][int(r * 4)],
    "names": lambda row, _: f"n{row}",
    "alone": lambda row, r: f"n{row}" if r < 0.92 else "same",
    "truths": lambda _, r: ["true", "False"][int(r * 2)],
    "dates": lambda row, _: f"2024-01-{1 + row % 28:02d}",
    "days": lambda row, _: f"{1 + row % 28}/12/2024",
    "amounts": lambda row, r: f"${1000 * row + 999:,}.{int(r * 10)}",
    "percents": lambda _, r: f"{r:.1%}",
    "commas": lambda _, r: f"{r:.2f}".replace(".", ","),
    "mixed": lambda _, r: round(r * 9, 1) if r < 0.5 else ["none", "many"][int(r * 8) % 2],
    "slips": lambda row, _: "oops" if row == 17 else row * 0.5,
    "empty": lambda *_: None,
    "flags": lambda _, r: r < 0.5,
    "birthdays": lambda row, _: date(1980, 1, 1) + timedelta(row % 30),
    "moments": lambda row, _: datetime(2024, 1, 1, row % 24, tzinfo=UTC),
    "prices": lambda _, r: Decimal(f"{r:.2f}"),
}
DECLARED = ["number", "boolean", "category", "datetime"]


def table_of(columns: dict[str, list[Any]], rows: list[int]) -> Table:
    """Return some rows of columns, which are numbers where all of their cells are."""
    arrays = {}
    for name, cells in columns.items():
        is_text = any(isinstance(cell, str) for cell in cells)
        texts = [None if c is None else str(c) for c in cells] if is_text else cells
        arrays[name] = pa.chunked_array([pa.array(texts)]).take(pa.array(rows, pa.int64()))
    return Table(tuple(arrays), tuple(arrays.values()), len(rows), True, (Source(len(rows)),))


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[str, list[Any]], dict[str, str], list[int]]:
    """Draw columns behind a label, settings of them, and the host of each row."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    names = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4, unique=True))
    label = draw(st.sampled_from(["words", "whole", "numbers", "truths", "slips", "codes"]))
    missing = draw(st.sampled_from([0, 0.3]))
    columns = {"y": [KINDS[label](row, random.random()) for row in range(ROWS)]}
    for name in names:
        cells = [KINDS[name](row, random.random()) for row in range(ROWS)]
        columns[name] = [None if random.random() < missing else cell for cell in cells]
    settings = {}
    if draw(st.booleans()):
        settings["column_types"] = f'{{"{names[0]}": "{draw(st.sampled_from(DECLARED))}"}}'
    if draw(st.booleans()):
        settings["missing_values"] = draw(st.sampled_from(["7", "abc,0", "oops"]))
    if draw(st.booleans()):
        settings["decimal"] = "comma"
    hosts = draw(st.integers(2, 3))
    return (
        columns,
        settings,
        [int(h) for h in random.integers(0, hosts, ROWS) * draw(st.integers(0, 1))],
    )


def plan_of(table: Table, columns: Columns, group: Group) -> TablePlan:
    facts = facts_of(table, columns, group)
    objective = fitting_objective(facts, columns)
    return fit_plan(facts, columns, Goal(objective_of(objective), given=False))


def told(work: Callable[[], Any]) -> object:
    try:
        return work()
    except UserError as error:
        return (
            type(error),
            re.sub("'.*?'", "", error.message),
            error.hint,
        )  # any wrong cell is reported


@given(cases())
def test_hosts_find_together_what_one_finds(
    case: tuple[dict[str, list[Any]], dict[str, str], list[int]],
) -> None:
    columns, given, host_of = case
    of_columns = TrainSettings.of(given).columns
    whole = table_of(columns, [*range(ROWS)])
    shards = [
        table_of(columns, [row for row, host in enumerate(host_of) if host == number])
        for number in range(max(2, max(host_of) + 1))
    ]
    expected = told(lambda: plan_of(whole, of_columns, ONE))
    found = told(
        lambda: together(len(shards), lambda group: plan_of(shards[group.rank], of_columns, group))
    )
    if isinstance(expected, TablePlan):
        assert isinstance(found, list), found
        assert all(plan == found[0] for plan in found)
        (found, *_) = found
        assert found.schema == expected.schema
        assert found.features == expected.features
    else:
        assert found == expected


@pytest.mark.parametrize("name", ["claims", "customers"])
def test_hosts_find_in_the_examples_tables_what_one_finds(name: str, tmp_path: Path) -> None:
    opt_ml = OptMl(tmp_path)
    folder = opt_ml.data / "train"
    folder.mkdir(parents=True)
    arguments = ["--policies", "400", "--seed", "3", "--messy", "--out", str(tmp_path / "made")]
    run(parse(arguments))
    (folder / "data.csv").write_bytes((tmp_path / "made" / f"{name}.csv").read_bytes())
    target = {"claims": "fraud", "customers": "customer_gender"}[name]
    settings = TrainSettings.settle({"target": target}, {"train": None}, Faults())
    assert settings is not None
    table, of_columns = read_channel(opt_ml, "train", settings), settings.columns
    expected = plan_of(table, of_columns, ONE)
    host_of = np.random.default_rng(0).integers(0, 3, table.rows)
    shards = [rows_of(table, np.flatnonzero(host_of == number)) for number in range(3)]
    for plan in together(3, lambda group: plan_of(shards[group.rank], of_columns, group)):
        assert (plan.schema, plan.features) == (expected.schema, expected.features)


def rows_of(table: Table, rows: NDArray[np.intp]) -> Table:
    columns = tuple(cells.take(pa.array(rows)) for cells in table.columns)  # type: ignore[union-attr]
    return table._replace(columns=columns, rows=len(rows), sources=(Source(len(rows)),))


# Those of very many values are estimated.
COUNTS = {"distinct"}


@pytest.mark.parametrize("name", sorted(KINDS))
@pytest.mark.parametrize("decimal", ["point", pytest.param("comma", marks=pytest.mark.long)])
def test_hosts_decide_alike_that_tell_a_few_of_very_many_values(name: str, decimal: str) -> None:
    random = np.random.default_rng(0)
    rows = 600
    columns = {
        "y": [int(value) for value in random.integers(0, 2, rows)],
        name: [KINDS[name](row, random.random()) for row in range(rows)],
        "x": [float(value) for value in random.random(rows)],
    }
    of_columns = TrainSettings.of({"decimal": decimal}).columns

    def work(table: Table, group: Group) -> object:
        missing, has_commas = MissingValues.of(()), of_columns.decimal == "comma"
        facts = Facts(table, missing, (), has_commas, group, most=12).tell()
        plan = fit_plan(facts, of_columns, Goal(objective_of("binary:logistic")))
        return [column.model_dump(exclude=COUNTS) for column in plan.schema.columns], plan.features

    hosts = random.integers(0, 3, rows)
    shards = [table_of(columns, np.flatnonzero(hosts == number).tolist()) for number in range(3)]
    expected = told(lambda: [work(table_of(columns, [*range(rows)]), ONE)] * 3)
    assert told(lambda: together(3, lambda group: work(shards[group.rank], group))) == expected


@given(st.lists(st.sampled_from([2.0**40, 0.1, 1.0]) | st.integers(0, 50).map(float)))
def test_what_decides_of_numbers_is_told(values: list[float]) -> None:
    random = np.random.default_rng(len(values))
    cells = np.array(values) + random.choice([0.0, 2.0**41, 1e-9]) * random.integers(0, 9)
    found = DistinctNumbers.of(cells)
    few = DistinctNumbers.merged(
        [DistinctNumbers.of(part).told(3) for part in np.array_split(cells, 3)]
    )
    assert (few.rows, few.missing) == (found.rows, found.missing)
    if len(found.values):
        assert few.values[[0, -1]].tolist() == found.values[[0, -1]].tolist()
        assert find_precision(few.values).shift == find_precision(found.values).shift


def test_counts_of_very_many_values_are_estimated() -> None:
    numbers = np.random.default_rng(0).permutation(np.arange(40_000.0) // 2)
    found = DistinctNumbers.merged(
        [DistinctNumbers.of(part).told(4000) for part in np.array_split(numbers, 3)]
    )
    assert found.distinct == pytest.approx(20_000, rel=0.03)
    assert not found.is_unique
    keys = [DistinctNumbers.of(part).told(1000) for part in np.array_split(np.arange(9000.0), 3)]
    assert DistinctNumbers.merged(keys).is_unique
    assert DistinctNumbers.merged(keys).distinct == 9000


def test_columns_are_not_searched_for_one_by_one() -> None:
    """Looking each up by its name takes the square of their number."""
    cells = [pa.array([row % 2 for row in range(ROWS)]), *[pa.array([0.5, 1.5] * (ROWS // 2))] * 30]
    names = ("y", *(f"x{number}" for number in range(30)))
    columns = TrainSettings.of({"target": "y"}).columns
    table = Table(
        names, tuple(pa.chunked_array([one]) for one in cells), ROWS, True, (Source(ROWS),)
    )
    profile, goal = cProfile.Profile(), Goal(objective_of("binary:logistic"))
    profile.runcall(fit_plan, facts_of(table, columns), columns, goal)
    searches = [
        one.callcount for one in profile.getstats() if "'index' of 'tuple'" in str(one.code)
    ]
    assert sum(searches) < 10
