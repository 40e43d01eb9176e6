"""The sections of a report, in the order in which people read it: a function each."""

from collections.abc import Callable, Iterator

from sagetree.evaluate.calibration import GOOD_SLOPES
from sagetree.evaluate.report.bias.section import bias_section
from sagetree.evaluate.report.binary import BinaryFacts, Workload
from sagetree.evaluate.report.charts.outcomes import (
    between,
    gain_chart,
    learning_chart,
    precision_recall_chart,
    reliability_chart,
    roc_chart,
    scores_chart,
)
from sagetree.evaluate.report.charts.tasks import (
    confusion_chart,
    ndcg_chart,
    predicted_chart,
    residuals_chart,
    survival_chart,
)
from sagetree.evaluate.report.charts.tuning import (
    best_trials,
    chosen_in_folds,
    search_in_words,
    tuning_chart,
)
from sagetree.evaluate.report.column_sections import (
    drivers_section,
    profile_section,
    slices_section,
)
from sagetree.evaluate.report.facts import ReportFacts
from sagetree.evaluate.report.page.document import Chart, Row, Section, TextTable, shown
from sagetree.evaluate.report.savings import Saving
from sagetree.evaluate.report.tasks import ClassesFacts, NumberFacts, RankingFacts
from sagetree.evaluate.report.verdict_section import verdict_section
from sagetree.evaluate.verdict.operating_point import Called, OperatingPoint

# Classes in the table of classes.
MOST_CLASSES = 40


def title(facts: ReportFacts) -> str:
    """Return what a report is called."""
    name = facts.target.label or "the label"
    words = f"{name} = {facts.target.positive}" if facts.target.positive else name
    return f"How well the model predicts {shown(words)}"


def workload_section(facts: ReportFacts) -> Section | None:
    """Return what checking the highest scores finds, and saves."""
    outcome = facts.outcome
    if not isinstance(outcome, BinaryFacts):
        return None
    sentences = [
        "Rows are checked from the highest score down. By chance, 5 % of the rows have 5 % of "
        'the positive ones; "times chance" is how many times as many the model finds, that is how '
        "many times as many checks it would take to find as many without it. In brackets are "
        "95 % intervals."
    ]
    columns: Row = (
        "rows checked", "that is", "found", "of all positive rows", "of those checked",
        "times chance",
    )  # fmt: skip
    tables = [TextTable(columns, tuple(map(_workload_row, outcome.workloads)))]
    savings = tuple(
        _saving_row(load, load.saving) for load in outcome.workloads if load.saving is not None
    )
    if facts.point is not None and savings:
        sentences.append(
            f"What mistakes cost is set by the decision ({shown(facts.point.rule, 200)}). The "
            "amount found is what the positive rows among those checked would have cost, missed; "
            "saved is that less the cost of the false alarms among them."
        )
        columns = "rows checked", "amount found", "of all amounts", "saved"
        tables.append(TextTable(columns, savings))
    return Section(
        "workload", "What checking finds, and saves", tuple(sentences), tables=tuple(tables)
    )


def quality_section(facts: ReportFacts) -> Section:
    """Return how good scores or predictions are, in pictures."""
    outcome = facts.outcome
    if isinstance(outcome, BinaryFacts):
        return Section(
            "scores",
            "How good the scores are",
            tuple(_calibration_words(outcome, facts.rows_name)),
            charts=tuple(_binary_charts(facts, outcome)),
        )
    if isinstance(outcome, NumberFacts):
        words = ", ".join(
            f"{share:.0%} below {value:.4g}" for share, value in outcome.error_quantiles
        )
        charts = predicted_chart(outcome, facts.target.label), residuals_chart(outcome)
        return Section(
            "scores",
            "How good the predictions are",
            (f"Of the rows, what is true lies above what was predicted by: {words}.",),
            charts=charts,
        )
    if isinstance(outcome, ClassesFacts):
        return _classes_section(outcome)
    if isinstance(outcome, RankingFacts):
        (_, least), *others = outcome.quantiles
        words = ", ".join(f"{share:.0%}: {value:.4g}" for share, value in others)
        return Section(
            "scores",
            "How well groups are ordered",
            (f"Quantiles of the groups' ndcg: lowest {least:.4g}, {words}.",),
            charts=(ndcg_chart(outcome),),
        )
    return Section("scores", "How well times are told apart", (), charts=(survival_chart(outcome),))


def operating_section(facts: ReportFacts) -> Section | None:
    """Return who is called what at the threshold."""
    if facts.threshold is None or facts.confusion is None:
        return None
    (right, alarms), (missed, hits) = (facts.confusion[label].values() for label in facts.confusion)
    return Section(
        "operating",
        "At the threshold",
        (
            f"Rows with a score of at least {facts.threshold:.4g} are called positive "
            f"({facts.chosen}).",
        ),
        tables=(
            TextTable(
                ("rows that are", "called negative", "called positive"),
                (
                    ("negative", f"{right:g}", f"{alarms:g}"),
                    ("positive", f"{missed:g}", f"{hits:g}"),
                ),
            ),
            *_beside_others(facts.point),
        ),
    )


def _beside_others(point: OperatingPoint | None) -> Iterator[TextTable]:
    """Yield what the threshold gives beside 0.5 and beside calling all rows the same."""
    if point is None:
        return
    has_cost = point.chosen.cost is not None
    columns = "", "rows called positive", "precision", "recall", *(["cost"] if has_cost else [])
    called = point.chosen, point.even, point.constant
    yield TextTable(columns, tuple(tuple(_called_row(one, has_cost=has_cost)) for one in called))


def _called_row(called: Called, *, has_cost: bool) -> Iterator[str]:
    yield called.name
    for share in (called.alerts, called.precision, called.recall):
        yield "" if share is None else f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%})"
    if has_cost and called.cost is not None:
        yield f"{called.cost.value:,.0f} ({called.cost.low:,.0f} to {called.cost.high:,.0f})"


def metrics_section(facts: ReportFacts) -> Section:
    """Return every metric with its interval."""
    rows = [
        (metric.name, f"{metric.value:.5g}", between(metric.low, metric.high))
        for metric in facts.metrics
        if not metric.name.endswith("best_constant_classifier")
    ]
    beaten = (
        ()
        if facts.baseline is None
        else (f"A constant prediction gives {facts.headline} {facts.baseline:.4g}.",)
    )
    weighted = ("Rows count by their weights.",) if facts.are_weighted else ()
    return Section(
        "metrics",
        "All metrics",
        (*beaten, *weighted),
        tables=(TextTable(("metric", "value", "95 % interval"), tuple(rows)),),
    )


def learning_section(facts: ReportFacts) -> Section | None:
    """Return how training went."""
    curve = facts.curve
    if curve is None:
        return None
    names = dict.fromkeys(name.split("-", 1)[1] for name in curve.values)
    return Section(
        "learning",
        "How training went",
        (f"The model was chosen at round {curve.best}.",),
        charts=tuple(learning_chart(curve, name) for name in [*names][:4]),
    )


def facets_section(facts: ReportFacts) -> Section | None:
    """Return whom labels and predictions favour, where facets are named."""
    return bias_section(facts.bias) if facts.bias else None


def tuning_section(facts: ReportFacts) -> Section | None:
    """Return what a search of hyperparameters tried and chose."""
    history = facts.tuning
    if history is None:
        return None
    words, charts = search_in_words(history), (tuning_chart(history),)
    tables = best_trials(history), *([chosen_in_folds(history)] if history.folds else [])
    return Section("tuning", "What was tried", words, tables=tables, charts=charts)


def making_section(facts: ReportFacts) -> Section:
    """Return what the model is, and where it comes from."""
    making = facts.making
    rounds = sum(making.rounds)
    models = f" in {len(making.rounds)} models" if len(making.rounds) > 1 else ""
    tables = [
        TextTable(("setting", "value"), _rows(making.hyperparameters)),
        TextTable(("software", "version"), _rows(making.versions)),
        TextTable(
            ("channel", "rows", "sha256 of features and labels"),
            tuple((shown(n), str(d.rows), d.sha256) for n, d in making.data.items()),
        ),
    ]
    unknown = () if making.versions else ("The model does not store how it was trained.",)
    return Section(
        "making",
        "What the model is",
        (
            f"XGBoost's {making.objective}, {rounds} rounds{models}, {making.features} features of "
            f"{making.columns} columns. sha256 of the model: {making.sha256}.",
            *unknown,
        ),
        tables=tuple(table for table in tables if table.rows),
    )


SECTIONS: tuple[Callable[[ReportFacts], Section | None], ...] = (
    verdict_section,
    workload_section,
    quality_section,
    operating_section,
    metrics_section,
    learning_section,
    tuning_section,
    drivers_section,
    slices_section,
    facets_section,
    profile_section,
    making_section,
)


def _workload_row(load: Workload) -> tuple[str, ...]:
    return (
        f"{load.share:.0%}",
        f"{load.rows:,.0f} rows from {load.threshold:.4g}",
        f"{load.found:,.1f}".removesuffix(".0"),
        f"{load.caught:.1%} ({_shares(*load.caught_interval)})",
        f"{load.precision:.1%} ({_shares(*load.precision_interval)})",
        f"{load.lift:.1f}",
    )


def _saving_row(load: Workload, saving: Saving) -> Row:
    low, high = saving.saved_interval
    return (
        f"{load.share:.0%}",
        f"{saving.found:,.0f}",
        f"{saving.share:.1%}",
        f"{saving.saved:,.0f} ({low:,.0f} to {high:,.0f})",
    )


def _calibration_words(outcome: BinaryFacts, rows: str) -> Iterator[str]:
    if not outcome.reliability:
        yield "Scores are not probabilities: they only order the rows."
        return
    yield (
        f"The mean score is {outcome.mean_score:.4g}, and {outcome.share_positive:.4g} of the rows "
        "are positive."
    )
    before = outcome.before
    if before is not None:
        slope = "unknown" if before.slope is None else f"{before.slope:.3g}"
        yield f"Scores are calibrated ({before.method}): {before.why}. Before it, the slope of " + (
            f"these rows is {slope}."
        )
    if before is not None and before.fitted_on == rows:
        yield "The calibration is fitted on these same rows: it may be a little worse on new ones."
    if outcome.slope is None:
        yield "The calibration slope cannot be estimated from these rows."
        return
    low, high = GOOD_SLOPES
    meant = (
        "scores may be read as probabilities"
        if low <= outcome.slope <= high
        else "high scores are too high and low ones too low"
        if outcome.slope < low
        else "high scores are too low and low ones too high"
    )
    yield f"The calibration slope is {outcome.slope:.3g} (1 is right): {meant}."


def _binary_charts(facts: ReportFacts, outcome: BinaryFacts) -> Iterator[Chart]:
    yield roc_chart(outcome, facts.metric("auc").value)
    yield precision_recall_chart(outcome, facts.metric("aucpr").value)
    yield gain_chart(outcome)
    if outcome.reliability:
        yield reliability_chart(outcome)
    positive = f"{facts.target.label} = {facts.target.positive}"
    yield scores_chart(outcome, facts.threshold or 0.0, positive)


def _classes_section(outcome: ClassesFacts) -> Section:
    largest = sorted(outcome.classes, key=lambda found: -found.rows)[:MOST_CLASSES]
    rows = tuple(
        (
            shown(found.name), f"{found.rows:g}", f"{found.recall:.1%}",
            _shares(*found.recall_interval), f"{found.precision:.1%}",
        )
        for found in largest
    )  # fmt: skip
    more = len(outcome.classes) - len(largest)
    return Section(
        "scores",
        "How well each class is found",
        (f"{more} smaller classes are left out of the table.",) if more else (),
        tables=(
            TextTable(("class", "rows", "found (recall)", "95 % interval", "precision"), rows),
        ),
        charts=(confusion_chart(outcome),),
    )


def _rows(values: object) -> tuple[tuple[str, str], ...]:
    items = values.items() if isinstance(values, dict) else ()
    return tuple((shown(name), shown(value, 200)) for name, value in items)


def _shares(low: float, high: float) -> str:
    return f"{low:.1%} to {high:.1%}"
