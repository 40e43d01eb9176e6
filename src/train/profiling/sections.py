"""The sections of a profile, in the order in which people read them: a function each."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import assert_never

import numpy as np

from sagetree.evaluate.report.bias.section import bias_section
from sagetree.evaluate.report.columns import CodedColumn
from sagetree.evaluate.report.page.document import KeyFigure, Row, Section, TextTable, shown
from sagetree.train.profiling.associations import Pair
from sagetree.train.profiling.charts import matrix_chart, missing_chart, spread_chart
from sagetree.train.profiling.facts import ColumnFacts, TableFacts
from sagetree.train.profiling.findings import findings
from sagetree.train.profiling.shapes import NumberSummary

# Names that are listed without anything else, and pairs in a table.
MOST_LISTED, MOST_PAIRS = 1000, 30

# Top values in a table; charts have more.
_TOP = 5

_REASON = 300


def title(facts: TableFacts) -> str:
    """Return what a profile is called."""
    more = f" and {len(facts.files) - 1} more files" if len(facts.files) > 1 else ""
    return f"What is in {shown(facts.files[0])}{more}"


def overview_section(facts: TableFacts) -> Section:
    """Return how much there is, and what to look at first."""
    said = findings(facts)
    rows = tuple((what, shown(text, _REASON)) for what, text in said)
    words = "What to check before training." if rows else "Nothing stands out."
    return Section(
        "overview",
        "At a glance",
        tuple(filter(None, (facts.no_label, words))),
        figures=tuple(_figures(facts)),
        tables=(TextTable(("what", "where"), rows, ends_in_words=True),) if rows else (),
    )


def label_section(facts: TableFacts) -> Section | None:
    """Return how the label is spread, and which columns go with it."""
    label = facts.label
    if label is None:
        return None
    words = "How the label is spread."
    own = facts.groups.one(facts.rows)
    charts = (spread_chart(label.column, label.shape, own, words),) if label.shape else ()
    tables = [
        TextTable(
            ("column", "measure", "value", "Spearman's", "rows"),
            tuple(
                (shown(pair.second), *_pair_cells(pair)) for pair in facts.with_label[:MOST_PAIRS]
            ),
            "How much columns go with the label, the strongest first",
        )
    ]
    if label.numbers:
        row = _number_row(label.column, label.numbers)
        tables.insert(0, TextTable(NUMBER_COLUMNS, (row,)))
    return Section(
        "label",
        f"The label: {shown(label.column.name)}",
        (_sampled(facts),),
        tables=tuple(table for table in tables if table.rows),
        charts=charts,
    )


def columns_section(facts: TableFacts) -> Section:
    """Return what training would take each column for."""
    rows = tuple(
        (
            shown(one.name), one.taken.kind, _share(one.missing, facts.rows), str(one.distinct),
            shown(one.taken.reason, _REASON),
        )
        for one in facts.shown
    )  # fmt: skip
    return Section(
        "columns",
        "What training would take each column for",
        tuple(_listed(facts)),
        tables=(
            TextTable(("column", "kind", "missing", "distinct", "why"), rows, ends_in_words=True),
        ),
    )


def numbers_section(facts: TableFacts) -> Section | None:
    """Return the quantiles of numbers and the range of dates."""
    rows = tuple(
        _number_row(_empty(one), one.numbers) for one in facts.shown if one.numbers is not None
    )
    caption = "Outliers lie more than 3 times the distance of the quartiles beyond them."
    tables = (TextTable(NUMBER_COLUMNS, rows, caption),)
    return Section("numbers", "Numbers and dates", (), tables=tables) if rows else None


def values_section(facts: TableFacts) -> Section | None:
    """Return the most frequent values of columns of words."""
    rows = tuple(
        (shown(one.name), one.taken.kind, str(one.distinct), _common(one, facts.rows))
        for one in facts.shown
        if one.common
    )
    columns = ("column", "kind", "distinct", "most frequent values, of names the first")
    tables = (TextTable(columns, rows, ends_in_words=True),)
    return Section("values", "Words and names", (), tables=tables) if rows else None


def missing_section(facts: TableFacts) -> Section | None:
    """Return where cells are missing."""
    lacking = sorted((c for c in facts.shown if c.missing), key=lambda one: -one.missing)
    if not lacking:
        return None
    groups = facts.groups
    several = len(groups.names) > 1
    sizes = [max(1, size) for size in groups.sizes.tolist()]
    rows = tuple(
        (
            shown(one.name), str(one.missing), _share(one.missing, facts.rows),
            *(map(_share, one.missing_of_group, sizes) if several else ()),
        )
        for one in lacking
        if one.missing_of_group
    )  # fmt: skip
    names = map(shown, groups.names) if several else ()
    table = TextTable(("column", "rows without a value", "of all rows", *names), rows)
    drawn = [one for one in lacking if one.missing_of_group]
    charts = (missing_chart(drawn, groups, table),) if drawn else ()
    return Section("missing", "Missing cells", (), charts=charts)


def pairs_section(facts: TableFacts) -> Section | None:
    """Return how columns go together."""
    if not facts.pairs:
        return None
    rows = tuple(
        (f"{shown(pair.first, 40)}, {shown(pair.second, 40)}", *_pair_cells(pair))
        for pair in facts.pairs[:MOST_PAIRS]
    )
    table = TextTable(("columns", "measure", "value", "Spearman's", "rows"), rows)
    words = (
        "Cramér's V and eta are less what chance gives, so that columns of many values do not go "
        "with everything."
    )
    return Section(
        "pairs",
        "How columns go together",
        (_sampled(facts), words),
        charts=(matrix_chart(facts.pairs, table),),
    )


def spread_section(facts: TableFacts) -> Section | None:
    """Return a picture of each column's values."""
    charts = tuple(
        spread_chart(_empty(one), one.shape, facts.groups, _spread_words(one))
        for one in facts.shown
        if one.shape is not None
    )
    if not charts:
        return None
    by = f"by {shown(facts.label.column.name, 40)}" if facts.label else "of all rows"
    return Section("spread", f"How values are spread, {by}", (), charts=charts)


def facets_section(facts: TableFacts) -> Section | None:
    """Return whom the labels favour, where facets are named."""
    return bias_section(facts.bias) if facts.bias else None


SECTIONS: tuple[Callable[[TableFacts], Section | None], ...] = (
    overview_section,
    label_section,
    columns_section,
    pairs_section,
    spread_section,
    numbers_section,
    values_section,
    missing_section,
    facets_section,
)

NUMBER_COLUMNS: Row = (
    "column", "least", "5 %", "25 %", "median", "75 %", "95 %", "greatest", "mean",
    "std", "outliers",
)  # fmt: skip


def _figures(facts: TableFacts) -> Iterator[KeyFigure]:
    files = len(facts.files)
    yield KeyFigure("rows", f"{facts.rows:,}", f"in {files} file{'s' if files > 1 else ''}")
    inputs = sum(one.column.is_input and not one.refused for one in facts.columns)
    yield KeyFigure("columns", str(len(facts.columns)), f"{inputs} to learn from")
    cells = facts.rows * len(facts.columns)
    yield KeyFigure("missing cells", _share(facts.missing, cells), f"{facts.missing:,} cells")
    if facts.of_rows:
        copies = facts.of_rows.duplicates.repeated
        yield KeyFigure(
            "duplicate rows", f"{copies:,}", "equal to an earlier one in all that is learnt from"
        )
    label = facts.label
    if label is not None and label.column.kind == "boolean":
        share = float(label.column.values.mean())
        value = shown(label.column.categories[1], 30)
        yield KeyFigure(
            f"{shown(label.column.name, 30)} = {value}",
            f"{share:.2%}",
            f"{int(label.column.values.sum()):,} rows",
        )


def _listed(facts: TableFacts) -> Iterator[str]:
    if not facts.rest:
        return
    chosen = "those that go with the label most" if facts.label else "the first"
    kinds = Counter(one.kind for one in facts.rest)
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    yield f"{len(facts.shown)} columns are shown, {chosen}; {len(facts.rest)} are not: {counted}."
    names = ", ".join(shown(one.column.name, 40) for one in facts.rest[:MOST_LISTED])
    more = len(facts.rest) - MOST_LISTED
    yield f"Not shown: {names}{f' and {more} more' if more > 0 else ''}."


def _spread_words(one: ColumnFacts) -> str:
    kind = one.taken.column.kind
    match kind:
        case "number":
            return "A number."
        case "datetime":
            return "A date."
        case "mixed":
            return "Its numbers; it holds words too."
        case "boolean":
            return "True or false."
        case "ordinal":
            return "Categories in their order."
        case "category":
            return "A category."
        case "identifier" | "constant" | "dropped":
            return f"No feature: {kind}."
        case "weight" | "base_margin" | "group" | "time" | "event":
            return f"No feature: {kind}."
        case _:
            assert_never(kind)


def _sampled(facts: TableFacts) -> str:
    if facts.sampled == facts.rows:
        return "How columns go together is measured on all rows."
    return (
        f"How columns go together is measured on {facts.sampled:,} rows, drawn evenly from "
        f"{facts.rows:,}; all other numbers are of all rows."
    )


def _empty(one: ColumnFacts) -> CodedColumn:
    """Return the column without its values: it writes numbers as the user would."""
    return CodedColumn(one.name, one.taken.kind, np.empty(0))


def _number_row(column: CodedColumn, numbers: NumberSummary) -> Row:
    is_date = column.kind == "datetime"
    return (
        shown(column.name),
        *map(column.text, numbers.quantiles),
        column.text(numbers.mean),
        "-" if is_date or numbers.deviation != numbers.deviation else f"{numbers.deviation:.6g}",
        str(numbers.outliers),
    )


def _common(one: ColumnFacts, rows: int) -> str:
    return ", ".join(
        shown(text, 30) if count is None else f"{shown(text, 30)} {count} ({count / rows:.1%})"
        for text, count in one.common[:_TOP]
    )


def _pair_cells(pair: Pair) -> Row:
    spearman = "-" if pair.spearman is None else f"{pair.spearman:+.3f}"
    value = f"{pair.value:.3f}" if pair.spearman is None else f"{pair.value:+.3f}"
    return pair.measure, value, spearman, str(pair.rows)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else "-"
