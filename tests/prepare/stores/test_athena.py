"""The queries for Athena in docs/guide/feature-store.md, run as they stand there."""

import random
import re
from pathlib import Path

import pytest

from sagetree.prepare.cli import main
from tests.prepare.stores.trees import deleted, put_group, record
from tests.prepare.tables import every_row

PAGE = Path(__file__).parents[3] / "docs" / "guide" / "feature-store.md"
OPTIONS = ("--label", "fraud", "--format", "csv", "--split", "1,0,0")


def put_groups(root: Path, claims: list[str], customers: list[str]) -> None:
    """Write each record two or three times at random, some at one event time, some deleted."""
    draw = random.Random(5)
    for name, features, keys in (("claims", claims, 60), ("customers", customers, 55)):
        if not features:
            continue
        records = []
        for key in range(keys):
            for _ in range(draw.randint(2, 3)):
                time = f"2026-{draw.choice('89')}".replace("-", "-0")
                time = f"{time}-0{draw.randint(8, 9)}T{draw.choice(('09', '10'))}:00:00"
                came = draw.randint(1, 10_000)
                values = {feature: draw.randint(0, 1) for feature in features}
                made = record(key, time, came=came, **values)
                if draw.random() < 0.15:
                    made = deleted(key, time, *features, came=came)
                records.append(made)
        put_group(root, name, records)


def queries() -> list[str]:
    """The queries of the page: with both tables, and with one."""
    return re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.mark.long  # the other query has the same
def test_the_latest_of_each_record_is_what_prepare_keeps(root: Path) -> None:
    put_groups(root, [], ["fraud", "n"])
    (root / "athena.sql").write_text(queries()[1])
    assert main(["--sql", str(root / "athena.sql"), *OPTIONS]) == 0
    rows = every_row(root)
    assert main(["--key", "policy_id", *OPTIONS]) == 0
    kept = every_row(root)
    assert [{name: row[name] for name in kept[0]} for row in rows] == kept
    assert len(kept) > 40


def test_the_query_for_athena_gives_what_prepare_makes_by_itself(root: Path) -> None:
    query = queries()[0]
    claims = re.findall(r"\ba\.(?!policy_id)(\w+)", query.partition("FROM latest_claims a")[0])
    customers = re.findall(r"\bu\.(?!policy_id)(\w+)", query)
    assert (len(claims), len(customers)) == (29, 17)
    put_groups(root, claims, customers)
    (root / "athena.sql").write_text(query)
    assert main(["--sql", str(root / "athena.sql"), *OPTIONS]) == 0
    rows = every_row(root)
    assert main(["--key", "policy_id", *OPTIONS]) == 0
    assert [dict(sorted(row.items())) for row in every_row(root)] == [
        dict(sorted(row.items())) for row in rows
    ]
    assert len(rows) == len({row["policy_id"] for row in rows}) > 40
