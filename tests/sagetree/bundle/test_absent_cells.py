"""Missing cells and unseen categories are counted as training counted them, for every kind."""

import pytest

from sagetree.bundle.absent_cells import AbsentCells, missing_shares
from sagetree.bundle.model import Model
from sagetree.files.reading import read_table
from sagetree.tables.schema import Schema
from sagetree.tables.table import Table
from tests.train.conftest import Job, job, opt_ml  # noqa: F401 - fixtures

HEADER = "y,number,flag,word,size,day\n"


def row(n: int, absent: str) -> str:
    cells = [f"{n % 7}.5", "true" if n % 3 else "false", "abc"[n % 3], "SML"[n % 3]]
    cells.append(f"2024-0{1 + n % 9}-15")
    # of each column another share is missing
    shown = [absent if n % (place + 3) == 0 else cell for place, cell in enumerate(cells)]
    return ",".join([str(n % 2), *shown]) + "\n"


def count(model: Model, table: Table) -> AbsentCells:
    inputs = model.schema.arrange(table)
    return AbsentCells.count(inputs, model.matrix(inputs), model.features)


@pytest.mark.parametrize("absent", ["", "NA", "-9"])
@pytest.mark.parametrize("encoding", ["native", "onehot"])
def test_training_has_the_missing_cells_its_schema_says(
    job: Job,  # noqa: F811 - the fixture
    absent: str,
    encoding: str,
) -> None:
    settings = {
        "encoding": encoding,
        "missing_values": ["NA", "-9"],
        "column_types": {"day": "datetime", "flag": "boolean"},
    }
    ran = job({"train": HEADER + "".join(row(n, absent) for n in range(120))}, settings)
    assert ran.code == 0, ran.failure
    schema = ran.model.schema
    table = read_table(ran.opt_ml.data / "train", lambda _: True).without("y")
    found = count(ran.model, table)
    assert found.missing == {c.name: c.missing for c in schema.columns}
    assert set(found.missing.values()) == {40, 30, 24, 20, 18}
    assert (found.unseen, found.suspects(schema)) == ({}, ())
    assert missing_shares(schema)["number"] == 1 / 3
    twice = found.joined(found)
    assert twice.rows == 240
    assert twice.missing["day"] == 36


def test_a_schema_without_rows_is_not_compared_with() -> None:
    """Bundles did not always say about how many rows their counts are."""
    schema = Schema(columns=(), label=None, named=True)
    assert (schema.rows, missing_shares(schema)) == (0, {})
    assert AbsentCells(100, {"x": 100}).suspects(schema) == ()
