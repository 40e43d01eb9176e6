"""The workshop's own split, against its own files."""

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from local_test.workshop_split import main
from tests.needs import WORKSHOP, needs_workshop
from tests.prepare.tables import message, outputs, part, put


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder that stands for /opt/ml."""
    (tmp_path / "processing" / "input").mkdir(parents=True)
    return tmp_path


@needs_workshop
def test_files_are_the_workshops_byte_for_byte(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(WORKSHOP / "dataset.csv", root / "processing" / "input")
    assert main(["--format", "csv", str(root)]) == 0
    assert outputs(root) == {
        f"{name}/{name}.csv": (WORKSHOP / f"{name}.csv").read_bytes() for name in ("test", "train")
    }
    assert capsys.readouterr().out == (
        "part   rows out  of all  fraud = 1  share\n"
        "train      4000  80.00%        112  2.80%\n"
        "test       1000  20.00%         24  2.40%\n"
    )


@pytest.mark.long
@needs_workshop
def test_parquet_has_the_same_rows_in_the_same_order(root: Path) -> None:
    shutil.copy(WORKSHOP / "dataset.csv", root / "processing" / "input")
    assert main(["--format", "csv", str(root)]) == 0
    texts = {name: part(root, name) for name in ("train", "test")}
    assert main([str(root)]) == 0
    for name, rows in texts.items():
        table = pq.read_table(root / "processing" / "output" / name)
        assert [{k: str(v) for k, v in row.items()} for row in table.to_pylist()] == rows


@pytest.mark.long
@needs_workshop
def test_repeated_keys_are_kept_as_the_workshop_keeps_them(root: Path) -> None:
    put(root, "dataset/leaky.csv", (WORKSHOP / "leaky20k" / "dataset.csv").read_bytes())
    assert main(["--format", "csv", str(root)]) == 0
    assert {name: len(part(root, name)) for name in ("train", "test")} == {
        "train": 16_000, "test": 4_000,
    }  # fmt: skip


TABLE = "policy_id,x,fraud\n" + "".join(f"{i},N/A,{i % 2}\n" for i in range(10))


@pytest.mark.parametrize(
    ("table", "arguments", "text"),
    [
        (
            None,
            [],
            "{root}/processing/input: no table there. Put a CSV or Parquet file there for each "
            "table, or a folder of them, named as in the query",
        ),
        (
            TABLE,
            ["--key", "id"],
            "table dataset: key column 'id' is missing. Name it with --key; the columns (of CSV "
            "the cells of the first line) are 'policy_id', 'x', 'fraud'",
        ),
        (
            TABLE,
            ["--label", "y"],
            "--label: column 'y' is missing from the joined table. The columns are 'policy_id', "
            "'x', 'fraud'",
        ),
        (
            TABLE.replace("x", "RowID"),
            [],
            "table dataset: column 'rowid' exists already. "
            "Rename it: each row gets a number of that name",
        ),
        (
            "policy_id,fraud\n1,0\n2,0\n3,0\n4,1\n",
            [],
            "column 'fraud': the part test has 1 rows, none of them with fraud = '1'. Give the "
            "part a larger share with --split, leave it out with a share of 0, or add rows with "
            "fraud = '1'",
        ),
    ],
)
def test_faults(root: Path, table: str | None, arguments: list[str], text: str) -> None:
    if table:
        put(root, "dataset.csv", table)
    assert main([*arguments, str(root)]) == 1
    assert message(root) == text.format(root=root) + "\n"
    assert not (root / "processing" / "output").exists()
