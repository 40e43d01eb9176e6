"""Every metric is what smclarify and fairlearn measure of the same rows (record_rivals.py)."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sagetree.evaluate.bias.analysis import (
    FacetBias,
    FavourablePredictions,
    measure_labels,
    measure_predictions,
)
from sagetree.tables.cells import MissingValues
from sagetree.tables.facets import Facet, facet_rows, settle_facets
from sagetree.tables.table import Source, Table

CASES = json.loads(Path(__file__).with_name("rivals.json").read_text())

FAVOURABLE = 0
BEFORE = {"CDDL", "CI", "DPL", "JS", "KL", "KS", "LP", "TVD"}
AFTER = {
    "AD", "CDDPL", "DAR", "DCA", "DCR", "DI", "DPPL", "DRR", "FT", "GE", "RD", "SD", "TE",
}  # fmt: skip


def measured(case: dict[str, Any]) -> tuple[FacetBias, FacetBias]:
    """The facet of a case before and after training."""
    columns = case["rows"]
    rows = len(columns["label"])
    table = Table(tuple(columns), tuple(columns.values()), rows, True, (Source(rows),))
    facet = (
        Facet("age", threshold=float(case["values"][0]), group="region")
        if case["facet"] == "age"
        else Facet("sex", tuple(map(str, case["values"])), group="region")
    )
    nothing = MissingValues.of(())
    facets = settle_facets(table, [facet], nothing, {})
    members = facet_rows(table, facets, nothing, {})
    labels = np.array(columns["label"]) == FAVOURABLE
    predictions = np.array(columns["predicted"]) == FAVOURABLE

    def places(left_out: str, some: np.ndarray) -> np.ndarray:
        names = [name for name in ("sex", "age", "x", "z") if name != left_out]
        return np.column_stack([columns[name] for name in names]).astype(float)[some]

    (before,) = measure_labels(facets, members, labels)
    (after,) = measure_predictions(
        facets, members, labels, FavourablePredictions(predictions, places)
    )
    return before, after


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_metrics_and_words_are_smclarifys(case: dict[str, Any]) -> None:
    for ours, stage, names in zip(
        measured(case), ("pre_training", "post_training"), (BEFORE, AFTER), strict=True
    ):
        theirs = case["smclarify"][stage]
        assert ours.value == theirs["value_or_threshold"]
        assert {metric.name for metric in ours.metrics} == names
        for metric, other in zip(ours.metrics, theirs["metrics"], strict=True):
            found = metric.as_json()
            assert found["name"] == other["name"]
            assert found["description"] == other["description"]
            assert found.get("error") == other.get("error")
            if isinstance(other["value"], str | None):
                assert found["value"] == other["value"]
            else:
                assert metric.value == pytest.approx(other["value"], abs=1e-12), metric.name


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_rates_of_both_parts_are_fairlearns(case: dict[str, Any]) -> None:
    after = measured(case)[1]
    for name, value in case["fairlearn"].items():
        if not math.isnan(value):  # of nothing, for which Clarify says 0
            assert after.metric(name).value == pytest.approx(value, abs=1e-12), name
