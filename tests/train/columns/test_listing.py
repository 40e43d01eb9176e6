"""The table of columns stays short, however many columns there are."""

import numpy as np
import pytest

from sagetree.tables.label import Label
from sagetree.tables.schema import Column, Kind, Schema
from sagetree.train.columns.listing import columns_table, schema_table, shortened
from tests.train.conftest import Job


def schema(*kinds: Kind) -> Schema:
    columns = tuple(
        Column(name=f"c{number}", kind=kind, missing=0, distinct=2)
        for number, kind in enumerate(kinds)
    )
    return Schema(columns=columns, label=None, named=True)


def test_forty_columns_are_a_line_each() -> None:
    lines = columns_table(schema(*["number"] * 40)).splitlines()
    assert lines[0].split() == ["column", "kind", "missing", "distinct", "categories"]
    assert [line.split()[0] for line in lines[1:]] == [f"c{number}" for number in range(40)]


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (["number"], "and 1 more columns: 1 number"),
        (
            ["constant", "number", "number", "category", "number", "category"],
            "and 6 more columns: 3 number, 2 category, 1 constant",
        ),
    ],
)
def test_the_rest_is_one_line_by_kind(rest: list[Kind], said: str) -> None:
    lines = columns_table(schema(*["number"] * 40, *rest)).splitlines()
    assert len(lines) == 1 + 40 + 1
    assert lines[-1] == said


def test_labels_of_some_rows_say_about_those_of_all() -> None:
    label = Label(name="y", negative="no", positive="yes")
    table = schema("number").model_copy(update={"label": label})
    line, *_ = schema_table(table, np.array([0, 1, 0, 0], np.float32), 1000).splitlines()
    assert line == "1000 rows; label y: 250 are 'yes' (25.00%), the rest 'no', found in 4 of them"


def test_names_are_listed_up_to_forty() -> None:
    names = [f"c{number}" for number in range(42)]
    assert shortened(names[:40]) == ", ".join(names[:40])
    assert shortened(names) == f"{', '.join(names[:40])}, and 2 more"
    assert shortened([]) == ""


@pytest.mark.long
def test_a_wide_table_reaches_its_first_metric_soon(job: Job) -> None:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(60, 3000)).round(2)
    matrix[:, 1:50] = matrix[:, :1]
    matrix[:, 2900:] = 7
    rows = [f"{i % 2},{','.join(map(str, row))}\n" for i, row in enumerate(matrix)]
    names = ",".join(["y", *(f"x{number}" for number in range(3000))])
    content = f"{names}\n{''.join(rows)}"
    ran = job({"train": content, "validation": content}, {"num_round": 2})
    assert ran.code == 0, ran.log
    assert "and 2960 more columns: 2860 number, 100 constant\n" in ran.log
    assert ran.log.index("\n[0]\ttrain-") < 5000
    checked = job({}, {"num_round": 2}, arguments=["--check"])
    assert checked.code == 0, checked.log
    named = ", ".join(f"x{number}" for number in range(2900, 2940))
    assert f"left out: {named}, and 60 more\n" in checked.log
    assert checked.log.count("worth dropping: column ") == 40
    assert "worth dropping: 9 more\n" in checked.log
    assert len(checked.log) < 9000
