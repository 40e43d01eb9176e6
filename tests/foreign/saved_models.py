"""Models of other XGBoosts: where they lie, and whether a model of ours answers as they did."""

import json
from pathlib import Path

import numpy as np

from sagetree.bundle.model import Model
from sagetree.tables.table import Source, Table

# A few that make_models.py made, each with the version of its XGBoost.
SAVED = Path(__file__).parent / "saved"

# The libraries' exp() may differ in the last bits of a float32.
TOLERANCE = 2e-6


def file_of(folder: Path) -> Path:
    """The model's file in its folder."""
    (path,) = (path for path in folder.iterdir() if path.name != "rows.json")
    return path


def check_scores(folder: Path, model: Path) -> None:
    """Fail where the model in a folder does not score as the rows in `folder` were scored."""
    told = json.loads((folder / "rows.json").read_text())
    columns = tuple([list(cells) for cells in zip(*told["rows"], strict=True)])
    rows = len(told["rows"])
    loaded = Model.load(model)
    table = Table(loaded.schema.input_names, columns, rows, True, (Source(rows),))
    np.testing.assert_allclose(loaded.score(table), told["scores"], rtol=0, atol=TOLERANCE)
