"""Folders called key=value: columns of the files in them, of Parquet and CSV alike."""

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagetree.prepare.cli import main
from tests.prepare.tables import every_row, message, put

ARGUMENTS = ("--key", "policy_id", "--label", "fraud", "--format", "csv", "--split", "1,0,0")


def parquet(**columns: list[object]) -> bytes:
    data = io.BytesIO()
    pq.write_table(pa.table(columns), data)
    return data.getvalue()


def csv(**columns: list[object]) -> bytes:
    lines = [
        ",".join(columns),
        *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True)),
    ]
    return ("\n".join(lines) + "\n").encode()


@pytest.mark.parametrize("write", [parquet, csv])
def test_folders_are_columns(root: Path, write) -> None:
    """A month as 09 is text as it is in a cell; a region is a number, or missing."""
    places = [("09", "5"), ("10", "12"), ("11", "__HIVE_DEFAULT_PARTITION__")]
    for number, (month, region) in enumerate(places):
        keys = [number * 2, number * 2 + 1]
        name = f"t/month={month}/region={region}/a b%20c=d/x.{write.__name__}"
        put(root, name, write(policy_id=keys, fraud=[0, 1], month=[7, 8]))
    assert main([*ARGUMENTS]) == 0
    rows = every_row(root)
    assert [row["region"] for row in rows] == ["5", "5", "12", "12", "", ""]
    assert [row["month"] for row in rows] == ["7", "8"] * 3, "the file's own column counts"
    assert [row["a b c"] for row in rows] == ["d"] * 6


@pytest.mark.parametrize("write", [parquet, csv])
def test_months_with_zeros_are_text(root: Path, write) -> None:
    for number, month in enumerate(("09", "10")):
        keys = [number * 2, number * 2 + 1]
        put(root, f"t/month={month}/x.{write.__name__}", write(policy_id=keys, fraud=[0, 1]))
    assert main([*ARGUMENTS]) == 0
    assert [row["month"] for row in every_row(root)] == ["09", "09", "10", "10"]


def test_a_name_that_looks_like_a_pattern_is_one_file(root: Path) -> None:
    for number, kind in enumerate(("b*", "b[x]", "b?", "bx", "bb")):
        put(root, f"t/k={kind}/x.parquet", parquet(policy_id=[number], fraud=[number % 2]))
    assert main([*ARGUMENTS]) == 0
    assert [row["k"] for row in every_row(root)] == ["b*", "b[x]", "b?", "bx", "bb"]


def test_folders_above_the_table_are_no_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "run=5"
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(root))
    put(root, "t/x.parquet", parquet(policy_id=[0, 1], fraud=[0, 1]))
    assert main([*ARGUMENTS]) == 0
    assert list(every_row(root)[0]) == ["fraud", "policy_id"]


@pytest.mark.parametrize("write", [parquet, csv])
def test_files_in_other_folders(root: Path, write) -> None:
    kind = write.__name__
    put(root, f"t/a=1/x.{kind}", write(policy_id=[0, 1], fraud=[0, 1]))
    put(root, f"t/b=1/x.{kind}", write(policy_id=[2, 3], fraud=[0, 1]))
    assert main([*ARGUMENTS]) == 1
    assert message(root) == (
        f"column 'a' is only in t/a=1/x.{kind}, of t/a=1/x.{kind} and t/b=1/x.{kind}. "
        "All files of a table need the same columns\n"
    )


def test_files_without_a_named_column_have_that_of_their_folders(root: Path) -> None:
    for year in ("2020", "2021"):
        put(root, f"t/fraud={year}/x.csv", b",\n5,6\n7,8\n")
    assert main(["--label", "fraud", "--format", "csv", "--split", "1,0,0"]) == 0
    (part,) = (root / "processing" / "output" / "train").iterdir()
    header, *rows = part.read_text().splitlines()
    assert (header, sorted(rows)) == ("fraud", ["2020", "2020", "2021", "2021"])
