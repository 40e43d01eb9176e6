"""What the page knows of a model beside its schema: rows to begin with, ranges, the curve."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from sagetree.bundle.bundle import SELFCHECK_FILE, SelfCheck
from sagetree.bundle.model import Model
from sagetree.predictions.reasons import middle_output
from sagetree.tables.cells import Cell

Row = Mapping[str, Cell]

# Rows to begin with, from the least score to the greatest; more would be a list to read.
MOST_EXAMPLES = 5

# What the slider's first threshold is where the server has one in place of the model's.
_SET = "the one that SAGETREE_DECISION sets"


def examples_of(folder: Path, model: Model) -> list[Row]:
    """Return rows the model can score: some of its self-check, else one of nothing but empty cells.

    The first row is that of the self-check; the others go from its least score to its greatest.
    Columns that feed no feature are left out.
    """
    names = model.schema.input_names
    if not (folder / SELFCHECK_FILE).is_file():
        return [dict.fromkeys(names)]
    check = SelfCheck.model_validate_json((folder / SELFCHECK_FILE).read_bytes())
    rows = [dict(zip(check.columns, row, strict=True)) for row in check.rows]
    return [{name: rows[place].get(name) for name in names} for place in _spread(check.scores)]


def facts(schema: Mapping[str, object], model: Model, examples: list[Row]) -> dict[str, object]:
    """Return what the page is filled with, ready for JSON.

    `outputs` names the scores of a row where it has several, `explained` is the place of the
    one that the reasons are given for.
    """
    quantiles = model.scorer.quantiles
    several = [f"output {number + 1}" for number in range(model.scorer.outputs)]
    return {
        "schema": schema,
        "examples": examples,
        "ranges": {
            column.name: [column.low, column.high]
            for column in model.schema.columns
            if column.low is not None and column.high is not None
        },
        "curve": _curve(model),
        "outputs": [f"quantile {quantile:g}" for quantile in quantiles] or several,
        "explained": middle_output(model) if quantiles else 0,
    }


def _spread(scores: tuple[float, ...] | tuple[tuple[float, ...], ...]) -> list[int]:
    """Return the places of the first row and of some others, in the order of their scores."""
    first = [np.atleast_1d(score)[0] for score in scores]
    order = np.argsort(first, kind="stable")
    steps = np.linspace(0, len(order) - 1, min(len(order), MOST_EXAMPLES - 1)).round().astype(int)
    return [0, *(int(place) for place in order[steps] if place)]


def _curve(model: Model) -> dict[str, object] | None:
    """Return what each threshold gives on the rows that the model's own was chosen on."""
    decision = model.decision
    if decision is None or decision.curve is None:
        return None
    points = decision.curve.points(decision.parsed_rule)
    # the first threshold is above each score, and calls nobody
    return {
        "chosen": decision.chosen if model.set_threshold is None else _SET,
        "thresholds": points.thresholds[1:].tolist(),
        "precision": points.precision[1:].tolist(),
        "recall": points.recall[1:].tolist(),
        "alerts": points.alerts[1:].tolist(),
    }
