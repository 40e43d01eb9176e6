"""How good sagetree's untouched defaults are, beside those of five peers and a search.

    python -m bench.quality --tables DIR [--only NAME ...] [--folds N] [--peers]
    python -m bench.quality --tables DIR [--only NAME ...] --cost OTHER [--rounds N]

DIR holds CSV files and meta.json, which says about each by its name: task (binary,
multiclass, regression), target, positive (the label that counts as 1), folds,
repeats, rows, cols, and hp (hyperparameters that the task needs). Everyone learns from
the same folds' other rows, on one thread, and scores the same rows.

What was scored is kept in the results' folder: the next run computes what is missing
there, or what a change of sagetree, of a peer's version or of a table has made void,
and prints the summary of all that is kept as Markdown. The peers are installed by uv
into .quality/peers.

With --cost nothing is judged: the processor time of a training on each table stands
beside that of OTHER, another checkout with its own environment (`make install` in it).
"""

import argparse
import sys
from pathlib import Path

from bench.quality import cost
from bench.quality.environment import PYTHON, ROOT, install_peers
from bench.quality.field import Process, ours, searched, tuned, untuned
from bench.quality.judge import Case, compute, kept_scores
from bench.quality.report import Scored, report
from bench.quality.store import Store
from bench.quality.table import Table, read_tables


def main() -> int:
    """Compute what is missing, print the summary, and return 1 if a contender failed."""
    parser = _parser()
    options = parser.parse_args()
    tables = _tables(parser, options)
    if options.cost:
        others = options.cost / ".venv" / "bin" / "sagetree"
        judged = [table for table in tables if table.is_judged]
        this = PYTHON.with_name("sagetree")
        print("\n".join(cost.report([*cost.measure(judged, this, others, options.rounds)])))
        return 0
    us, search = ours(), tuned()
    slow = [search, searched()]
    field = [us, *untuned(), *slow]
    asked = _asked(parser, options, field)
    if any(who.name not in (us.name, slow[-1].name) for who in asked):
        install_peers()
    store = Store(options.results)
    cases = [
        Case(table, tuple(table.split()[: options.folds])) for table in tables if table.is_judged
    ]
    # Searches take longer than all others: they have no need to wait for them.
    is_whole = compute(store, [who for who in asked if who not in slow], cases)
    is_whole &= compute(store, [who for who in asked if who in slow], cases)
    scored = [
        Scored(case, {who.name: kept_scores(store, who, case) for who in field}) for case in cases
    ]
    print(report(scored, [table.name for table in tables if not table.is_judged]))
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
        "search, tuned",
    )
    asked.add_argument(
        "--cost", type=Path, metavar="OTHER", help="processor time beside another checkout's"
    )
    parser.add_argument(
        "--rounds", type=int, default=1, metavar="N", help="of --cost: trainings on each table"
    )
    return parser


def _tables(parser: argparse.ArgumentParser, options: argparse.Namespace) -> list[Table]:
    meta = options.tables / "meta.json"
    if not meta.is_file():
        parser.error(f"{options.tables} has no meta.json, which says what its tables are")
    tables = read_tables(options.tables)
    names = options.only or [table.name for table in tables]
    unknown = set(names) - {table.name for table in tables}
    if unknown:
        parser.error(f"{meta} has no table {', '.join(sorted(unknown))}")
    return [table for table in tables if table.name in names]


def _asked(
    parser: argparse.ArgumentParser, options: argparse.Namespace, field: list[Process]
) -> list[Process]:
    if options.peers:  # and not what is asked for by name alone, six searches for each fold
        return [who for who in field if who.name != "tuned"]
    known = [who.name for who in field]
    names = options.contenders or known[:1]
    unknown = set(names) - set(known)
    if unknown:
        parser.error(f"there is no contender {', '.join(sorted(unknown))}, but {', '.join(known)}")
    return [who for who in field if who.name in names]


if __name__ == "__main__":
    sys.exit(main())
