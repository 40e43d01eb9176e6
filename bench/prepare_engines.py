"""The example of any size, prepared by DuckDB and by Spark: are the parts the same?

    python -m bench.prepare_engines [--policies 5000000] [--memory 12g]

The tables are as real exports are (local_test.generate --messy), in files of some 30 MB. Each
engine is a process of its own, Spark on two cores. A line for each part has its rows and a hash of
them that does not depend on their order, by DuckDB and by Spark; the exit code is 1 where they
differ. Times are of the whole process, its start included.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from local_test.generate import main as generate
from sagetree.formats.whole_rows import end_of_rows
from sagetree.prepare.database import literal
from sagetree.prepare.settings import ENGINES, PARTS

FILE_BYTES = 30_000_000
SQL = Path(__file__).parents[1] / "local_test" / "claims_customers.sql"


def main(argv: Sequence[str] | None = None) -> int:
    """Compare the engines and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policies", type=int, default=5_000_000)
    parser.add_argument("--memory", default="12g", help="of Spark's driver, which does all here")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="sagetree-engines-") as name:
        folder = Path(name)
        make_tables(folder, options.policies)
        found = {engine: prepared(folder, engine, options.memory) for engine in ENGINES}
    for part in PARTS:
        ours, theirs = (found[engine][part] for engine in ENGINES)
        print(f"{part:<12}{ours[0]:>10} {ours[1]}  {theirs[0]:>10} {theirs[1]}")
    return int(found["duckdb"] != found["spark"])


def make_tables(folder: Path, policies: int) -> None:
    """Write the example's two tables, in several files each."""
    generate(["--policies", str(policies), "--seed", "1", "--messy", "--out", str(folder)])
    for table in ("claims", "customers"):
        (folder / table).mkdir()
        file = folder / f"{table}.csv"
        for number, text in enumerate(pieces(file)):
            (folder / table / f"{number:03}.csv").write_bytes(text)
        file.unlink()


def pieces(file: Path) -> Iterator[bytes]:
    """Yield the rows of a CSV file, some megabytes at once, each time below its header."""
    with file.open("rb") as opened:
        header, rest = opened.readline(), b""
        while chunk := opened.read(FILE_BYTES):
            text = rest + chunk
            end, _ = end_of_rows(text, ",")
            yield header + text[:end]
            rest = text[end:]
        if rest:
            yield header + rest


def prepared(folder: Path, engine: str, memory: str) -> dict[str, tuple[int, int]]:
    """Return the rows of each part, and the sum of their hashes."""
    out = folder / engine
    tables = [str(folder / "claims"), str(folder / "customers")]
    program = str(Path(sys.executable).with_name("sagetree"))
    command = [program, "prepare", *tables, "--out", str(out)]
    command += ["--sql", str(SQL), "--key", "policy_id", "--label", "fraud", "--engine", engine]
    spark = f"--master local[2] --driver-memory {memory} pyspark-shell"
    began = time.monotonic()
    subprocess.run(command, check=True, env={**os.environ, "PYSPARK_SUBMIT_ARGS": spark})
    print(f"{engine}: {time.monotonic() - began:.0f} s")
    return {part: counted(out / "processing" / "output" / part) for part in PARTS}


def counted(folder: Path) -> tuple[int, int]:
    """Return the number of rows below a folder, and a hash of them in any order."""
    files = literal(str(folder / "*.parquet"))
    query = f"SELECT count(*), sum(hash(t)) FROM read_parquet({files}) t"
    with duckdb.connect() as connection:
        rows, total = connection.execute(query).fetchall()[0]
    return int(rows), int(total)


if __name__ == "__main__":
    sys.exit(main())
