# /// script
# requires-python = "==3.11.*"
# dependencies = ["smclarify==0.5", "fairlearn==0.13.0", "pandas<2.2", "numpy<2"]
# ///
"""Write rivals.json: tables, and what smclarify and fairlearn measure of them.

    uv run tests/evaluate/bias/record_rivals.py

smclarify is the library behind SageMaker Clarify's bias metrics. Scores have no ties and
features no equal distances, so that nothing depends on which of equal rows comes first.
"""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate
from sklearn.metrics import accuracy_score
from smclarify.bias.report import FacetColumn, LabelColumn, StageType, bias_report

FAVOURABLE = 0


def tables() -> Iterator[tuple[str, pd.DataFrame, str, list[float]]]:
    """Yield a name, rows, the facet's column, and its values or its one threshold."""
    random = np.random.default_rng(7)
    for rows in (12, 60, 200):
        frame = pd.DataFrame(
            {
                "sex": random.integers(0, 2, rows),
                "region": random.choice(["n", "s", "w"], rows),
                "age": random.permutation(np.arange(18, 18 + rows)),
                "x": random.normal(size=rows).round(3),
                "z": random.normal(size=rows).round(3),
            }
        )
        margin = frame.x + 0.8 * frame.sex + random.normal(size=rows)
        frame["label"] = (margin > 0.3).astype(int)
        frame["predicted"] = (frame.x + 0.5 * frame.sex + 0.3 * frame.z > 0.2).astype(int)
        yield f"{rows} rows by a value", frame, "sex", [1]
        yield f"{rows} rows by a threshold", frame, "age", [int(18 + 0.4 * rows)]
    for name, column, value in (
        ("no member is favoured", "predicted", 1),
        ("every member is favoured", "predicted", 0),
        ("members have one label", "label", 0),
    ):
        yield name, frame.assign(**{column: frame[column].where(frame.sex != 1, value)}), "sex", [1]
    yield "all are favoured", frame.assign(predicted=0), "sex", [1]


def smclarify_metrics(
    frame: pd.DataFrame, facet: str, values: list[float]
) -> dict[str, dict[str, Any]]:
    """Return the report of each stage."""
    features = frame[["sex", "age", "x", "z"]]
    if facet == "sex":
        features = features.astype({"sex": "category"})
    # of few rows smclarify takes whole numbers for quantities
    label, predicted = (frame[name].astype("category") for name in ("label", "predicted"))
    found: dict[str, dict[str, Any]] = {}
    for stage in StageType:
        is_after = stage == StageType.POST_TRAINING
        (report,) = bias_report(
            features,
            FacetColumn(facet, list(values)),
            LabelColumn("label", label, [FAVOURABLE]),
            stage,
            LabelColumn("predicted", predicted, [FAVOURABLE]) if is_after else None,
            group_variable=frame.region,
        )
        found[stage.name.lower()] = report
    return found


def fairlearn_metrics(frame: pd.DataFrame, facet: str, values: list[float]) -> dict[str, float]:
    """Return the metrics that fairlearn has too, in Clarify's directions."""
    inside = frame[facet] > values[0] if facet == "age" else frame[facet].isin(values)
    if frame.groupby(inside).label.nunique().min() < 2:
        return {}  # rates of nothing, which the two libraries take for others
    measures = {
        "chosen": selection_rate,
        "recall": true_positive_rate,
        "false": false_positive_rate,
        "accuracy": accuracy_score,
    }
    by = MetricFrame(
        metrics=measures,
        y_true=frame.label == FAVOURABLE,
        y_pred=frame.predicted == FAVOURABLE,
        sensitive_features=inside,
    ).by_group
    facet_row, others = by.loc[True], by.loc[False]
    return {
        "DPPL": others.chosen - facet_row.chosen,
        "DI": facet_row.chosen / others.chosen,
        "RD": others.recall - facet_row.recall,
        "SD": others.false - facet_row.false,
        "AD": others.accuracy - facet_row.accuracy,
    }


def main() -> None:
    """Write rivals.json beside this file."""
    logging.disable(logging.CRITICAL)
    cases = [
        {
            "name": name,
            "facet": facet,
            "values": values,
            "rows": frame.to_dict(orient="list"),
            "smclarify": smclarify_metrics(frame, facet, values),
            "fairlearn": fairlearn_metrics(frame, facet, values),
        }
        for name, frame, facet, values in tables()
    ]
    path = Path(__file__).with_name("rivals.json")
    path.write_text(json.dumps(cases, default=float, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
