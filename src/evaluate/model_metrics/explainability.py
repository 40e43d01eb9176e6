"""Which columns drive the scores, in the shape of Clarify's analysis.json.

Clarify's `kernel_shap` is the name that its readers look for, of the mean absolute
SHAP value of each column over rows. Clarify samples SHAP values of the score; ours
are exact, of the margin (log odds, where the score is a probability), and of the
user's own columns.
"""

import numpy as np

from sagetree.boosters.explainer import contributions_by_column
from sagetree.boosters.scoring import Scores
from sagetree.bundle.model import Model
from sagetree.features.pipeline import FeatureMatrix

# The mean of 1000 rows is good to some percent. This many splits for rows take two seconds; a model
# of very many is explained by fewer rows: 100 say enough.
LEAST_ROWS, MOST_ROWS = 100, 1000
MOST_WORK = 20_000_000


def explainability_json(
    model: Model, made: FeatureMatrix, base_margin: Scores | None
) -> dict[str, object] | None:
    """Return the content of explainability.json, None for a model without SHAP values.

    Of more than 1000 rows (100 for very large models) these are spread evenly.
    `label0`, `label1`, ... are the outputs.
    """
    if not model.scorer.explains:
        return None
    rows, splits = len(made.values), sum(each.splits for each in model.scorer.explainers)
    most = int(np.clip(MOST_WORK // max(1, splits), LEAST_ROWS, MOST_ROWS))
    chosen = np.linspace(0, rows - 1, min(rows, most)).astype(np.intp)
    margins = None if base_margin is None else base_margin[chosen]
    found = model.scorer.contributions(made.values[chosen], margins)
    values = contributions_by_column(found, model.features.owners).astype(np.float64)
    values = values.reshape(len(chosen), -1, values.shape[-1])
    names = [feature.column for feature in model.features.features]
    of_columns, base = np.abs(values[..., :-1]).mean(axis=0), values[..., -1].mean(axis=0)
    outputs = {
        f"label{number}": {
            "global_shap_values": dict(zip(names, shares.tolist(), strict=True)),
            "expected_value": float(expected),
        }
        for number, (shares, expected) in enumerate(zip(of_columns, base, strict=True))
    }
    return {"version": "1.0", "explanations": {"kernel_shap": outputs}}
