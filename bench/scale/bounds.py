"""What each program costs as tables grow: processor seconds, memory, and their exponents.

    python -m bench.scale.bounds [--rows 10000 100000 1000000] [--columns 10 100 1000 10000]
                                 [--programs train predict ...] [--repeats 1]

Rows grow at 28 columns, columns at 10 000 rows; three columns of four are numbers, one words.
Training makes 20 rounds of depth 6 and has a validation channel of a tenth, evaluation writes
its report, and the server gets all rows in bodies of 6 MB (its start is not counted). Seconds
are those of the processor, of all processes of a program, so that others on the machine hardly
count; MB are the peak of the largest process; both are medians of the repeats.

An exponent is that of the cost beyond the first point's, between the last two points: 1 where
twice the rows cost twice as much, whatever the start costs. The exit code is 1 where one is
above 1.1 in rows or 1.2 in columns, or where training of rows takes more memory than 1.4 times
the bytes of its CSV, 0.7 from disk (of 5 million rows or more: Python and the libraries are
200 MB of any). `prepare` of more than 1000 columns may hold 4 GB.
"""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from math import log
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.scale.jobs import Cost, generate, programs
from sagetree.boosters.library import library_version

ROWS, COLUMNS = (10_000, 100_000, 1_000_000), (10, 100, 1000, 10_000)
COLUMNS_OF_ROWS, ROWS_OF_COLUMNS = 28, 10_000
NAMES = ("prepare", "train", "train, disk", "evaluate", "predict", "serve")

# The greatest exponents, and the greatest memory by the bytes of the CSV.
IN_ROWS, IN_COLUMNS = 1.1, 1.2
MEMORY, OF_MANY_ROWS = {"train": 1.4, "train, disk": 0.7}, 5_000_000


class Point(NamedTuple):
    """How large the tables of a point are."""

    rows: int
    columns: int


# What is no more than that beyond the first point is mostly chance.
LEAST_SECONDS = 0.5

# A program's costs by the size of its tables.
Found = dict[str, dict[int, Cost]]


def main() -> None:
    """Print a table for rows and one for columns, and end with 1 where a bound is broken."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.scale.bounds",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", type=int, nargs="*", default=ROWS)
    parser.add_argument("--columns", type=int, nargs="*", default=COLUMNS)
    parser.add_argument("--programs", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--repeats", type=int, default=1)
    given = parser.parse_args()
    versions = f"Python {platform.python_version()}, XGBoost {library_version()}"
    print(f"{os.cpu_count()} cores, {versions}", flush=True)
    wanted = tuple(given.programs)
    of_rows = [Point(rows, COLUMNS_OF_ROWS) for rows in sorted(given.rows)]
    of_columns = [Point(ROWS_OF_COLUMNS, columns) for columns in sorted(given.columns)]
    broken = [
        *ladder("rows", of_rows, wanted, given.repeats, IN_ROWS),
        *ladder("columns", of_columns, wanted, given.repeats, IN_COLUMNS),
    ]
    for words in broken:
        print(words)
    sys.exit(int(bool(broken)))


def ladder(
    what: str, points: Sequence[Point], wanted: Sequence[str], repeats: int, most: float
) -> Iterator[str]:
    """Print the costs at each point and their exponents; yield each bound that is broken."""
    found: Found = {name: {} for name in wanted}
    for point in points:
        size = point.rows if what == "rows" else point.columns
        for name, cost, by_csv in measured(point, wanted, repeats):
            found[name][size] = cost
            ratio = f"  {by_csv:5.2f} of the CSV's bytes" if name.startswith("train") else ""
            print(f"{what} {size:9}  {name:<12} {cost.seconds:9.2f} s {cost.megabytes:7.0f} MB"
                  f"{ratio}", flush=True)  # fmt: skip
            if what == "rows" and size >= OF_MANY_ROWS and by_csv > MEMORY.get(name, by_csv):
                yield f"{name}: {by_csv:.2f} times the CSV's bytes at {size} rows"
    for name, costs in found.items():
        grown = exponent({size: cost.seconds for size, cost in costs.items()})
        if grown is None:
            continue
        print(f"{what:<7} {name:<12} exponent {grown:.2f}", flush=True)
        if grown > most:
            yield f"{name}: exponent {grown:.2f} in {what}, at most {most}"


def measured(
    point: Point, wanted: Sequence[str], repeats: int
) -> Iterator[tuple[str, Cost, float]]:
    """Yield the name and the costs of each program, and its memory by the bytes of train's CSV."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        generate(root, point.rows, point.columns)
        size = (root / "train" / "data.csv").stat().st_size
        for name, run in programs(root, point.columns).items():
            if name not in wanted and name != "train":  # whose model the others take
                continue
            costs = [run() for _ in range(repeats if name in wanted else 1)]
            cost = Cost(median(c.seconds for c in costs), median(c.megabytes for c in costs))
            if name in wanted:
                yield name, cost, cost.megabytes * 2**20 / size


def exponent(costs: dict[int, float]) -> float | None:
    """Return the exponent of what sizes cost beyond the first; None if that is too little.

    >>> round(exponent({10: 3.0, 100: 3.9, 1000: 12.9}), 2)
    1.0
    """
    if len(costs) < 3:
        return None
    (first, least), *_, (one, cost), (two, more) = sorted(costs.items())
    if min(cost, more) - least < LEAST_SECONDS:
        return None
    return log((more - least) / (cost - least)) / log((two - first) / (one - first))


if __name__ == "__main__":
    main()
