"""Casts give what Spark's give: the values below are those of Spark 3.3.4."""

import duckdb
import pytest

from sagetree.prepare.flow.casts import cast_cell, kind_of
from sagetree.prepare.flow.relation import Kind, StepError

# Text -> as long, as double, as boolean.
SPARK: dict[str, tuple[int | None, float | None, bool | None]] = {
    "8913.67": (8913, 8913.67, None),
    "5": (5, 5.0, None),
    "-5": (-5, -5.0, None),
    "+5": (5, 5.0, None),
    " 5 ": (5, 5.0, None),
    "\t5\n": (5, 5.0, None),
    "5.": (5, 5.0, None),
    ".5": (0, 0.5, None),
    "-.5": (0, -0.5, None),
    "": (None, None, None),
    "-": (None, None, None),
    "1e3": (None, 1000.0, None),
    "1.5e2": (None, 150.0, None),
    "1_000": (None, None, None),
    "1,000": (None, None, None),
    "007": (7, 7.0, None),
    "9223372036854775807": (9223372036854775807, 9.223372036854776e18, None),
    "9223372036854775808": (None, 9.223372036854776e18, None),
    "-9223372036854775808": (-9223372036854775808, -9.223372036854776e18, None),
    "-9.99": (-9, -9.99, None),
    "1.0": (1, 1.0, None),
    "0": (0, 0.0, False),
    "1": (1, 1.0, True),
    "t": (None, None, True),
    "true": (None, None, True),
    " yes ": (None, None, True),
    "no": (None, None, False),
    "False": (None, None, False),
    "0x10": (None, None, None),
    "N/A": (None, None, None),
    "1e-400": (None, 0.0, None),
    "12345678901234567.9": (12345678901234567, 1.2345678901234568e16, None),
    "½": (None, None, None),
    "٣": (None, None, None),
    "5\xa0": (None, None, None),
    "1e+5": (None, 100000.0, None),
    "1.e5": (None, 100000.0, None),
    ".5e1": (None, 5.0, None),
    "--5": (None, None, None),
}

# Where Spark has a number that is none, or the nearest one that fits: these are missing here.
MISSING = ("NaN", "Infinity", "-inf", "1e400", "1d", ".")


KINDS: tuple[Kind, ...] = ("long", "float", "bool")


def test_texts() -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t (n INTEGER, c VARCHAR)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", [*enumerate([*SPARK, *MISSING])])
        casts = (cast_cell("c", "string", wanted) for wanted in KINDS)
        rows = connection.execute(f"SELECT {', '.join(casts)} FROM t ORDER BY n").fetchall()
    assert rows == [*SPARK.values(), *[(None, None, None)] * len(MISSING)]


# A cell as SQL, its kind and another one -> the cell as that.
OTHERS: dict[tuple[str, Kind, Kind], object] = {
    ("-8913.67::DOUBLE", "float", "long"): -8913,
    ("1e300::DOUBLE", "float", "long"): None,
    ("0.5::DOUBLE", "float", "bool"): True,
    ("0::BIGINT", "long", "bool"): False,
    ("7::BIGINT", "long", "float"): 7.0,
    ("7::BIGINT", "long", "string"): "7",
    ("true", "bool", "long"): 1,
    ("true", "bool", "float"): 1.0,
    ("false", "bool", "string"): "false",
    ("'x'", "string", "string"): "x",
    ("'x'", "string", "object"): "x",
}


def test_numbers_and_truths() -> None:
    cells = ", ".join(cast_cell(*given) for given in OTHERS)
    [row] = duckdb.connect().execute(f"SELECT {cells}").fetchall()
    assert [*map(repr, row)] == [*map(repr, OTHERS.values())]


@pytest.mark.parametrize(("kind", "wanted"), [("float", "string"), ("object", "long")])
def test_casts_that_are_not_known(kind: Kind, wanted: Kind) -> None:
    with pytest.raises(StepError) as caught:
        cast_cell("c", kind, wanted)
    assert str(caught.value) == f"a cast from {kind} to {wanted} is not supported"


def test_kinds() -> None:
    kinds = ("BIGINT", "UTINYINT", "FLOAT", "VARCHAR", "BOOLEAN", "DATE", "HUGEINT", "DECIMAL(3,1)")
    assert [*map(kind_of, kinds)] == [
        "long", "long", "float", "string", "bool", "object", "object", "object",
    ]  # fmt: skip
