"""What happened to the rows, as plain tables for someone who sees them for the first time."""

from collections.abc import Mapping, Sequence

from sagetree.prepare.records import Cleaned
from sagetree.prepare.splitting import Label, Part


def tables_report(tables: Sequence[Cleaned]) -> str:
    """Return what became of each table's rows."""
    head = ("table", "rows in", "stray headers", "duplicates", "deleted", "rows kept")
    rows = [
        (t.table, str(t.read), str(t.headers), str(t.duplicates), str(t.deleted), str(t.kept))
        for t in tables
    ]
    nameless = [f"{t.table}: a column without a name was left out" for t in tables if t.nameless]
    return "\n".join([_aligned([head, *rows]), *nameless])


def keys_report(unmatched: Mapping[tuple[str, str], int], rows: int) -> str:
    """Return how many keys found no partner, and how many rows the join gave."""
    lines = [f"keys of {left} without {right}: {n}" for (left, right), n in unmatched.items()]
    return "\n".join([*lines, f"rows joined: {rows}"])


def parts_report(parts: Sequence[Part], label: Label) -> str:
    """Return each part's size and its share of the positive label."""
    total = sum(part.rows for part in parts)
    head = ("part", "rows out", "of all", f"{label.column} = {label.positive}", "share")
    rows = [
        (
            part.name,
            str(part.rows),
            f"{part.rows / total:.2%}",
            str(part.positives),
            f"{part.positives / part.rows:.2%}",
        )
        for part in parts
    ]
    return _aligned([head, *rows])


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    )
