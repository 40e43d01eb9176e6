"""Write what follows from the hyperparameters and metrics: algorithm.json, hyperparameters.md.

    make generated

algorithm.json is the TrainingSpecification of SageMaker's CreateAlgorithm, all
but the TrainingImage: with it the console, SDKs and tuning jobs know names,
types, ranges, metrics and channels. hyperparameters.md is the same for people.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from sagetree.boosters.objectives import OBJECTIVES
from sagetree.formats.media_types import FILE_TYPES, OTHER_NAMES
from sagetree.train.boosting.progress import metric_pattern
from sagetree.train.hyperparameters.eval_metrics import METRICS, Metric
from sagetree.train.hyperparameters.objective_rules import defined_for
from sagetree.train.hyperparameters.parameter import Hyperparameter
from sagetree.train.hyperparameters.parameters import OWN, UNUSED
from sagetree.train.hyperparameters.presets import SAGETREE, SAGETREE_DEPTHS, SAGETREE_OTHERS
from sagetree.train.hyperparameters.xgboost_parameters import (
    BY_OBJECTIVE,
    DART,
    GENERAL,
    LINEAR,
    TREES,
)

FOLDER = Path(__file__).parent

# SageMaker wants some named: machines that train on their own, whatever their size.
INSTANCES = [
    f"ml.{family}.{size}"
    for family in ("m5", "m6i", "m7i", "r5", "r6i", "r7i", "c7i")
    for size in ("large", "xlarge", "2xlarge", "4xlarge", "12xlarge")
]

CHANNELS = (
    ("train", "rows to learn from", True),
    ("validation", "rows that choose the rounds and the threshold", False),
    ("test", "rows that are only scored", False),
    ("model", "a model to go on from", False),
)

# CreateAlgorithm takes 100 hyperparameters. These say how a job runs, and nothing of what it
# learns; a training job by the image takes them too.
UNSPECIFIED = (
    "validate_parameters", "max_cached_hist_node", "checkpoint_interval", "checkpoint_seconds",
    "checkpoints_kept",
)  # fmt: skip

MODEL_TYPE = "application/x-sagemaker-model"


def main() -> int:
    """Write both files beside this one."""
    for name, content in files().items():
        (FOLDER / name).write_text(content)
    return 0


def files() -> dict[str, str]:
    """Return each generated file's name and content."""
    specification = orjson.dumps(algorithm(), option=orjson.OPT_INDENT_2).decode()
    return {"algorithm.json": specification + "\n", "hyperparameters.md": document()}


def algorithm() -> dict[str, Any]:
    """Return the TrainingSpecification without its TrainingImage."""
    parameters = (*OWN, *GENERAL, *TREES, *DART, *LINEAR, *BY_OBJECTIVE)
    return {
        "SupportedHyperParameters": [
            _specified(parameter) for parameter in parameters if parameter.name not in UNSPECIFIED
        ],
        "SupportedTrainingInstanceTypes": INSTANCES,
        "SupportsDistributedTraining": True,
        "MetricDefinitions": [
            {"Name": f"validation:{metric.name}", "Regex": metric_pattern(metric)}
            for metric in METRICS.values()
        ],
        "TrainingChannels": [_channel(*channel) for channel in CHANNELS],
        "SupportedTuningJobObjectiveMetrics": [
            {
                "Type": "Maximize" if metric.maximize else "Minimize",
                "MetricName": f"validation:{metric.name}",
            }
            for metric in METRICS.values()
        ],
    }


def _specified(parameter: Hyperparameter) -> dict[str, Any]:
    specification: dict[str, Any] = {
        "Name": parameter.name,
        "Description": parameter.help,
        "Type": parameter.type.sagemaker,
        "IsTunable": parameter.tuned is not None,
        "IsRequired": False,
    }
    if found := parameter.type.range():
        specification["Range"] = found
    if parameter.default:
        specification["DefaultValue"] = parameter.default
    return specification


def _channel(name: str, description: str, required: bool) -> dict[str, Any]:
    return {
        "Name": name,
        "Description": description,
        "IsRequired": required,
        "SupportedContentTypes": [MODEL_TYPE]
        if name == "model"
        else sorted({*FILE_TYPES, *OTHER_NAMES}),
        "SupportedCompressionTypes": ["None"],
        "SupportedInputModes": ["File"] if name == "model" else ["File", "FastFile"],
    }


def document() -> str:
    """Return hyperparameters.md."""
    sections = (
        ("sagetree's own", OWN),
        ("XGBoost's: all boosters", GENERAL),
        ("XGBoost's: trees", TREES),
        ("XGBoost's: booster dart", DART),
        ("XGBoost's: booster gblinear", LINEAR),
        ("XGBoost's: single objectives", BY_OBJECTIVE),
        ("Taken, and without effect", UNUSED),
    )
    lines = [
        "# Hyperparameters and metrics",
        "",
        "Made by `make generated`; change `src/train` instead. Defaults in brackets are those of",
        "`preset=sagetree`: for a label of two values, and for other labels if there is a second",
        "(else XGBoost's). Without brackets they are XGBoost's or sagetree's own.",
        "",
        "CreateAlgorithm takes 100 of them; jobs by an algorithm cannot set these, which are not",
        f"in algorithm.json: {', '.join(f'`{name}`' for name in UNSPECIFIED)}.",
    ]
    for title, parameters in sections:
        lines += ["", f"## {title}", "", *_table(_ROWS, map(_row, parameters))]
    lines += [
        "",
        "## Metrics of `eval_metric`",
        "",
        "Those of what rows of two classes are called (f1, accuracy, precision, recall, and what",
        "begins like them) are at the threshold with the greatest F1 of the rows they are of, as",
        "the job chooses its own; rows of the test channel are called by that. Where the last",
        "metric is one of them, `error` or `merror`, log loss stops the rounds in its place. With",
        "`preset=xgboost` they are at 0.5 and stop the rounds themselves.",
        "",
        *_table(_METRIC_ROWS, _metric_rows()),
    ]
    return "\n".join([*lines, ""])


_ROWS = ("name", "what it is", "takes", "default", "worth tuning")
_METRIC_ROWS = ("name", "what it is", "better", "objectives")


def _row(parameter: Hyperparameter) -> tuple[str, ...]:
    tuned = parameter.tuned
    return (
        ", ".join(f"`{name}`" for name in (parameter.name, *parameter.aliases)),
        parameter.help,
        parameter.type.allowed,
        _default(parameter),
        f"{tuned.low:g} to {tuned.high:g}" if tuned else "",
    )


def _default(parameter: Hyperparameter) -> str:
    name = parameter.name
    if name == "max_depth":
        return f"[{', '.join(map(str, sorted(SAGETREE_DEPTHS)))}: the job tries]"
    if name not in SAGETREE:
        return parameter.default
    others = f", {SAGETREE_OTHERS[name][0]:g}" if name in SAGETREE_OTHERS else ""
    return f"[{SAGETREE[name][0]:g}{others}]"


def _metric_rows() -> Iterator[tuple[str, ...]]:
    for metric in METRICS.values():
        better = "more" if metric.maximize else "less"
        yield f"`{metric.name}`", metric.help, better, ", ".join(_objectives(metric))


def _objectives(metric: Metric) -> Sequence[str]:
    """Return the objectives a metric is defined for, a whole family as `rank:*`."""
    names = [n for n, o in OBJECTIVES.items() if metric.name in defined_for(_of(n), o)]
    found: dict[str, None] = {}
    for name in names:
        family = name.partition(":")[0]
        whole = [other for other in OBJECTIVES if other.startswith(f"{family}:")]
        found[f"{family}:*" if set(whole) <= set(names) else name] = None
    return tuple(found)


def _of(objective: str) -> dict[str, Any]:
    return {"objective": objective}


def _table(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


if __name__ == "__main__":
    sys.exit(main())
