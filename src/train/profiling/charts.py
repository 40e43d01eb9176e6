"""The charts of a profile, each with its words and the numbers behind it."""

from collections.abc import Sequence

import numpy as np

from sagetree.evaluate.report.columns import CodedColumn
from sagetree.evaluate.report.page import axes, marks
from sagetree.evaluate.report.page.document import WIDTH, Chart, Row, TextTable, shown
from sagetree.evaluate.report.page.marks import FOUR, ONE, THREE, TWO
from sagetree.train.profiling.associations import PEARSON, Pair
from sagetree.train.profiling.facts import ColumnFacts
from sagetree.train.profiling.groups import RowGroups
from sagetree.train.profiling.shapes import Bars, GroupedHistogram

# Columns in the picture of all pairs, and those with most missing cells.
MATRIX_COLUMNS, MISSING_COLUMNS = 16, 20

COLOURS = (ONE, TWO, THREE, FOUR)

# Letters of a name beside its bar, and in the legend above.
_NAME, _WORD = 22, 16

_Series = Sequence[tuple[str, Sequence[float]]]


def spread_chart(
    column: CodedColumn, shape: GroupedHistogram | Bars, groups: RowGroups, words: str
) -> Chart:
    """Return how a column's values are spread: rows, or with a label shares of each group."""
    if isinstance(shape, Bars):
        return _bars_of(column, shape, groups, words)
    return _histogram(column, shape, groups, words)


def _histogram(
    column: CodedColumn, shape: GroupedHistogram, groups: RowGroups, words: str
) -> Chart:
    edges, name = shape.edges, shown(column.name, 40)
    beyond = f" {shape.beyond} outliers are not drawn." if shape.beyond else ""
    text = column.text if column.kind == "datetime" else None
    drawn: tuple[marks.Mark, ...]
    if len(groups.names) == 1:
        y = axes.numbers("rows", low=0.0, high=1.05 * float(shape.counts.max()))
        drawn = (marks.columns(edges, shape.counts[0].astype(np.float64), ONE),)
    else:
        shares = shape.counts / np.maximum(groups.sizes, 1)[:, None]
        y = axes.shares("share of the group's rows", high=1.05 * float(shares.max()))
        drawn = tuple(
            marks.outline(edges, share, colour, shown(group, _WORD))
            for group, share, colour in zip(groups.names, shares, COLOURS, strict=False)
        )
    x, table = axes.numbers(name, edges, text=text), _bin_table(column, shape, groups)
    return Chart(name, words + beyond, table, x, y, drawn)


def _bin_table(column: CodedColumn, shape: GroupedHistogram, groups: RowGroups) -> TextTable:
    rows = (
        (shown(column.text(edge)), *map(str, counts))
        for edge, counts in zip(shape.edges[:-1].tolist(), shape.counts.T.tolist(), strict=True)
        if any(counts)
    )
    return TextTable(("from", *map(shown, groups.names)), tuple(rows))


def _bars_of(column: CodedColumn, shape: Bars, groups: RowGroups, words: str) -> Chart:
    sizes = np.maximum(groups.sizes, 1)
    series = [
        (group, (counts / size).tolist())
        for group, counts, size in zip(groups.names, shape.counts, sizes, strict=True)
    ]
    more = f" {shape.more} more values are left out." if shape.more else ""
    is_one = len(series) == 1
    axis = "share of the rows" if is_one else "share of the group's rows"
    table = _value_table(shape, groups)
    return bars_chart(shown(column.name, 40), words + more, shape.names, series, table, axis)


def _value_table(shape: Bars, groups: RowGroups) -> TextTable:
    """Return the rows of each value, and of these the shares that the groups have."""
    whole = shape.counts.sum(axis=0)
    rows = int(groups.sizes.sum())
    several = len(groups.names) > 1
    found: list[Row] = []
    for name, count, parts in zip(shape.names, whole.tolist(), shape.counts.T, strict=True):
        shares = [f"{part / count:.2%}" for part in parts.tolist()] if several and count else []
        found.append((shown(name), str(count), f"{count / rows:.2%}", *shares))
    columns = ("value", "rows", "of all rows")
    return TextTable((*columns, *map(shown, groups.names)) if several else columns, tuple(found))


def bars_chart(
    title: str, words: str, names: Sequence[str], series: _Series, table: TextTable, axis: str
) -> Chart:
    """Return bars of shares from the top down, for each name one of each series."""
    thick = 0.8 / len(series)
    places = np.arange(len(names))
    most = max((max(values, default=0.0) for _, values in series), default=0.0)
    bars = []
    for number, ((word, values), colour) in enumerate(zip(series, COLOURS, strict=False)):
        begin = places - 0.4 + number * thick
        corners = np.column_stack([np.zeros(len(values)), begin, values, begin + thick])
        bars.append(marks.Boxes(corners, colour, shown(word, _WORD) if len(series) > 1 else ""))
    return Chart(
        title, words, table,
        axes.shares(axis, high=1.05 * most or 1.0),
        axes.words("", [shown(name, _NAME) for name in names], is_down=True),
        tuple(bars),
        height=90 + 24 * max(3, len(names)),
    )  # fmt: skip


def missing_chart(columns: Sequence[ColumnFacts], groups: RowGroups, table: TextTable) -> Chart:
    """Return the shares of missing cells, of the columns that have most of them."""
    most = columns[:MISSING_COLUMNS]
    sizes = np.maximum(groups.sizes, 1).tolist()
    series = [
        (group, [one.missing_of_group[number] / size for one in most])
        for number, (group, size) in enumerate(zip(groups.names, sizes, strict=True))
    ]
    words = "The share of the rows that have no value in the column."
    names = [one.name for one in most]
    axis = "share of the rows" if len(series) == 1 else "share of the group's rows"
    return bars_chart("Missing cells", words, names, series, table, axis)


def matrix_chart(pairs: Sequence[Pair], table: TextTable) -> Chart:
    """Return how the columns that are most alike go together, a square for each pair."""
    names = list(dict.fromkeys(name for pair in pairs for name in (pair.first, pair.second)))
    names = names[:MATRIX_COLUMNS]
    place = {name: number for number, name in enumerate(names)}
    kept = [pair for pair in pairs if pair.first in place and pair.second in place]
    drawn = [
        (word, colour, _squares([pair for pair in kept if _sign(pair) == sign], place))
        for sign, word, colour in (
            (1, "together", ONE),
            (-1, "opposite", TWO),
            (0, "V, eta", THREE),
        )
    ]
    short = [shown(name, 12) for name in names]
    return Chart(
        "Columns that go together",
        "A square's area is how much two columns go together: the larger of Pearson's and "
        "Spearman's correlation of numbers, Cramér's V of categories, eta of both.",
        table,
        axes.words("", short),
        axes.words("", short, is_down=True),
        tuple(marks.Boxes(boxes, colour, word) for word, colour, boxes in drawn if len(boxes)),
        height=WIDTH + 40,
    )


def _sign(pair: Pair) -> int:
    if pair.measure != PEARSON:
        return 0
    value = max(pair.value, pair.spearman or 0.0, key=abs)
    return 1 if value >= 0 else -1


def _squares(pairs: Sequence[Pair], place: dict[str, int]) -> marks.Floats:
    boxes = []
    for pair in pairs:
        half = 0.47 * pair.strength**0.5
        for x, y in ((pair.first, pair.second), (pair.second, pair.first)):
            boxes.append((place[x] - half, place[y] - half, place[x] + half, place[y] + half))
    return np.array(boxes, np.float64).reshape(len(boxes), 4)
