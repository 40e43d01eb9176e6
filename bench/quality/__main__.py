"""How good sagetree's untouched defaults are, beside those of five peers and a search.

    python -m bench.quality --tables DIR [--only NAME ...] [--folds N] [--peers]

DIR holds CSV files and meta.json, which says of each by its name: task (binary,
multiclass, regression), target, positive (the label that counts as 1), folds,
repeats, rows, cols, and hp (hyperparameters that the task needs). Everyone learns from
the same folds' other rows, on one thread, and scores the same rows.

What was scored is kept in the results' folder: the next run computes what is missing
there, or what a change of sagetree, of a peer's version or of a table has made void,
and prints the summary of all that is kept as Markdown. The peers are installed by uv
into .quality/peers.
"""

import argparse
import sys
from pathlib import Path

from bench.quality.environment import ROOT, install_peers
from bench.quality.field import ours, tuned, untuned
from bench.quality.judge import Case, compute, kept_scores
from bench.quality.report import Scored, report
from bench.quality.store import Store
from bench.quality.table import Fold, Table, read_tables


def main() -> int:
    """Compute what is missing, print the summary, and return 1 if a contender failed."""
    parser = _parser()
    options = parser.parse_args()
    if not (options.tables / "meta.json").is_file():
        parser.error(f"{options.tables} has no meta.json, which says what its tables are")
    found = read_tables(options.tables)
    unknown = set(options.only or ()) - {table.name for table in found}
    if unknown:
        parser.error(f"{options.tables / 'meta.json'} has no table {', '.join(sorted(unknown))}")
    tables = [table for table in found if not options.only or table.name in options.only]
    cases = [Case(table, _folds(table, options.folds)) for table in tables if table.is_judged]
    store = Store(options.results)
    us, search = ours(), tuned()
    field = [us, *untuned(), search]
    unknown = set(options.contenders or ()) - {who.name for who in field}
    if unknown:
        names = ", ".join(who.name for who in field)
        parser.error(f"there is no contender {', '.join(sorted(unknown))}, but {names}")
    asked = [who for who in field if options.peers or who.name in (options.contenders or [us.name])]
    if asked != [us]:
        install_peers()
    is_whole = compute(store, [who for who in asked if who is not search], cases)
    is_whole &= compute(store, [who for who in asked if who is search], cases)
    others = [table.name for table in tables if not table.is_judged]
    scored = [
        Scored(case, {who.name: kept_scores(store, who, case) for who in field}) for case in cases
    ]
    print(report(scored, others))
    return 0 if is_whole else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.quality",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--tables", type=Path, required=True, metavar="DIR")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these tables (default: all)")
    parser.add_argument("--folds", type=int, metavar="N", help="the first N folds of each table")
    parser.add_argument(
        "--results",
        type=Path,
        default=ROOT / ".quality" / "results",
        metavar="DIR",
        help="where scores are kept (default: .quality/results)",
    )
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument(
        "--peers", action="store_true", help="compute the peers too (default: sagetree alone)"
    )
    asked.add_argument(
        "--contenders",
        nargs="+",
        metavar="NAME",
        help="compute these alone: sagetree, catboost, lightgbm, histogram, linear, xgboost, "
        "search",
    )
    return parser


def _folds(table: Table, most: int | None) -> tuple[Fold, ...]:
    return tuple(table.split()[:most])


if __name__ == "__main__":
    sys.exit(main())
