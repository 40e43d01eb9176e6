"""Facets: groups of people, by the values or a threshold of a column, and the rows in them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from sagetree.errors import DataError, did_you_mean, quote, quote_all
from sagetree.tables.cells import Cell, MissingValues, NumberShape, category_text
from sagetree.tables.encoding import (
    CellEncoder,
    Floats,
    distinct_cells,
    encode,
    encode_numbers,
    shape_encoder,
)
from sagetree.tables.label import check_cells
from sagetree.tables.table import Cells, Table

ALLOWED_FACETS = (
    'a JSON list such as [{"column": "gender", "values": ["F"]}, {"column": "age", '
    '"threshold": 40}], each perhaps with "group": a column'
)

# A column of more values is one of numbers or names: a facet of each says nothing.
MOST_VALUES = 20

# How a column's numbers are written, by its name.
Shapes: TypeAlias = Mapping[str, NumberShape]

_KEYS = frozenset({"column", "values", "threshold", "group"})


@dataclass(frozen=True)
class Facet:
    """The rows that have one of `values` in a column, or a number above `threshold`.

    Without either each of the column's values is a facet. `group` is a column within whose
    values rows are compared too. `most` is the column's greatest number, which is known
    once the facet is settled.
    """

    column: str
    values: tuple[str, ...] = ()
    threshold: float | None = None
    group: str | None = None
    most: float | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """The columns it needs."""
        return (self.column,) if self.group is None else (self.column, self.group)

    @property
    def value_or_threshold(self) -> str:
        """What Clarify calls it: its values, or the interval above the threshold."""
        if self.threshold is None:
            return ",".join(self.values)
        if self.most is None:
            return f"({_number_text(self.threshold)}, ]"
        if not (self.threshold.is_integer() and self.most.is_integer()):
            return f"({self.threshold!r}, {self.most!r}]"
        return f"({_number_text(self.threshold)}, {_number_text(self.most)}]"

    @property
    def words(self) -> str:
        """The facet in words, on one line."""
        if self.threshold is not None:
            said = f"{self.column} > {_number_text(self.threshold)}"
        elif len(self.values) == 1:
            said = f"{self.column} = {self.values[0]}"
        else:
            said = f"{self.column} one of {', '.join(self.values)}"
        return "".join(c if c.isprintable() else " " for c in said)


@dataclass(frozen=True)
class FacetRows:
    """Which rows are in which facet (n, f), and each row's group there (n, f), -1 without."""

    inside: NDArray[np.bool_]
    groups: NDArray[np.intp]


def parse_facets(text: str | bytes) -> tuple[Facet, ...]:
    """Return the facets that a text lists, as JSON or in the single quotes of Python's str().

    Raises ValueError, which says what is wrong.
    """
    if isinstance(text, str) and "'" in text and '"' not in text:
        text = text.replace("'", '"')
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error}") from error
    facets = tuple(map(_facet, content if isinstance(content, list) else [None]))
    if len(set(facets)) < len(facets):
        raise ValueError("it holds the same facet twice")
    return facets


def _facet(item: object) -> Facet:
    name = item.get("column") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(name, str) or not name:
        raise ValueError(
            "it is not a list of facets" if item is None else "column is missing from a facet"
        )
    unknown = sorted(map(str, item.keys() - _KEYS))
    if unknown:
        raise ValueError(
            f"the facet {quote(name)} has the unknown key {quote(unknown[0])}; its keys may be "
            f"{', '.join(sorted(_KEYS))}"
        )
    if {"values", "threshold"} <= item.keys():
        raise ValueError(
            f"the facet {quote(name)} has both values and a threshold: give one of them"
        )
    group = item.get("group")
    if group is not None and (not isinstance(group, str) or not group or group == name):
        raise ValueError(f"the group of the facet {quote(name)} is not the name of another column")
    return Facet(name, _values(item, name), _threshold(item, name), group)


def _threshold(item: Mapping[str, object], name: str) -> float | None:
    if "threshold" not in item:
        return None
    value = item["threshold"]
    if type(value) in (int, float) and math.isfinite(value):  # type: ignore[arg-type]
        return float(value)  # type: ignore[arg-type]
    raise ValueError(f"the threshold of the facet {quote(name)} is not a number")


def _values(item: Mapping[str, object], name: str) -> tuple[str, ...]:
    if "values" not in item:
        return ()
    values = item["values"]
    if not isinstance(values, list) or not all(isinstance(v, str | int | float) for v in values):
        raise ValueError(
            f"the values of the facet {quote(name)} are not a list of texts or numbers"
        )
    texts = [category_text(value) for value in values]
    if not texts or None in texts:
        raise ValueError(f"the values of the facet {quote(name)} are empty")
    return tuple(dict.fromkeys(text for text in texts if text is not None))


def settle_facets(
    table: Table, facets: Sequence[Facet], missing: MissingValues, shapes: Shapes
) -> tuple[Facet, ...]:
    """Return the facets by what a table holds: a facet of each value for those that name none.

    Raises DataError for a column that is missing, or too many values to be a facet each.
    """
    check_columns(table, facets)
    found: list[Facet] = []
    for facet in facets:
        if facet.threshold is not None:
            numbers = _numbers(table, facet.column, missing, shapes)
            most = float(np.nanmax(numbers)) if not np.isnan(numbers).all() else None
            found.append(replace(facet, most=most))
        elif facet.values:
            found.append(facet)
        else:
            found += [replace(facet, values=(value,)) for value in _each(table, facet, missing)]
    return tuple(dict.fromkeys(found))


def check_columns(table: Table, facets: Sequence[Facet], remedy: str = "") -> None:
    """Raise DataError for a column of a facet that a table lacks; `remedy` is what else to do."""
    for facet in facets:
        for name, what in zip(facet.named, ("column", "group"), strict=False):
            if name not in table.names:
                raise DataError(
                    f"column {quote(name)} is missing{did_you_mean(name, table.names)}",
                    where=f"{table.locate(0)}, {what} of a facet",
                    hint=f"The columns are {quote_all(table.names)}{remedy}",
                )


def check_not_empty(
    table: Table, facets: Sequence[Facet], rows: FacetRows, missing: MissingValues
) -> None:
    """Raise DataError for a facet that holds no row of a table, or all of them."""
    counts = rows.inside.sum(axis=0)
    for facet, count in zip(facets, counts.tolist(), strict=True):
        if 0 < count < table.rows:
            continue
        if facet.threshold is None:
            found = quote_all(_texts(table.column(facet.column), missing), MOST_VALUES)
            hint = f"The column's values are {found}"
        elif facet.most is None:
            hint = "The column has no numbers"
        else:
            hint = f"Choose a threshold that divides them: the greatest number is {facet.most:g}"
        raise DataError(
            f"{'no' if not count else 'every'} row is in the facet {facet.words}",
            where=f"column {quote(facet.column)}",
            hint=hint,
        )


def facet_rows(
    table: Table, facets: Sequence[Facet], missing: MissingValues, shapes: Shapes
) -> FacetRows:
    """Return which rows are in which of the settled facets; a row without a value is in none.

    Raises DataError where a threshold's column holds anything but numbers.
    """
    inside = np.zeros((table.rows, len(facets)), np.bool_)
    groups = np.full((table.rows, len(facets)), -1, np.intp)
    for number, facet in enumerate(facets):
        if facet.threshold is None:
            inside[:, number] = _has_value(table.column(facet.column), facet.values, missing)
        else:
            numbers = _numbers(table, facet.column, missing, shapes)
            inside[:, number] = numbers > facet.threshold
        if facet.group is not None:
            groups[:, number] = _group_numbers(table.column(facet.group), missing)
    return FacetRows(inside, groups)


def lacking(table: Table, facet: Facet, missing: MissingValues) -> int:
    """Return how many rows have no value in a facet's column."""
    values, _ = encode(table.column(facet.column), _coder({}, missing))
    return int(np.isnan(values).sum())


def _number_text(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _key(cell: Cell, missing: MissingValues) -> float | str | None:
    """Return what a cell is compared by: a number where it is one, None where it is missing."""
    text = category_text(cell)
    if text is None or text in missing.texts:
        return None
    try:
        number = float(text) if "_" not in text else math.nan
    except ValueError:
        return text
    if number in missing.numbers:
        return None
    return number if math.isfinite(number) else text


def _coder(codes: Mapping[float | str, float], missing: MissingValues) -> CellEncoder:
    def code(cell: Cell) -> float:
        key = _key(cell, missing)
        return math.nan if key is None else codes.get(key, 0.0)

    return code


def _has_value(cells: Cells, values: Sequence[str], missing: MissingValues) -> NDArray[np.bool_]:
    nothing = MissingValues.of(())
    keys = {_key(value, nothing): 1.0 for value in values}
    codes = {key: code for key, code in keys.items() if key is not None}
    found, _ = encode(cells, _coder(codes, missing))
    return np.asarray(found == 1)


def _numbers(table: Table, name: str, missing: MissingValues, shapes: Shapes) -> Floats:
    """Return the numbers of a threshold's column, NaN where it is missing."""
    return check_cells(
        table,
        name,
        encode_numbers(table.column(name), missing, shape_encoder(shapes.get(name))),
        lambda values: np.ones(len(values), np.bool_),
        "a number, as its facet has a threshold, or empty",
        what="cell",
    )


def _texts(cells: Cells, missing: MissingValues) -> tuple[str, ...]:
    """Return the different values of a column, as they come."""
    found = cells if isinstance(cells, list) else distinct_cells(cells)[1]
    texts = (category_text(cell) for cell in found if _key(cell, missing) is not None)
    return tuple(dict.fromkeys(text for text in texts if text is not None))


def _each(table: Table, facet: Facet, missing: MissingValues) -> tuple[str, ...]:
    texts = _texts(table.column(facet.column), missing)
    if not 2 <= len(texts) <= MOST_VALUES:
        raise DataError(
            f"the column has {len(texts)} different value{'' if len(texts) == 1 else 's'}, too "
            f"{'few' if len(texts) < 2 else 'many'} to make a facet of each",
            where=f"facet {quote(facet.column)}",
            hint="Give the facet values, or a threshold",
        )
    return texts


def _group_numbers(cells: Cells, missing: MissingValues) -> NDArray[np.intp]:
    """Return the number of each row's group; rows without a value are one of their own."""
    numbers: dict[float | str | None, int] = {}

    def number(cell: Cell) -> float:
        return numbers.setdefault(_key(cell, missing), len(numbers))

    return encode(cells, number)[0].astype(np.intp)
