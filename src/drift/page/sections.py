"""The sections of the page, in the order in which people read it: a function each."""

from collections.abc import Callable, Iterator

from sagetree.drift.measures.columns import ColumnDrift
from sagetree.drift.measures.drift import Drift
from sagetree.drift.measures.findings import Severity
from sagetree.drift.page.charts import groups_chart, steps_chart
from sagetree.drift.settings import FALSE_ALARMS, SERIOUS_ABSENT, SERIOUS_COMPARISON
from sagetree.evaluate.report.page.document import Chart, KeyFigure, Section, TextTable, shown

TITLE = "What the model is asked, beside what it was trained on"

# Columns whose values are drawn.
MOST_CHARTS = 12

_WORDS = {
    Severity.NONE: "No drift",
    Severity.MODERATE: "Moderate drift",
    Severity.SERIOUS: "Serious drift",
}


def verdict_section(drift: Drift) -> Section:
    """Return what counts."""
    capture, findings = drift.capture, drift.findings
    changed = {one.feature for one in findings}
    columns = sum(column.known.name in changed for column in drift.columns)
    figures = [
        KeyFigure("rows", str(capture.rows.rows), _of_requests(drift)),
        KeyFigure("columns", f"{columns} of {len(drift.columns)}", "have changed"),
        KeyFigure("drift", drift.severity.word, f"{len(findings)} violations"),
    ]
    rows = tuple(
        (shown(one.feature, 40), f"{one.severity.word}: {shown(one.description, 300)}")
        for one in findings
    )
    table = TextTable(("column", "what has changed"), rows, ends_in_words=True)
    said = f"{_WORDS[drift.severity]}: " + (
        "nothing has changed by more than chance explains."
        if not findings
        else "what is below is more than chance explains."
    )
    disabled = () if drift.limits.evaluates else ("By the constraints nothing is judged.",)
    return Section(
        "verdict",
        _WORDS[drift.severity],
        (said, *disabled),
        tuple(figures),
        (table,) if rows else (),
    )


def _of_requests(drift: Drift) -> str:
    requests = drift.capture.requests
    return f"of {requests} captured requests" if requests else "of plain tables"


def scores_section(drift: Drift) -> Section:
    """Return how the scores are spread."""
    charts: list[Chart] = []
    rows = []
    for one in drift.scores:
        mean = f"{float(one.values.mean()):.4g}"
        if one.spread is None:
            rows.append((shown(one.name, 40), mean, "-", "-", "not known of training"))
            continue
        index, distance = f"{one.spread.index:.3f}", f"{one.spread.distance:.3f}"
        rows.append((shown(one.name, 40), mean, index, distance, one.severity.word))
        charts.append(groups_chart(one.name, one.spread))
    columns = "score", "mean now", "stability index", "distance", "drift"
    return Section(
        "scores",
        "What the model answers",
        (
            "The captured rows are scored again. They are compared with training's: with rows held "
            "out from other models, or with the model's own rows, whichever is nearer.",
        ),
        tables=(TextTable(columns, tuple(rows)),),
        charts=tuple(charts[:MOST_CHARTS]),
    )


def decay_section(drift: Drift) -> Section | None:
    """Return how good the scores are of rows whose labels are known."""
    decay = drift.decay
    if decay is None:
        return None
    rows = len(decay.labels.labels)
    said = [
        f"{rows} rows have a label that came later, found by {shown(decay.labels.key, 40)}; "
        f"{decay.labels.unmatched} have none so far."
    ]
    if decay.unmeasured:
        said.append(f"{decay.unmeasured[:1].upper()}{decay.unmeasured[1:]}.")
    figures = []
    if decay.value is not None:
        note = "not known of training"
        if decay.before is not None:
            note = f"in training {decay.before:.4g}"
        figures.append(KeyFigure(decay.metric, f"{decay.value:.4g}", note))
    if decay.lost is not None:
        note = "of its advantage over a constant prediction"
        figures.append(KeyFigure("lost", f"{max(decay.lost, 0.0):.0%}", note))
    return Section("labels", "How good the answers were", tuple(said), tuple(figures))


def columns_section(drift: Drift) -> Section:
    """Return every column, and those that have changed in pictures."""
    ordered = sorted(drift.columns, key=_urgency)
    rows = tuple(map(_column_row, ordered))
    columns = (
        "column", "kind", "drift", "stability index", "distance", "missing", "missing in training",
        "new categories",
    )  # fmt: skip
    said = [
        "Columns that have changed come first. The stability index and the distance (of numbers "
        "that of Kolmogorov and Smirnov, of categories the largest difference of a share) are of "
        "cells that have a value."
    ]
    moments = [shown(c.known.name, 40) for c in drift.columns if c.known.is_moment]
    if moments:
        said.append(f"Dates are later as time goes on, and not judged: {', '.join(moments)}.")
    unknown = [shown(column.known.name, 40) for column in drift.columns if column.unmeasured]
    if unknown:
        said.append(f"The model's bundle does not hold the values of {', '.join(unknown)}.")
    return Section(
        "columns",
        "Column by column",
        tuple(said),
        tables=(TextTable(columns, rows),),
        charts=tuple(_charts(ordered)),
    )


def _urgency(column: ColumnDrift) -> tuple[int, float]:
    found = column.shown
    return -column.severity, -(found.index if found else 0.0)


def _charts(ordered: list[ColumnDrift]) -> Iterator[Chart]:
    changed = [column for column in ordered if column.severity and column.shown is not None]
    for column in changed[:MOST_CHARTS]:
        if column.shown is not None:
            yield groups_chart(column.known.name, column.shown)
            chart = steps_chart(column.known.name, column.shown)
            if chart is not None:
                yield chart


def _column_row(column: ColumnDrift) -> tuple[str, ...]:
    found, known = column.shown, column.known
    return (
        shown(known.name, 40),
        known.kind,
        "not judged" if known.is_moment and not column.severity else column.severity.word,
        "-" if found is None else f"{found.index:.3f}",
        "-" if found is None else f"{found.distance:.3f}",
        f"{column.missing:.1%}",
        "-" if known.missing is None else f"{known.missing:.1%}",
        "-" if column.unseen is None else f"{column.unseen:.1%}",
    )


def left_out_section(drift: Drift) -> Section | None:
    """Return what was captured and has no part in the figures."""
    capture = drift.capture
    refusals = capture.refusals
    said = []
    if capture.outside:
        said.append(f"{capture.outside} requests were made outside of the window.")
    if capture.without_input:
        said.append(f"{capture.without_input} requests were captured without their input.")
    if refusals.extra:
        names = ", ".join(shown(name, 40) for name in refusals.extra)
        said.append(f"Columns of tables that the model does not know: {names}.")
    if refusals.rows:
        said.append(f"{refusals.rows} rows or requests cannot be scored.")
    if not said:
        return None
    rows = tuple(
        (shown(reason.column, 40), f"{count}, such as {shown(refusals.examples[reason], 200)}")
        for reason, count in refusals.by_reason.most_common()
    )
    tables = (TextTable(("column", "rows or requests"), rows, ends_in_words=True),) if rows else ()
    return Section("left-out", "What was left out", tuple(said), tables=tables)


def method_section(drift: Drift) -> Section:
    """Return how it is decided what counts."""
    limits = drift.limits
    return Section(
        "method",
        "How a change is judged",
        (
            f"A change counts where it is large and chance does not explain it. Of all checks "
            f"together, one run in {1 / FALSE_ALARMS:.0f} on rows like training's may raise an "
            f"alarm: each check may err by {drift.chance:.2g}.",
            f"Values have changed from a stability index or a distance of {limits.comparison:g} "
            f"on, seriously from {SERIOUS_COMPARISON:g} on. Missing cells and new categories count "
            f"from {1 - limits.kinds:.0%} and {1 - limits.domains:.0%} beyond training's on, "
            f"seriously from {SERIOUS_ABSENT:.0%} on. Categories with one row each in training "
            "are expected to have others like them.",
        ),
    )


SECTIONS: tuple[Callable[[Drift], Section | None], ...] = (
    verdict_section,
    decay_section,
    scores_section,
    columns_section,
    left_out_section,
    method_section,
)
