"""What happened to the rows, as plain tables for someone who sees them for the first time."""

from collections.abc import Mapping, Sequence

from sagetree.prepare.inputs import NAMES_SHOWN
from sagetree.prepare.records import Cleaned
from sagetree.prepare.splitting.labels import JoinedLabel
from sagetree.prepare.splitting.parts import Part


def tables_report(tables: Sequence[Cleaned]) -> str:
    """Return what became of each table's rows."""
    head = ("table", "rows in", "stray headers", "duplicates", "deleted", "rows kept")
    rows = [
        (t.table, str(t.read), str(t.headers), str(t.duplicates), str(t.deleted), str(t.kept))
        for t in tables
    ]
    nameless = [f"{t.table}: a column without a name was left out" for t in tables if t.nameless]
    return "\n".join([_aligned([head, *rows]), *nameless])


def keys_report(unmatched: Mapping[tuple[str, str], int], rows: int, key: str | None) -> str:
    """Return how many keys found no partner, and how many rows the join gave."""
    lines = [f"keys of {left} without {right}: {n}" for (left, right), n in unmatched.items()]
    if key is None:
        lines.append("no --key: rows are split one by one, equal ones into one part")
    return "\n".join([*lines, f"rows joined: {rows}"])


def parts_report(parts: Sequence[Part], label: JoinedLabel) -> str:
    """Return each part's size, and how the label is spread over the parts.

    Of two values that is the share of the positive one, of numbers their median,
    of classes a table of its own, the rarest first.
    """
    total = sum(part.rows for part in parts)
    columns = [
        ("part", *(part.name for part in parts)),
        ("rows out", *(str(part.rows) for part in parts)),
        ("of all", *(f"{part.rows / total:.2%}" for part in parts)),
    ]
    if label.is_binary:
        positives = f"{label.column} = {label.classes[-1]}"
        columns.append((positives, *(str(part.counts[-1]) for part in parts)))
        columns.append(("share", *(f"{part.counts[-1] / part.rows:.2%}" for part in parts)))
    elif not label.classes:
        columns.append((f"median {label.column}", *(f"{part.median:g}" for part in parts)))
    for index, name in enumerate(("from", "to")):
        times = [part.times[index] for part in parts if part.times]
        columns += [(name, *times)] if times else []
    table = _aligned([*zip(*columns, strict=True)])
    return f"{table}\n\n{_classes(parts, label)}" if len(label.classes) > 2 else table


def _classes(parts: Sequence[Part], label: JoinedLabel) -> str:
    head = (label.column, *(part.name for part in parts))
    counts = zip(*(part.counts for part in parts), strict=True)
    rows = [
        (str(value), *map(str, numbers))
        for value, numbers in zip(label.classes, counts, strict=True)
    ]
    more = len(rows) - NAMES_SHOWN
    tail = [f"... and {more} more frequent values"] if more > 0 else []
    return "\n".join([_aligned([head, *[*reversed(rows)][:NAMES_SHOWN]]), *tail])


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    )
