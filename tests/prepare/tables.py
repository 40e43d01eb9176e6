"""Inputs and outputs of a preparation on a folder that stands for /opt/ml."""

import csv
from pathlib import Path

from sagetree.prepare.cli import main

PARTS = ("train", "validation", "test")

Rows = list[dict[str, str]]


def put(root: Path, name: str, content: str | bytes) -> Path:
    """Write one file below processing/input."""
    path = root / "processing" / "input" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def put_pair(root: Path, rows: int = 40) -> None:
    """Write claims (every fourth a fraud) and customers that match."""
    claims = "".join(f"{i},{'N/A' if i % 3 else 'Rear'},{int(i % 4 == 0)}\n" for i in range(rows))
    put(root, "claims/part.csv", f"policy_id,collision,fraud\n{claims}")
    customers = "".join(f"{i},{20 + i}\n" for i in range(rows))
    put(root, "customers.csv", f"policy_id,age\n{customers}")


def put_one(root: Path, header: str, rows: list[str], name: str = "t.csv") -> list[str]:
    """Write one table with a label of both kinds, and return the arguments to take it as it is."""
    lines = [f"{row},{index % 2}" for index, row in enumerate(rows)]
    put(root, name, "\n".join([f"{header},fraud", *lines]) + "\n")
    sql = root / "all.sql"
    sql.write_text("SELECT * FROM t")
    return ["--sql", str(sql), "--format", "csv", "--split", "1,0,0"]


# The arguments that every preparation needs, for tables like those of `put_pair`.
QUERY = Path(__file__).parents[2] / "local_test" / "claims_customers.sql"
EXAMPLE = ("--sql", str(QUERY), "--key", "policy_id", "--label", "fraud")


def prepare(*arguments: str) -> int:
    """Prepare the example in this process; SAGEMAKER_BASE_DIR is set by the fixture `root`."""
    return main([*EXAMPLE, *arguments])


def part(root: Path, name: str) -> Rows:
    """Return a CSV part's rows."""
    with (root / "processing" / "output" / name / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def every_row(root: Path) -> Rows:
    """Return the rows of all CSV parts by key."""
    written = [name for name in PARTS if (root / "processing" / "output" / name).is_dir()]
    return sorted((row for name in written for row in part(root, name)), key=_key)


def _key(row: dict[str, str]) -> tuple[int, str]:
    return len(row["policy_id"]), row["policy_id"]


def outputs(root: Path) -> dict[str, bytes]:
    """Return all files below processing/output."""
    folder = root / "processing" / "output"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def message(root: Path) -> str:
    """Return what the job says about its failure."""
    return (root / "output" / "message").read_text()
