"""The walk of an evaluation: a model and labelled rows to metrics and a verdict."""

from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from evaluate.archive import open_model
from evaluate.gate import Verdict, decide
from evaluate.metrics import Evaluation, evaluate
from evaluate.sagemaker import evaluation_json
from sagetree.cells import MissingValues
from sagetree.cores import usable_cores
from sagetree.csv_text import CsvText
from sagetree.errors import DataError
from sagetree.label import Label
from sagetree.model import Model
from sagetree.paths import OptMl
from sagetree.program import LOG
from sagetree.reading import looks_like_header, read_table
from sagetree.table import Table

# Without a stored decision the scores are cut where probabilities are even.
EVEN = 0.5

REJECTED = 1


@dataclass(frozen=True)
class EvaluateSettings:
    """What the command line says; `threshold` None is the model's own."""

    threshold_auc: float
    threshold: float | None
    fail_below: bool


def run(opt_ml: OptMl, settings: EvaluateSettings) -> int:
    """Evaluate processing/model on processing/test and return the exit code.

    Writes evaluation.json and decision.json to processing/evaluation. The code
    is 1 for a rejected model if `fail_below` is set, else 0. Raises UserError
    for a model or rows that cannot be used.
    """
    with open_model(opt_ml.processing / "model") as folder:
        model = Model.load(folder, threads=usable_cores())
    table = _read(opt_ml.processing / "test", model)
    label = model.schema.label or Label(name=table.names[0], negative="0", positive="1")
    labels, rows = label.encode(table, MissingValues.of(model.features.missing_values))
    evaluation = evaluate(
        labels,
        model.score(rows),
        _threshold(settings, model),
        where=str(opt_ml.processing / "test"),
    )
    verdict = decide(evaluation.auc, evaluation.auc_interval, settings.threshold_auc)
    _write(opt_ml.processing / "evaluation", evaluation, verdict)
    LOG.info(_summary(evaluation, verdict))
    if verdict.warning:
        LOG.warning("WARNING: %s", verdict.warning)
    return REJECTED if settings.fail_below and not verdict.approved else 0


def _read(folder: Path, model: Model) -> Table:
    """Return the labelled rows; a header is known by the trained names, or by its looks."""

    def is_header(text: CsvText) -> bool:
        return model.schema.is_header(text.first_row) or looks_like_header(text)

    table = read_table(folder, is_header)
    if len(table.names) < 2:
        raise DataError(
            "there is one column, where label and features are needed",
            where=table.locate(0),
            hint="Separate the cells by commas",
        )
    if table.named and not model.schema.named and model.schema.label is None:
        return replace(table, named=False)  # a model without names takes columns in order
    return table


def _threshold(settings: EvaluateSettings, model: Model) -> float:
    if settings.threshold is not None:
        return settings.threshold
    return model.decision.threshold if model.decision else EVEN


def _write(folder: Path, evaluation: Evaluation, verdict: Verdict) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "evaluation.json": evaluation_json(evaluation),
        "decision.json": verdict.as_json(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))


def _summary(evaluation: Evaluation, verdict: Verdict) -> str:
    low, high = verdict.interval
    values = evaluation.scalars
    return (
        f"{evaluation.rows} rows, {evaluation.positives} positive\n"
        f"AUC {verdict.auc:.4f} (95 % interval {low:.4f} to {high:.4f})\n"
        f"At the threshold {evaluation.threshold:.4g}: precision {values['precision']:.1%}, "
        f"recall {values['recall']:.1%}, accuracy {values['accuracy']:.1%}\n"
        f"{verdict.verdict}: {verdict.reason}"
    )
