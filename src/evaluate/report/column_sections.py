"""The sections that go column by column: what moves scores, where they are weak, what rows are."""

from collections.abc import Iterator

from sagetree.evaluate.report.charts.columns import (
    DEPENDENCES,
    beeswarm_chart,
    dependence_chart,
    importance_chart,
)
from sagetree.evaluate.report.charts.outcomes import between
from sagetree.evaluate.report.drivers import SHUFFLED_COLUMNS, Driver, DriverFacts
from sagetree.evaluate.report.facts import ReportFacts
from sagetree.evaluate.report.page.document import Chart, Row, Section, TextTable, shown
from sagetree.evaluate.report.profile import LARGE_SHIFT, ColumnProfile
from sagetree.evaluate.report.slices import (
    AUC,
    CONCORDANCE,
    IN_ORDER,
    LEAST_GROUPS,
    LEAST_PER_LABEL,
    LEAST_ROWS,
    Slice,
    SliceFacts,
)

# What falls outside of a 95 % interval on its worse side by chance alone.
_BY_CHANCE = 0.025

# What else a part needs, by the metric.
_LEAST = {
    AUC: f" or {LEAST_PER_LABEL} of either label",
    IN_ORDER: f" or {LEAST_GROUPS} groups with an order",
    CONCORDANCE: f" or {LEAST_PER_LABEL} events",
}


def drivers_section(facts: ReportFacts) -> Section:
    """Return what moves the scores."""
    drivers = facts.drivers
    rows = tuple(map(_driver_row, drivers.columns[:SHUFFLED_COLUMNS]))
    columns = ("column", "mean |SHAP|", "gain", f"loss of {drivers.metric} if shuffled")
    return Section(
        "drivers",
        "What moves the scores",
        tuple(_driver_words(drivers)),
        tables=(TextTable(columns if drivers.shuffled_rows else columns[:3], rows),),
        charts=tuple(_driver_charts(drivers)),
    )


def slices_section(facts: ReportFacts) -> Section | None:
    """Return the parts of the rows in which the model is worst."""
    slices = facts.slices
    if slices is None or not slices.compared:
        return None
    labelled = facts.positives is not None
    columns: Row = ("rows with", "rows", "positive", slices.metric, "95 % interval", "")
    rows = tuple(_slice_row(found) for found in slices.worst)
    if not labelled:
        columns = (*columns[:2], *columns[3:])
        rows = tuple((*row[:2], *row[3:]) for row in rows)
    return Section(
        "slices",
        "Where the model is weak",
        tuple(_slice_words(slices)),
        tables=(TextTable(columns, rows),),
    )


def profile_section(facts: ReportFacts) -> Section:
    """Return what the rows are, beside those of training."""
    found = facts.profile
    more = (f"{found.more_columns} more columns are left out here.",) if found.more_columns else ()
    shifted = ", ".join(shown(name, 30) for name in found.shifted[:20])
    words = (
        f"Columns whose cells differ much from those of training (stability index of at least "
        f"{LARGE_SHIFT}): {shifted}."
        if shifted
        else "No column differs much from training, by the stability index."
        if any(c.shift is not None for c in found.columns)
        else "The model does not store what its training rows were like."
    )
    return Section(
        "data",
        "What the rows are",
        (
            f"Counted over {found.rows} rows.",
            words,
            *more,
            "Outliers lie more than 3 times the distance of the quartiles beyond them; unseen are "
            "categories that training did not have; of numbers the second to fourth are the 5 %, "
            "50 % and 95 % quantiles.",
        ),
        tables=(
            TextTable(
                (
                    "column", "kind", "missing", "missing in training", "distinct",
                    "most frequent, or least to greatest", "outliers", "unseen", "stability index",
                ),
                tuple(map(_profile_row, found.columns)),
            ),
        ),
    )  # fmt: skip


def _driver_words(drivers: DriverFacts) -> Iterator[str]:
    if drivers.explained_rows:
        yield f"SHAP values are of {drivers.explained_rows} rows, evenly taken from all."
    else:
        yield "A model of this kind has no SHAP values."
    if drivers.shuffled_rows:
        yield (
            f"A column is shuffled among {drivers.shuffled_rows} rows, three times: what is lost "
            f"in {drivers.metric} is what the model draws from it. Columns that say the same "
            "stand in for each other, and each then loses little."
        )
    else:
        yield "What shuffling costs is not shown: the model may have learnt from these rows."


def _driver_row(driver: Driver) -> tuple[str, ...]:
    shares = tuple(
        "-" if share is None else f"{share:.1%}" for share in (driver.mean_abs_shap, driver.gain)
    )
    if driver.shuffled is None:
        return (shown(driver.column), *shares)
    return (shown(driver.column), *shares, f"{driver.shuffled:.4f} ± {driver.deviation or 0:.4f}")


def _driver_charts(drivers: DriverFacts) -> Iterator[Chart]:
    if any(driver.gain or driver.mean_abs_shap for driver in drivers.columns):
        yield importance_chart(drivers)
    if drivers.pictured:
        yield beeswarm_chart(drivers)
        yield from map(dependence_chart, drivers.pictured[:DEPENDENCES])


def _slice_words(slices: SliceFacts) -> Iterator[str]:
    least = f"{LEAST_ROWS} rows{_LEAST.get(slices.metric, '')}"
    if slices.metric == IN_ORDER:
        yield "Of two rows of a group the more relevant one should have the higher score."
    yield (
        f"{slices.compared} parts of {slices.rows} rows were compared with all of them, whose "
        f"{slices.metric} is {slices.whole:.4g}; {slices.too_small} parts have fewer than {least}."
    )
    yield (
        f"In {slices.weak} of them the whole 95 % interval is worse. By chance alone that would "
        f"be about {slices.compared * _BY_CHANCE:.1f}: a single one is a question to ask, not a "
        "finding."
    )


def _slice_row(found: Slice) -> tuple[str, ...]:
    return (
        f"{shown(found.column, 40)}: {shown(found.value, 40)}",
        str(found.rows),
        "" if found.positives is None else str(found.positives),
        f"{found.metric:.4g}",
        between(*found.interval),
        "weak" if found.is_weak else "",
    )


def _profile_row(column: ColumnProfile) -> tuple[str, ...]:
    common = ", ".join(f"{shown(name, 20)} {share:.0%}" for name, share in column.common)
    return (
        shown(column.column),
        column.kind,
        f"{column.missing:.1%}",
        _share(column.missing_in_training),
        str(column.distinct),
        common or " … ".join(column.quantiles) or "-",
        _share(column.outliers),
        _share(column.unseen),
        "-" if column.shift is None else f"{column.shift:.2f}",
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
