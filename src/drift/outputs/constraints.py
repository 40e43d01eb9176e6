"""constraints.json and constraint_violations.json, as Model Monitor writes them.

Shapes: developer guide, "Schema for Constraints" and "Schema for Violations". The thresholds of
kinds and of domains are, as its own container writes them, the share of cells that must match.
"""

from collections.abc import Mapping

from sagetree.drift.measures.columns import ColumnDrift, tolerance
from sagetree.drift.measures.drift import Drift
from sagetree.drift.outputs.kinds import trained_type
from sagetree.drift.settings import Limits

Json = Mapping[str, object]

# Longer lists of categories are not demanded: Model Monitor has them "for small cardinality".
MOST_DOMAINS = 100


def constraints_json(drift: Drift) -> Json:
    """Return what was demanded of the columns, to be given to the next run as it is or changed."""
    limits = drift.limits
    return {
        "version": 0.0,
        "features": [_feature(column, limits) for column in drift.columns],
        "monitoring_config": {
            "evaluate_constraints": _enabled(limits.evaluates),
            "emit_metrics": _enabled(limits.emits_metrics),
            "datatype_check_threshold": limits.kinds,
            "domain_content_threshold": limits.domains,
            "distribution_constraints": {
                "perform_comparison": _enabled(limits.compares),
                "comparison_threshold": limits.comparison,
                "comparison_method": "Simple",
            },
        },
    }


def _enabled(is_on: bool) -> str:
    return "Enabled" if is_on else "Disabled"


def _feature(column: ColumnDrift, limits: Limits) -> Json:
    known = column.known
    kind = trained_type(column)
    found: dict[str, object] = {"name": known.name, "inferred_type": kind}
    demanded = limits.completeness.get(known.name)
    if demanded is None and known.missing is not None:
        demanded = round(max(0.0, 1 - known.missing - tolerance(limits.kinds)), 6)
    if demanded is not None:
        found["completeness"] = demanded
    if kind != "String" and known.least is not None:
        found["num_constraints"] = {"is_non_negative": known.least >= 0}
    words = column.cells.words
    if kind == "String" and words and len(words) <= MOST_DOMAINS:
        found["string_constraints"] = {"domains": list(words)}
    return found


def violations_json(drift: Drift) -> Json:
    """Return all that counts, the most serious first."""
    return {
        "violations": [
            {
                "feature_name": one.feature,
                "constraint_check_type": one.check,
                "description": f"{one.severity.word}: {one.description}",
                **({"metric_name": one.metric} if one.metric else {}),
            }
            for one in drift.findings
        ]
    }
