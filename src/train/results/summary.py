"""What a training job tells a person at its end: the model, and how good it is."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from sagetree.boosters.library import NativeBooster
from sagetree.boosters.trees import has_splits
from sagetree.decisions.decision import Decision
from sagetree.errors import quote
from sagetree.evaluate.importance import Importance
from sagetree.evaluate.metrics.binary import Evaluation
from sagetree.evaluate.metrics.measured import Measured
from sagetree.evaluate.verdict.learnt import why_nothing
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG
from sagetree.tables.label import AnyLabel, Label
from sagetree.train.boosting.results import ValidationResult

# The most important columns, in two halves beside each other.
COLUMNS = 10

# What a column's shares are of.
_WORDS = {"mean_abs_shap": "the mean |SHAP|", "gain": "the gain"}

# Longer names of columns are cut, so that two of them fit into a line.
NAME_WIDTH = 30


def _models(rounds: Sequence[int]) -> str:
    if len(rounds) == 1:
        return f"Model of {rounds[0]} rounds"
    least, most = min(rounds), max(rounds)
    made = f"{least} rounds each" if least == most else f"{least} to {most} rounds"
    return f"Ensemble of {len(rounds)} models of {made}"


def summary(
    result: ValidationResult,
    evaluation: Evaluation | Measured | None,
    decision: Decision | None,
    label: AnyLabel | None,
    importance: Mapping[str, Importance],
    opt_ml: OptMl,
) -> str:
    """Return the result of a job in at most ten lines, behind an empty one."""
    text = f"\n{_models(result.best)}."
    if isinstance(evaluation, Evaluation):
        low, high = evaluation.auc_interval
        text += (
            f" On {result.rows}: AUC {evaluation.auc:.4f} (95 % interval {low:.4f} to {high:.4f})."
        )
    elif evaluation is not None:
        name = evaluation.headline
        text += (
            f" On {result.rows}: {name} {evaluation.scalars[name]:.4g} "
            f"(a constant prediction gives {evaluation.baseline:.4g})."
        )
    if isinstance(evaluation, Evaluation) and decision is not None and isinstance(label, Label):
        found = evaluation.scalars
        text += (
            f"\nRows whose score, {label.probability}, is at least {decision.threshold:.4g} are "
            f"called {quote(label.positive)}: {found['precision']:.1%} of these are right, and "
            f"{found['recall']:.1%} of all rows that are {quote(label.positive)} are among them."
        )
    elif isinstance(label, Label):
        text += f"\nThe higher a row's score, the more likely is {label.name} = {label.positive}."
    last = f"The model reloads and repeats its scores bit for bit; it lies in {opt_ml.model}"
    return "\n".join([text, *_columns(importance), last])


def _columns(importance: Mapping[str, Importance]) -> Iterator[str]:
    """Yield the most important columns as a table; nothing where no column has any importance."""
    shown = [(n, i.measured()) for n, i in importance.items() if any(i.measured().values())]
    shown = shown[:COLUMNS]
    if not shown:
        return
    kinds = " and of ".join(_WORDS[kind] for kind in shown[0][1])
    yield f"The columns that count most, with their shares of {kinds}:"
    width = min(NAME_WIDTH, max(len(name) for name, _ in shown))
    cells = [_cell(place, *column, width) for place, column in enumerate(shown, start=1)]
    half = -(-len(cells) // 2)
    for pair in zip_longest(cells[:half], cells[half:], fillvalue=""):
        yield "   ".join(pair).rstrip()


def _cell(place: int, name: str, shares: Mapping[str, float], width: int) -> str:
    named = name if len(name) <= width else f"{name[: width - 1]}…"
    return "  ".join([f"{place:4} {named:{width}}", *(f"{s:6.1%}" for s in shares.values())])


def warn_of_nothing_learnt(
    models: Sequence[bytes], result: ValidationResult, evaluation: Evaluation | Measured | None
) -> None:
    """Log a warning where a model of splits tells no rows apart that were measured."""
    has_split = any(has_splits(NativeBooster(model)) for model in models)
    if has_split and evaluation and (why := why_nothing(evaluation)):
        LOG.warning("Warning: the model has learnt nothing that shows on %s: %s", result.rows, why)
