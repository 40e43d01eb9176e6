"""Two servers for all clients: one of every kind of column, one of numbers by position."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import xgboost

from sagetree.bundle.file_names import MODEL_FILE
from tests.serve.artifacts import INPUTS, make_bundle
from tests.serve.rows import Record, csv_body
from tests.serve.server_process import ServerProcess, complete, eventually, serving


@dataclass(frozen=True)
class Served:
    """A server, rows, and the scores that XGBoost gave them when the model was made."""

    server: ServerProcess
    rows: list[Record]
    scores: list[float]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def lines(self) -> list[str]:
        """Each row as a line of CSV."""
        return [csv_body(INPUTS, [row], header=False).decode().strip() for row in self.rows]

    def file(self, folder: Path) -> Path:
        """Write the lines to a file, for a client that is another program."""
        path = folder / "rows.csv"
        path.write_text("".join(f"{line}\n" for line in self.lines))
        return path


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Columns of every kind, whose names are awkward."""
    base = tmp_path_factory.mktemp("clients")
    bundle = make_bundle(1)
    bundle.save(base / "model")
    check = bundle.selfcheck
    rows = [dict(zip(check.columns, row, strict=True)) for row in check.rows]
    with serving(base, base / "log") as server:
        eventually(lambda: complete(server))
        yield Served(server, rows, list(check.scores))


@dataclass(frozen=True)
class Numbers:
    """A server of three columns by position, a matrix, and XGBoost's scores of its rows."""

    server: ServerProcess
    matrix: list[list[float]]
    scores: list[float]


@pytest.fixture(scope="package")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Numbers]:
    """What the official container leaves: only an xgboost-model."""
    base = tmp_path_factory.mktemp("numbers")
    matrix = np.random.default_rng(3).random((200, 3), np.float32)
    data = xgboost.DMatrix(matrix, matrix[:, 0] > matrix[:, 1])
    params = {"objective": "binary:logistic", "max_depth": 3, "nthread": 1}
    booster = xgboost.train(params, data, 5)
    (base / "model").mkdir()
    (base / "model" / MODEL_FILE).write_bytes(booster.save_raw("ubj"))
    shown = matrix[:6]
    shown[4, 1] = np.nan
    with serving(base, base / "log") as server:
        eventually(lambda: complete(server))
        yield Numbers(server, shown.tolist(), booster.inplace_predict(shown).tolist())
