"""One preparation on both engines, held against each other."""

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagetree.prepare.cli import main
from tests.prepare.tables import PARTS

Parts = dict[str, pa.Table]


def parts(root: Path) -> Parts:
    """Return the rows of each part, in the order of its files."""
    folder = root / "processing" / "output"
    return {
        part: pa.concat_tables(pq.read_table(file) for file in sorted((folder / part).iterdir()))
        for part in PARTS
        if (folder / part).is_dir() and any((folder / part).iterdir())
    }


def kinds(rows: pa.Table) -> list[tuple[str, pa.DataType]]:
    """Return the columns with their types; whether a cell may be missing, Spark says otherwise."""
    return [(field.name, field.type) for field in rows.schema]


def both(root: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> Parts:
    """Return the parts, which are the same from DuckDB and from Spark, as is what they say."""
    capsys.readouterr()
    assert main([*arguments]) == 0, capsys.readouterr().out
    said, expected = capsys.readouterr().out, parts(root)
    shutil.rmtree(root / "processing" / "output")
    assert main([*arguments, "--engine", "spark"]) == 0, capsys.readouterr().out
    found = parts(root)
    shutil.rmtree(root / "processing" / "output")
    assert capsys.readouterr().out == said
    assert found.keys() == expected.keys()
    for part, rows in expected.items():
        assert kinds(found[part]) == kinds(rows)
        assert found[part].to_pylist() == rows.to_pylist()
    return expected


def message_of_both(root: Path, *arguments: str) -> str:
    """Return the message with which both engines end."""
    said = []
    for engine in ("duckdb", "spark"):
        assert main([*arguments, "--engine", engine]) == 1
        said.append((root / "output" / "message").read_text())
    assert said[0] == said[1]
    return said[0]
