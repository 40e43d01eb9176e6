"""The table the serving tests train on: every kind of column, with awkward names."""

import random

NAMES = ("num_claims", "a<b", "x,y", "début [UTC]", "größe", "policy_id")
CATEGORIES = ("rear", "side", 'the "front", or so', "42")
SIZES = ("small", "medium", "large")

Record = dict[str, object]


def records(count: int, seed: int = 0) -> list[Record]:
    """Rows as JSON would hold them, a tenth of the cells missing."""
    source = random.Random(seed)
    return [
        {name: value if source.random() > 0.1 else None for name, value in _row(source, i).items()}
        for i in range(count)
    ]


def _row(source: random.Random, number: int) -> Record:
    day = (
        f"20{source.randrange(10, 30)}-{source.randrange(1, 13):02d}-{source.randrange(1, 29):02d}"
    )
    return {
        "num_claims": source.choice([source.randrange(9), source.uniform(0, 9)]),
        "a<b": source.choice(CATEGORIES),
        "x,y": source.random() < 0.5,
        "début [UTC]": source.choice([day, f"{day}T13:45:00"]),
        "größe": source.choice(SIZES),
        "policy_id": f"P{number:05d}",
    }


def is_fraud(record: Record) -> bool:
    """A rule with a little of each column."""
    return (
        (record["num_claims"] or 0)
        + 4 * (record["a<b"] == "rear")
        + 3 * (record["x,y"] is True)
        + 2 * (record["größe"] == "large")
        + (str(record["début [UTC]"]) > "2020")
    ) > 8


def csv_cell(value: object) -> str:
    """A cell as CSV writes it."""
    if value is None:
        return ""
    text = repr(value) if isinstance(value, float) else str(value)
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text


def csv_body(names: list[str] | tuple[str, ...], rows: list[Record], *, header: bool) -> bytes:
    """Rows as CSV text."""
    lines = [",".join(csv_cell(row[name]) for name in names) for row in rows]
    if header:
        lines.insert(0, ",".join(map(csv_cell, names)))
    return ("\n".join(lines) + "\n").encode()
