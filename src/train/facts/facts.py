"""What the columns of a job hold: of the one host's table, or of the rows of all hosts.

Several hosts tell each other all columns at once, before any is asked for. What is asked beyond
that follows from what all have sent, so that every host asks the same.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, NoReturn, TypeVar, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sagetree.errors import DataError
from sagetree.files.spill import drop_spilled
from sagetree.tables.arrow_types import is_text, unreadable
from sagetree.tables.cells import Cell, MissingValues, NumberShape, category_text
from sagetree.tables.encoding import CellEncoder, Floats, as_numbers, shape_encoder
from sagetree.tables.table import Table
from sagetree.train.facts.distinct import Distinct, coded
from sagetree.train.facts.numbers import DistinctNumbers
from sagetree.train.facts.sampling import MOST_VALUES, most_values
from sagetree.train.hosts.group import ONE, Group

# How numbers among words are written where the decimal mark is a comma.
COMMA = NumberShape("comma")

_Number = TypeVar("_Number", bound=np.generic)


@dataclass(frozen=True)
class Facts:
    """The columns of `table`, this host's rows, as those of all hosts in the group.

    The cells of columns in `as_texts` are never taken as numbers at a glance, with
    `has_commas` those of no column of text. Of a column hosts send `most` values; `told` is what
    they have, and `shares` are the rows of each.
    """

    table: Table
    missing: MissingValues
    as_texts: Collection[str] = ()
    has_commas: bool = False
    group: Group = ONE
    most: int = MOST_VALUES
    told: Mapping[str, Distinct | DistinctNumbers] = field(default_factory=dict)
    shares: Sequence[int] = ()

    @property
    def rows(self) -> int:
        """How many rows there are on all hosts."""
        return sum(self.shares) if self.shares else self.table.rows

    def tell(self, without: Collection[str | None] = ()) -> "Facts":
        """Tell the other hosts of all columns but those in `without`, and hear of theirs."""
        if self.group.size == 1:
            return self
        shares = self.group.gather(self.table.rows)
        names = [name for name in self.table.names if name not in without]
        found = self._gathered(names, self._own_or_none)
        heard = {name: _alike(name, facts) for name, facts in found.items()}
        are_unlike = [name for name in names if len({*map(type, heard[name])}) > 1]
        heard |= self._gathered(are_unlike, self._own_distinct)
        told = {name: self._merged(facts) for name, facts in heard.items()}
        return replace(self, told=told, shares=shares)

    def type_of(self, name: str) -> pa.DataType:
        """Return the type that this host's cells of a column have."""
        return self._column(name).type

    def numbers(self, name: str) -> DistinctNumbers | None:
        """Return a column that is numbers at a glance, on every host; None for another one."""
        if self.group.size > 1:
            found = self.told.get(name)
            return found if isinstance(found, DistinctNumbers) else None
        values = self._values(name)
        return None if values is None else DistinctNumbers.of(values)

    def distinct(self, name: str) -> Distinct:
        """Return a column by its distinct cells. Raises CellError for a type that holds none."""
        if self.group.size == 1:
            return self._own_distinct(name)
        found = self.told.get(name)
        if isinstance(found, Distinct):
            return found
        (facts,) = self._gathered([name], self._own_distinct).values()
        return Distinct.merged(cast("Sequence[Distinct]", facts), self._among_words)

    def whole(self, name: str) -> Distinct:
        """Return a column by all of its distinct cells."""
        found = self.distinct(name)
        if found.is_whole:
            return found
        told = self.group.gather(self._own_distinct(name).as_json())
        return Distinct.merged([*map(self._cells_from, told)], self._among_words)

    def shaped(self, distinct: Distinct, shape: NumberShape | None) -> DistinctNumbers:
        """Return the numbers among a column's cells, written in this way; None is as they stand."""
        encoder = shape_encoder(shape)
        if distinct.is_whole:
            return _numbers(distinct, encoder)

        def own(name: str) -> DistinctNumbers:
            return _numbers(self._own_distinct(name), encoder)

        (found,) = self._gathered([distinct.name], own).values()
        return DistinctNumbers.merged(cast("Sequence[DistinctNumbers]", found))

    def categories(
        self, distinct: Distinct, chosen: Callable[[Cell], bool] | None = None
    ) -> tuple[str, ...]:
        """Return all categories of a column, sorted; of a mixed one those that are `chosen`."""
        if distinct.is_whole:
            return _categories(distinct, chosen)
        own = self._own_distinct(distinct.name)
        found = self.group.gather(_categories(own, chosen))
        return tuple(sorted({text for texts in found for text in texts}))

    def row_numbers(self, name: str, shape: NumberShape | None = None) -> Floats:
        """Return the numbers (n) of this host's rows, NaN where there is none."""
        values = self._values(name) if shape is None else None
        if values is not None:
            return values
        distinct, codes = coded(name, self._column(name), self.missing)
        return distinct.numbers(shape_encoder(shape))[codes]

    def spread(self, values: NDArray[_Number], most: int) -> NDArray[_Number]:
        """Return `most` of the rows' values (n), evenly spread, of all hosts."""
        return self.group.gather_rows(values[:: -(-self.rows // most) or 1])

    def texts_by_row(self, name: str) -> list[str]:
        """Return a column's categories in the order in which rows have them first."""
        distinct, codes = coded(name, self._column(name), self.missing)
        places, first = np.unique(codes, return_index=True)
        ordered = [distinct.texts[place] for place in places[np.argsort(first)]]
        told = self.group.gather([text for text in ordered if text is not None])
        return list(dict.fromkeys(text for texts in told for text in texts))

    def refuse(
        self, name: str, is_wrong: Callable[[Cell], bool], error: Callable[[str, Cell], DataError]
    ) -> NoReturn:
        """Raise `error` of the place, and the cell, of the first row that is wrong on any host."""
        distinct, codes = coded(name, self._column(name), self.missing)
        wrong = np.array([is_wrong(cell) for cell in distinct.cells], bool)
        rows = np.flatnonzero(wrong[codes])
        found = self.group.gather(bool(len(rows)))
        if found.index(True) == self.group.rank:
            row = int(rows[0])
            raise error(self.table.locate(row), distinct.cells[codes[row]])
        self.group.settle()  # where it is reported
        raise AssertionError("the host that has the row raises")

    def has(self, cell: Cell) -> bool:
        """Say whether a cell is not missing."""
        text = category_text(cell)
        return text is not None and text not in self.missing.texts

    def _own(self, name: str) -> Distinct | DistinctNumbers:
        values = None if name in self.as_texts else self._values(name)
        return self._own_distinct(name) if values is None else DistinctNumbers.of(values)

    def _values(self, name: str) -> Floats | None:
        cells = self._column(name)
        if self.has_commas and is_text(cells.type):
            return None
        return as_numbers(cells, self.missing)

    def _own_distinct(self, name: str) -> Distinct:
        return Distinct.of(name, self._column(name), self.missing)

    def _own_or_none(self, name: str) -> Distinct | DistinctNumbers:
        """Return a column, without a value where whoever asks for it will refuse its type."""
        kind = self._column(name).type
        value = kind.value_type if pa.types.is_dictionary(kind) else kind
        return Distinct.none(name, self.table.rows) if unreadable(value) else self._own(name)

    def _column(self, name: str) -> pa.ChunkedArray:
        drop_spilled()  # of the column before
        return self._columns[name]

    @cached_property
    def _columns(self) -> Mapping[str, pa.ChunkedArray]:
        """The columns by their names: each is asked for several times."""
        cells = cast("Sequence[pa.ChunkedArray]", self.table.columns)
        return dict(zip(self.table.names, cells, strict=True))

    @property
    def _among_words(self) -> CellEncoder:
        """How numbers are read that may stand among words."""
        return shape_encoder(COMMA if self.has_commas else None)

    def _gathered(
        self, names: Sequence[str], own: Callable[[str], Distinct | DistinctNumbers]
    ) -> dict[str, Sequence[Distinct | DistinctNumbers]]:
        """Return what each host says about each column; `own` is what this one knows of it."""
        most = min(self.most, most_values(len(names), self.group.size))
        told: dict[str, Any] = {}
        for name in names:  # of one after the other all is known, and let go of
            fact = own(name)
            if isinstance(fact, DistinctNumbers):
                told[name] = ["numbers", fact.told(most).as_json()]
            else:
                told[name] = ["cells", fact.told(most, self._among_words).as_json()]
        of_hosts = self.group.gather(told)
        return {name: [self._heard(*host[name]) for host in of_hosts] for name in names}

    def _heard(self, kind: str, found: Any) -> Distinct | DistinctNumbers:  # noqa: ANN401 - JSON
        return DistinctNumbers.from_json(found) if kind == "numbers" else self._cells_from(found)

    def _cells_from(self, found: Any) -> Distinct:  # noqa: ANN401 - JSON
        return Distinct.from_json(found, self.missing)

    def _merged(self, found: Sequence[Distinct | DistinctNumbers]) -> Distinct | DistinctNumbers:
        if isinstance(found[0], DistinctNumbers):
            return DistinctNumbers.merged(cast("Sequence[DistinctNumbers]", found))
        return Distinct.merged(cast("Sequence[Distinct]", found), self._among_words)


def _alike(
    name: str, facts: Sequence[Distinct | DistinctNumbers]
) -> Sequence[Distinct | DistinctNumbers]:
    """Return the facts of one kind where a column holds one, whatever empty ones seem."""
    kinds = {type(fact) for fact in facts if not fact.is_empty} or {DistinctNumbers}
    if len(kinds) > 1:
        return facts
    none = DistinctNumbers.none if kinds == {DistinctNumbers} else partial(Distinct.none, name)
    return [none(fact.rows) if fact.is_empty else fact for fact in facts]


def _numbers(distinct: Distinct, encoder: CellEncoder) -> DistinctNumbers:
    """Return the numbers among a column's cells; all of these are known."""
    values = distinct.numbers(encoder)
    there = ~np.isnan(values)
    found = np.unique(values[there])
    counts = distinct.counts[there]
    rows = int(counts.sum())
    return DistinctNumbers(
        distinct.rows, distinct.rows - rows, found, len(found), rows == len(found)
    )


def _categories(distinct: Distinct, chosen: Callable[[Cell], bool] | None) -> tuple[str, ...]:
    if chosen is None:
        return distinct.categories
    pairs = zip(distinct.cells, distinct.texts, strict=True)
    return tuple(sorted({text for cell, text in pairs if text is not None and chosen(cell)}))
