"""The tables that the guide's commands name: claims of policies, customers, what came later."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

from tests.prepare.flow.flows import LOWER, flow, pandas

COLUMNS = (
    "fraud", "policy_id", "amount", "region", "customer_gender", "customer_age", "policy_state",
)  # fmt: skip

JOIN = "SELECT c.*, u.premium FROM claims c LEFT JOIN customers u USING (policy_id)\n"

FACETS = [
    {"column": "customer_gender", "values": ["Female"], "group": "policy_state"},
    {"column": "customer_age", "threshold": 40},
]


def write_guide_tables(folder: Path) -> None:
    """Write them all; the label is drawn by the amount."""
    chance = random.Random(2)
    _table(folder / "claims.csv", COLUMNS, _claims(chance, 1, 600))
    _table(folder / "later.csv", COLUMNS, _claims(chance, 601, 300))
    january = _claims(chance, 901, 300)
    _table(folder / "january.csv", COLUMNS[1:], [row[1:] for row in january])
    _table(folder / "outcomes.csv", COLUMNS[:2], [row[:2] for row in january])
    _table(folder / "rows.csv", COLUMNS[2:], [row[2:] for row in _claims(chance, 1201, 50)])
    customers = [(number, chance.randint(200, 900)) for number in range(1, 601)]
    _table(folder / "customers.csv", ("policy_id", "premium"), customers)
    (folder / "join.sql").write_text(JOIN)
    (folder / "facets.json").write_text(json.dumps(FACETS))
    for table in ("claims.csv", "customers.csv"):
        (folder / table).with_suffix(".flow").write_text(flow(table, [pandas(LOWER)]))
    (folder / "capture").mkdir()
    (folder / "capture" / "part.jsonl").write_text(_capture(january))


def _claims(chance: random.Random, first: int, count: int) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for number in range(first, first + count):
        amount = chance.randint(100, 9000)
        fraud = int(chance.random() < (0.7 if amount > 6000 else 0.1))
        gender, region = chance.choice(["Female", "Male"]), chance.choice(["north", "south"])
        age, state = chance.randint(18, 80), chance.choice(["CA", "WA"])
        rows.append((fraud, number, amount, region, gender, age, state))
    return rows


def _capture(rows: Sequence[Sequence[object]]) -> str:
    """Return requests as SageMaker's data capture keeps them, a row in each."""
    lines = []
    for row in rows:
        data = ",".join(map(str, row[1:]))
        sent = {"observedContentType": "text/csv", "mode": "INPUT", "data": data, "encoding": "CSV"}
        lines.append(
            json.dumps(
                {
                    "captureData": {"endpointInput": sent},
                    "eventMetadata": {"eventId": f"event-{row[1]}"},
                    "eventVersion": "0",
                }
            )
        )
    return "\n".join(lines) + "\n"


def _table(path: Path, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    lines = [",".join(map(str, row)) for row in (columns, *rows)]
    path.write_text("\n".join(lines) + "\n")
