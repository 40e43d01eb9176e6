"""Against what SageMaker Clarify itself measured: the workshop's finished run (README.md)."""

import json
from pathlib import Path

import numpy as np
import pytest

from sagetree.evaluate.bias.analysis import (
    BiasAnalysis,
    FavourablePredictions,
    measure_labels,
    measure_predictions,
)
from sagetree.tables.facets import Facet, FacetRows
from sagetree.train.profile import main as profile
from tests.needs import WORKSHOP, needs_workshop

pytestmark = needs_workshop

NEW = {"GE", "SD"}

FACETS = '[{"column": "customer_gender_female", "values": [1]}]'


@pytest.mark.parametrize(
    ("rows", "expected"),
    [("train", "bias_1_analysis"), ("upsampled_train", "bias_2_analysis")],
)
def test_the_published_metrics_before_training(
    rows: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("facets.json").write_text(FACETS)
    table = str(WORKSHOP / f"{rows}.csv")
    assert profile([table, "--target", "fraud", "--facets", "facets.json"]) == 0
    ours = json.loads(Path("bias_analysis.json").read_text())
    theirs = json.loads((WORKSHOP / "expected" / f"{expected}.json").read_text())
    for analysis in (ours, theirs):
        (facet,) = analysis["pre_training_bias_metrics"]["facets"]["customer_gender_female"]
        analysis["values"] = [metric.pop("value") for metric in facet["metrics"]]
    assert len(theirs["values"]) == 8
    assert ours.pop("values") == [
        None if value is None else pytest.approx(value, abs=1e-12, rel=0)
        for value in theirs.pop("values")
    ]
    assert ours == theirs


def test_metrics_of_both_stages_have_clarifys_words() -> None:
    """Of an older run, whose numbers no table here has; Clarify has added some since."""
    path = WORKSHOP / "expected" / "awsexamples_bias_1_pre_and_post_analysis.json"
    theirs = json.loads(path.read_text())
    nobody = FacetRows(np.zeros((2, 1), bool), np.full((2, 1), -1))
    labels = np.array([True, False])
    predicted = FavourablePredictions(labels, lambda _column, some: np.zeros((len(some), 1)))
    facets = [Facet("customer_gender_female", ("1",))]
    ours = BiasAnalysis(
        "fraud",
        "0",
        measure_labels(facets, nobody, labels),
        measure_predictions(facets, nobody, labels, predicted),
    ).as_json()
    assert [*ours] == [*theirs]
    for stage, new in (("pre_training_bias_metrics", set()), ("post_training_bias_metrics", NEW)):
        words = [
            {metric["name"]: metric["description"] for metric in part["metrics"]}
            for (part,) in (
                each[stage]["facets"]["customer_gender_female"] for each in (ours, theirs)
            )
        ]
        assert words[0].keys() - words[1].keys() == new
        assert words[0].items() >= words[1].items()
        shapes = [
            {**each[stage], "facets": [{**part, "metrics": ()} for part in parts]}
            for each in (ours, theirs)
            for parts in each[stage]["facets"].values()
        ]
        assert shapes[0] == shapes[1]
