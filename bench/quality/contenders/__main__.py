"""One contender on one table, in a process and an environment of its own.

    python -m bench.quality.contenders MODULE < job

The job is JSON: the table, and the folds that are asked for. Each fold's scores are a
line of JSON, written as soon as they are there.
"""

import json
import sys
from importlib import import_module

import numpy as np

from bench.quality.table import Fold, Table


def main() -> None:
    """Score each fold of the job."""
    contender = import_module(f"bench.quality.contenders.{sys.argv[1]}")
    job = json.load(sys.stdin)
    table = Table.from_json(job["table"])
    for repeat, number, rows in job["folds"]:
        found = contender.scores(table, Fold(repeat, number, np.array(rows)))
        if not np.isfinite(found).all() or len(found) != len(rows):
            raise RuntimeError(f"{len(found)} scores for {len(rows)} rows, or some are not numbers")
        print(json.dumps(found.tolist()), flush=True)


if __name__ == "__main__":
    main()
