"""Which part each key or row belongs to, whatever the order in which rows come."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from sagetree.prepare.database import Database, identifier
from sagetree.prepare.joining import JOINED
from sagetree.prepare.settings import PARTS, Shares
from sagetree.prepare.splitting.labels import JoinedLabel
from sagetree.prepare.splitting.shares import part_ends, strata_ends
from sagetree.prepare.splitting.times import read_time
from sagetree.prepare.splitting.units import Unit

ASSIGNED = "made.assigned"

# The units, each with its stratum, its weight and its place among those of its stratum.
_UNITS = "made.units"
_HASHES = "made.hashes"
_BUCKETS = "made.buckets"
_PLACES = "made.places"
_CLASSES = "made.classes"
_ENDS = "made.ends"

# A label of numbers is split evenly within each tenth of its values, so that each part has
# its share of the rare high ones too; equal numbers are in one of them.
BINS = 10
_BIN = f"{BINS} * (rank() OVER (ORDER BY value) - 1) // count(*) OVER ()"


@dataclass(frozen=True)
class Cut:
    """How rows are cut: the parts' shares, by time (a column of times) or by the seed."""

    shares: Shares
    seed: int
    time: str | None = None


@dataclass(frozen=True)
class Split:
    """Which rows are in which part, and in which order.

    `matches` joins j, the rows, and a, the parts by id; `order` is the order of
    both; `time` is the column of times by which they were cut, and its SQL.
    """

    parts: Sequence[str]
    matches: str
    order: str
    time: tuple[str, str] | None = None

    def rows(self, selected: str) -> str:
        """Return a query of rows `j` with their parts `a`."""
        return f"SELECT {selected} FROM {JOINED} j JOIN {ASSIGNED} a ON {self.matches}"


def split_rows(db: Database, unit: Unit, label: JoinedLabel, cut: Cut) -> Split:
    """Give every unit its part: each key, or without a key all rows that are equal.

    Keys are ordered by md5(key:seed) within each stratum (class, or tenth of a
    label of numbers) and cut at exact shares, so that neither the order of rows
    nor the number of threads matters. A key with rows of several classes counts
    for the rarest (of two values the positive one). By time, the keys are ordered
    by their latest time, so that train has no row later than the first border;
    equal times stay together. Of rows that are equal the one in the middle decides.
    """
    time = None if cut.time is None else read_time(db, cut.time, unit)
    _find_units(db, unit, label, None if time is None else time[1])
    if time is None:
        _place_by_seed(db, cut.seed)
    else:
        _place_by_time(db)
    counts = db.rows(f"SELECT stratum, sum(weight) FROM {_UNITS} GROUP BY 1 ORDER BY 1")
    sizes = [int(count) for _, count in counts]
    ends = strata_ends(sizes, cut.shares) if time is None else [part_ends(sizes[0], cut.shares)]
    _assign(db, [stratum for stratum, _ in counts], ends)
    parts = [part for part, share in zip(PARTS, cut.shares, strict=True) if share]
    return Split(parts, f"{unit.sql} = a.id", _order(db, unit), time)


def _find_units(db: Database, unit: Unit, label: JoinedLabel, time: str | None) -> None:
    """List the units: with times, or with strata."""
    column, rows = f"j.{identifier(label.column)}", f"{JOINED} j"
    value, stratum = f"max({column})", _BIN
    if time is not None:
        value, stratum = f"max({time})", "0"
    elif label.classes:
        _number_classes(db, label)
        rows += f" JOIN {_CLASSES} c ON {column} = c.value"
        value, stratum = "max(c.place)", "value"
    db.run(
        f"CREATE TABLE {_UNITS} AS SELECT id, weight, value, {stratum} AS stratum FROM "
        f"(SELECT {unit.sql} AS id, {unit.weight} AS weight, {value} AS value "
        f"FROM {rows} GROUP BY 1)"
    )


def _number_classes(db: Database, label: JoinedLabel) -> None:
    """List the classes with their numbers: the most frequent first, the positive one last."""
    column = identifier(label.column)
    db.run(
        f"CREATE TABLE {_CLASSES} AS SELECT {column} AS value, row_number() OVER "
        f"(ORDER BY {column} = ?, count(*) DESC, {column}) AS place FROM {JOINED} GROUP BY 1",
        [label.classes[-1]],
    )


def _place_by_seed(db: Database, seed: int) -> None:
    """Order the units of each stratum by their hash, as many at once as have its beginning.

    So that a stratum of any size is sorted by several threads, or hosts.
    """
    text = db.text("id", db.columns(_UNITS)["id"])
    db.run(
        f"CREATE TABLE {_HASHES} AS SELECT id, stratum, weight, hash, left(hash, 3) AS bucket FROM "
        f"(SELECT id, stratum, weight, md5(concat({text}, ':', ?)) AS hash FROM {_UNITS})",
        [str(seed)],
    )
    db.run(
        f"CREATE TABLE {_BUCKETS} AS SELECT stratum, bucket, sum(weight) OVER "
        f"(PARTITION BY stratum ORDER BY bucket) - weight AS earlier FROM (SELECT stratum, bucket, "
        f"sum(weight) AS weight FROM {_HASHES} GROUP BY 1, 2)"
    )
    db.run(
        f"CREATE TABLE {_PLACES} AS SELECT id, stratum, earlier + sum(weight) OVER (PARTITION BY "
        f"stratum, bucket ORDER BY hash, id) - weight // 2 AS place "
        f"FROM {_HASHES} JOIN {_BUCKETS} USING (stratum, bucket)"
    )


def _place_by_time(db: Database) -> None:
    db.run(
        f"CREATE TABLE {_PLACES} AS SELECT id, stratum, sum(weight) OVER (ORDER BY value) - "
        f"sum(weight) OVER (PARTITION BY value) // 2 AS place FROM {_UNITS}"
    )


def _assign(db: Database, strata: Sequence[int], ends: Sequence[Sequence[int]]) -> None:
    """Give each unit its part; `ends` are those of the parts in each stratum."""
    columns = [strata, *zip(*ends, strict=True)]
    names = ["stratum", *PARTS]
    numbers = [pa.array(column, pa.int64()) for column in columns]
    db.create(_ENDS, pa.table(numbers, names=names))
    cases = " ".join(f"WHEN place <= {part} THEN '{part}'" for part in PARTS)
    db.run(
        f"CREATE TABLE {ASSIGNED} AS SELECT id, CASE {cases} END AS part "
        f"FROM {_PLACES} JOIN {_ENDS} USING (stratum)"
    )


def _order(db: Database, unit: Unit) -> str:
    """Order by unit, and where rows share a key by everything, so that only equals are tied."""
    columns = [f"j.{identifier(name)}" for name in db.columns(JOINED)]
    keys = f"SELECT count(*) > (SELECT count(*) FROM {ASSIGNED}) FROM {JOINED}"
    rest = columns if not unit.is_content and db.row(keys)[0] else []
    return ", ".join(dict.fromkeys([unit.sql, *rest]))
