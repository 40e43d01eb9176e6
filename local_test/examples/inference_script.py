"""Your own answers: claims in an envelope come in, a decision and its score for each go out.

The model is loaded and asked by sagetree, as there is neither model_fn nor predict_fn here.
"""

import json
from collections.abc import Sequence

LOOK_AT = 0.05


def input_fn(body: str, content_type: str) -> list[dict[str, object]]:
    """Return the claims of {"claims": [{column: value}, ...]} as records."""
    if not content_type.startswith("application/json"):
        raise ValueError(f"send application/json, not {content_type}")
    return list(json.loads(body)["claims"])


def output_fn(scores: Sequence[float], accept: str) -> tuple[str, str]:  # noqa: ARG001
    """Return the decisions and their content type: JSON, whatever a client accepts."""
    decisions = [
        {"decision": "look at" if score >= LOOK_AT else "pay", "score": round(float(score), 4)}
        for score in scores
    ]
    return json.dumps({"decisions": decisions}), "application/json"
