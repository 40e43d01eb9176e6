"""Which texts become numbers, and which keys are the same."""

import cProfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagetree.errors import DataError
from sagetree.prepare.database import Database
from sagetree.prepare.inputs import TableFiles
from sagetree.prepare.kinds import COLUMNS_AT_ONCE, key_cells, typed_cells
from sagetree.prepare.loading import RawTable, load_table


def table(db: Database, folder: Path, name: str, cells: list[str]) -> RawTable:
    path = folder / f"{name}.csv"
    path.write_text("\n".join(["x,y", *(f'"{cell}",1' for cell in cells)]) + "\n")
    return load_table(db, TableFiles(name, {path.name: path}))


def typed(db: Database, raw: RawTable) -> list[object]:
    cell = typed_cells(db, raw)["x"]
    return [value for (value,) in db.rows(f"SELECT {cell} FROM {raw.sql} ORDER BY rowid")]


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "-5", "0"], [1, -5, 0]),
        (["1", ""], [1, None]),
        ([" 1", "2 "], [1, 2]),
        (["9223372036854775807", "1"], [9223372036854775807, 1]),
        (["9223372036854775808", "1"], ["9223372036854775808", "1"]),
        (["007", "8"], ["007", "8"]),
        (["+1", "2"], ["+1", "2"]),
        (["1_000", "2"], ["1_000", "2"]),
        (["0x10", "2"], ["0x10", "2"]),
        (["1.0", "2.50"], [1.0, 2.5]),
        (["750", "8913.668763178823"], [750.0, 8913.668763178823]),
        (["1e5", "-1.5E-3"], [100000.0, -0.0015]),
        (["1e400", "1"], ["1e400", "1"]),
        (["0.5", "1234567890123456"], ["0.5", "1234567890123456"]),
        (["00.5", "1"], ["00.5", "1"]),
        (["nan", "1"], ["nan", "1"]),
        (["inf", "1"], ["inf", "1"]),
        (["1", "N/A"], ["1", "N/A"]),
        (["None", "NA", "NULL"], ["None", "NA", "NULL"]),
        (["True", "False"], ["True", "False"]),
        (["2020-01-01", "2020-01-02"], ["2020-01-01", "2020-01-02"]),
        ([" a ", "b"], [" a ", "b"]),
        (["", ""], [None, None]),
        (["１", "1"], ["１", "1"]),
    ],
)
def test_a_column_is_numbers_where_nothing_is_lost(
    db: Database, tmp_path: Path, cells: list[str], values: list[object]
) -> None:
    found = typed(db, table(db, tmp_path, "t", cells))
    assert found == values
    assert [*map(type, found)] == [*map(type, values)]


def test_no_query_asks_about_very_many_columns(db: Database, tmp_path: Path) -> None:
    """What the database plans and holds for one grows with their square: at 1000 a gigabyte."""
    path, columns = tmp_path / "t.csv", 2 * COLUMNS_AT_ONCE + 5
    names = [f"x{number}" for number in range(columns)]
    path.write_text("\n".join([",".join(names), ",".join(["1", "a"] * columns)[: 2 * columns - 1]]))
    raw = load_table(db, TableFiles("t", {path.name: path}))
    profile = cProfile.Profile()
    cells = profile.runcall(typed_cells, db, raw)
    asked = sum(one.callcount for one in profile.getstats() if one.code == Database.row.__code__)
    assert asked == 3 + 2  # all columns may be whole numbers, the half of words other ones
    assert [name for name in names if "CAST" in cells[name]] == names[::2]


def test_types_of_parquet_stay(db: Database, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"x": ["1", "2"]}), path)
    assert typed(db, load_table(db, TableFiles("t", {path.name: path}))) == ["1", "2"]


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (["7", "8"], ["8", "7"], [7, 8]),
        (["7", "8"], ["7.0", "8.0"], [7, 8]),
        (["7", "8"], [" 7", "x8"], ["7"]),
        (["7", "8"], ["007", "8"], ["8"]),
        (["7.0", "8.0"], ["7", "x"], ["7"]),
        (["a ", "b"], ["a", "B"], ["a"]),
        (["7.5", "8"], ["7.5", "8"], ["7.5", "8"]),
    ],
)
def test_keys_are_whole_numbers_in_all_tables_or_text(
    db: Database, tmp_path: Path, left: list[str], right: list[str], same: list[object]
) -> None:
    tables = [table(db, tmp_path, "l", left), table(db, tmp_path, "r", right)]
    cells = key_cells(db, tables, "X")
    keys = [f"SELECT {cells[raw.name]} AS key FROM {raw.sql}" for raw in tables]
    found = db.rows(f"SELECT key FROM ({keys[0]}) JOIN ({keys[1]}) USING (key) ORDER BY 1")
    assert [key for (key,) in found] == same


@pytest.mark.parametrize(
    ("column", "key"),
    [
        (pa.array([7.0, 8.0]), 7),  # as pandas writes whole numbers with some missing
        (pa.array([7, 8], pa.int16()), 7),
        (pa.array(["7", "8"]), "7"),
        (pa.array([7.5, 8.0]), "7.5"),
        (pa.array([0, 1], pa.date32()), "1970-01-01"),
    ],
)
def test_keys_of_parquet_match_those_of_csv(
    db: Database, tmp_path: Path, column: pa.Array, key: object
) -> None:
    path = tmp_path / "p.parquet"
    pq.write_table(pa.table({"x": column}), path)
    parquet = load_table(db, TableFiles("p", {path.name: path}))
    tables = [parquet, table(db, tmp_path, "t", [str(key)])]
    cells = key_cells(db, tables, "x")
    keys = [db.rows(f"SELECT {cells[raw.name]} FROM {raw.sql} ORDER BY 1") for raw in tables]
    assert keys[0][0] == keys[1][0] == (key,)


def test_a_table_without_the_key(db: Database, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        key_cells(db, [table(db, tmp_path, "t", ["1"])], "policy_id")
    assert str(caught.value) == (
        "table t: key column 'policy_id' is missing. Name it with --key; the columns (of CSV "
        "the cells of the first line) are 'x', 'y'"
    )
