"""One table to train, validation and test: by key, stratified by label, for ever the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from sagetree.errors import DataError, SettingsError, did_you_mean, quote
from sagetree.machine.program import LOG
from sagetree.prepare.database import Database, identifier
from sagetree.prepare.inputs import find_name, listing
from sagetree.prepare.joining import JOINED
from sagetree.prepare.settings import PARTS, Shares
from sagetree.tables.cells import category_text
from sagetree.tables.positive import find_positive

ASSIGNED = "made.assigned"

VALUES_SHOWN = 5


@dataclass(frozen=True)
class Label:
    """The label column and its two values, as the database has them."""

    column: str
    negative: object
    positive: object


@dataclass(frozen=True)
class Split:
    """Which rows are in which part, and in which order.

    `matches` joins j, the rows, and a, the parts by id; `order` is the order of both.
    """

    parts: Sequence[str]
    matches: str
    order: str

    def rows(self, selected: str) -> str:
        """Return a query of rows `j` with their parts `a`."""
        return f"SELECT {selected} FROM {JOINED} j JOIN {ASSIGNED} a ON {self.matches}"


@dataclass(frozen=True)
class Part:
    """One part's rows and how many of them have the positive label."""

    name: str
    rows: int
    positives: int


def read_label(db: Database, column: str, declared: str | None = None) -> Label:
    """Return the label of the joined rows; the positive value is the declared one, else found.

    Raises SettingsError for a label that is no column or does not hold `declared`,
    DataError for one that is missing somewhere or has not two values.
    """
    columns = db.columns(JOINED)
    name = find_name(columns, column)
    if name is None:
        raise SettingsError(
            f"there is no column {quote(column)} in the joined table"
            f"{did_you_mean(column, columns)}",
            where="--label",
            hint=f"The columns are {listing(columns)}",
        )
    where = f"column {quote(name)}"
    missing = db.count(f"{JOINED} WHERE {identifier(name)} IS NULL")
    if missing:
        hint = "Fill it in, or leave the rows out with a query of your own (--sql)"
        raise DataError(f"the label is missing in {missing} rows", where=where, hint=hint)
    values = db.rows(
        f"SELECT {identifier(name)}, count(*) FROM {JOINED} GROUP BY 1 ORDER BY 2, 1 DESC"
    )
    if len(values) != 2:
        raise _wrong_values(values, where)
    return _ordered(name, values, declared)


def _ordered(name: str, values: Sequence[tuple[object, int]], declared: str | None) -> Label:
    """Return the label by the text of its values, which is what training reads."""
    cells = {category_text(str(value)) or "": value for value, _ in values}
    if len(cells) < len(values):
        raise DataError(
            f"the values {' and '.join(quote(value) for value, _ in values)} of the label are one "
            "and the same to training",
            where=f"column {quote(name)}",
            hint="Make two values of them with a query (--sql)",
        )
    positive = _positive(name, dict(zip(cells, (n for _, n in values), strict=True)), declared)
    (negative,) = cells.keys() - {positive}
    return Label(name, negative=cells[negative], positive=cells[positive])


def _positive(name: str, counts: Mapping[str, int], declared: str | None) -> str:
    if declared is None:
        found = find_positive(counts)
        if found.by_order:
            LOG.warning("Warning: %s", found.doubt(name, "--positive-label"))
        return found.value
    positive = category_text(declared)
    if positive not in counts:
        raise SettingsError(
            f"{quote(declared)} is not a value of column {quote(name)}, which holds "
            f"{' and '.join(map(quote, counts))}",
            where="--positive-label",
            hint="Take one of the two",
        )
    return str(positive)


def _wrong_values(values: Sequence[tuple[object, int]], where: str) -> DataError:
    """Return what is wrong with label values, given with their counts, the most frequent last."""
    frequent = [*reversed(values)][:VALUES_SHOWN]
    shown = ", ".join(f"{quote(value)} in {count} rows" for value, count in frequent)
    number = "1 value" if len(values) == 1 else f"{len(values)} values"
    more = ", ..." if len(values) > VALUES_SHOWN else ""
    return DataError(
        f"the label has {number} ({shown}{more}) where two are needed",
        where=where,
        hint="Name the label with --label, or make two values of it with a query (--sql)",
    )


def split_by_key(db: Database, key: str, label: Label, shares: Shares, seed: int) -> Split:
    """Give every key its part.

    Keys are ordered by md5(key:seed) within each label and cut at exact shares,
    so that neither the order of rows nor the number of threads matters. A key
    with rows of both labels counts as positive.
    """
    db.run(
        "CREATE TABLE made.keys AS SELECT id, positive, row_number() OVER "
        "(PARTITION BY positive ORDER BY md5(concat(id, ':', ?)), id) AS place FROM "
        f"(SELECT {identifier(key)} AS id, bool_or({identifier(label.column)} = ?) AS positive "
        f"FROM {JOINED} GROUP BY 1)",
        [str(seed), label.positive],
    )
    ends = {
        positive: part_ends(count, shares)
        for positive, count in db.rows("SELECT positive, count(*) FROM made.keys GROUP BY 1")
    }
    cases = " ".join(
        f"WHEN positive = {positive} AND place <= {end} THEN '{part}'"
        for positive, places in ends.items()
        for part, end in zip(PARTS, places, strict=True)
    )
    db.run(f"CREATE TABLE {ASSIGNED} AS SELECT id, CASE {cases} END AS part FROM made.keys")
    wanted = [part for part, share in zip(PARTS, shares, strict=True) if share]
    return Split(wanted, f"j.{identifier(key)} = a.id", _order(db, key))


def part_ends(count: int, shares: Shares) -> list[int]:
    """Return where each part of `count` keys ends: at the sum of shares, rounded.

    >>> part_ends(10, (Fraction("0.7"), Fraction("0.15"), Fraction("0.15")))
    [7, 9, 10]
    """
    return [int(count * end + Fraction(1, 2)) for end in accumulate(shares)]


def _order(db: Database, key: str) -> str:
    """Order by key, and where a query repeats keys by everything, so that only equals are tied."""
    columns = [identifier(name) for name in db.columns(JOINED)]
    keys = f"SELECT count(*) > (SELECT count(*) FROM {ASSIGNED}) FROM {JOINED}"
    rest = columns if db.row(keys)[0] else []
    return ", ".join(f"j.{name}" for name in dict.fromkeys([identifier(key), *rest]))


def count_parts(db: Database, split: Split, label: Label) -> Sequence[Part]:
    """Return the parts. Raises DataError for one that lacks one of the labels."""
    positives = f"count(*) FILTER (j.{identifier(label.column)} = ?)"
    counts: Mapping[str, tuple[int, int]] = {
        name: (rows, positive)
        for name, rows, positive in db.rows(
            f"{split.rows(f'a.part, count(*), {positives}')} GROUP BY 1", [label.positive]
        )
    }
    parts = [Part(name, *counts.get(name, (0, 0))) for name in split.parts]
    for part in parts:
        if part.positives in (0, part.rows):
            lacking = label.positive if not part.positives else label.negative
            raise DataError(
                f"the part {part.name} has {part.rows} rows, none of them with {label.column} = "
                f"{quote(lacking)}",
                where=f"column {quote(label.column)}",
                hint="Give the part a larger share with --split, leave it out with a share of 0, "
                f"or add rows with {label.column} = {quote(lacking)}",
            )
    return parts
