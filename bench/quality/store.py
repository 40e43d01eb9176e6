"""What contenders scored, kept as lines of JSON: a run that is cut off goes on from there."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.quality.field import Contender
from bench.quality.table import FloatArray, Fold, Table, digest_of


@dataclass(frozen=True)
class Store:
    """A folder with a file for each contender and table; lines are only ever added.

    A line holds for one contender's digest, one table's and one fold's rows: after any of
    them has changed it is as if it were not there.
    """

    folder: Path

    def read(self, contender: Contender, table: Table) -> dict[str, FloatArray]:
        """Return the scores by their key; a line that was cut off is left out."""
        file = self._file(contender, table)
        if not file.exists():
            return {}
        lines = file.read_text().splitlines(keepends=True)
        records = (json.loads(line) for line in lines if line.endswith("}\n"))
        return {record["key"]: np.array(record["scores"]) for record in records}

    def add(self, contender: Contender, table: Table, fold: Fold, scores: FloatArray) -> None:
        """Add a fold's scores."""
        record = {
            "key": key(contender, table, fold),
            "repeat": fold.repeat,
            "fold": fold.number,
            "scores": scores.tolist(),
        }
        file = self._file(contender, table)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a+") as lines:
            if _is_cut_off(file):
                lines.write("\n")
            lines.write(json.dumps(record) + "\n")

    def _file(self, contender: Contender, table: Table) -> Path:
        return self.folder / contender.name / f"{table.name}.jsonl"


def key(contender: Contender, table: Table, fold: Fold) -> str:
    """Return what changes with the contender, the table, or the fold's rows."""
    said = (contender.digest, table.digest)
    return digest_of(*(text.encode() for text in said), fold.rows.tobytes())


def _is_cut_off(file: Path) -> bool:
    with file.open("rb") as content:
        if not content.seek(0, 2):
            return False
        content.seek(-1, 2)
        return content.read() != b"\n"
