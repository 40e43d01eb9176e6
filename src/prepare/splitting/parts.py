"""What each part holds, and whether a model can learn from it and be judged by it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sagetree.errors import DataError, quote
from sagetree.machine.program import LOG
from sagetree.prepare.database import Database, identifier
from sagetree.prepare.inputs import listing
from sagetree.prepare.joining import JOINED
from sagetree.prepare.splitting.assigning import Split
from sagetree.prepare.splitting.labels import JoinedLabel


@dataclass(frozen=True)
class Part:
    """One part's rows: how many of each class, or the median of a label of numbers.

    `times` are its first and last time, as text, where the rows were split by time.
    """

    name: str
    rows: int
    counts: tuple[int, ...]
    median: float | None = None
    times: tuple[str, str] | None = None


def count_parts(db: Database, split: Split, label: JoinedLabel) -> Sequence[Part]:
    """Return the parts.

    Raises DataError for one without rows, without one of two values, and where
    train lacks a class; logs classes that another part lacks.
    """
    column = f"j.{identifier(label.column)}"
    classes = {value: index for index, value in enumerate(label.classes)}
    counts = {name: [0] * len(classes) for name in split.parts}
    if classes:
        query = f"{split.rows(f'a.part, {column}, count(*)')} GROUP BY 1, 2"
        for name, value, count in db.rows(query):
            counts[name][classes[value]] = count
    median = "NULL" if classes else f"CAST(median({column}) AS DOUBLE)"
    times = "NULL, NULL"
    if split.time is not None:
        column_of_times, order = split.time
        kind = db.columns(JOINED)[column_of_times]
        cell = db.text(f"j.{identifier(column_of_times)}", kind)
        times = f"arg_min({cell}, {order}), arg_max({cell}, {order})"
    found = {
        name: (rows, middle, (first, last))
        for name, rows, middle, first, last in db.rows(
            f"{split.rows(f'a.part, count(*), {median}, {times}')} GROUP BY 1"
        )
    }
    parts = []
    for name in split.parts:
        rows, middle, span = found.get(name, (0, None, ("", "")))
        parts.append(Part(name, rows, (*counts[name],), middle, span if split.time else None))
    for part in parts:
        _check(part, label)
    return parts


def _check(part: Part, label: JoinedLabel) -> None:
    lacking = [v for v, count in zip(label.classes, part.counts, strict=True) if not count]
    must_have = label.is_binary or (part.name == "train" and label.are_words)
    if lacking and (must_have or not part.rows):
        named = quote(lacking[-1])
        raise DataError(
            f"the part {part.name} has {part.rows} rows, none of them with {label.column} = "
            f"{named}",
            where=f"column {quote(label.column)}",
            hint="Give the part a larger share with --split, leave it out with a share of 0, "
            f"or add rows with {label.column} = {named}",
        )
    if not part.rows:
        raise DataError(
            f"the part {part.name} has no rows",
            where="--split",
            hint="Give the part a larger share, leave it out with a share of 0, or add rows",
        )
    if lacking:
        LOG.warning(
            "Warning: the part %s has no row with %s = %s",
            part.name,
            label.column,
            listing(map(str, lacking)),
        )
