"""All hosts make the same calls of XGBoost, whatever they learn and however few rows they have.

`run_hosts` compares the calls of each job; here are jobs of every objective and kind of matrix.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.train.hosts.processes import Host, run_hosts
from tests.train.hosts.recording import first_difference
from tests.train.tasks import CASES, ROWS, Case

# What XGBoost or the job cannot do with several hosts.
REFUSED = {"survival:cox"}

# Leaves that are medians or quantiles need rows on each host; of rank:map XGBoost aborts.
MEDIANS = {"reg:absoluteerror", "reg:quantileerror", "one quantile"}
NOT_EMPTY = {*MEDIANS, "rank:map"}

MATRICES = {
    "plain": {"tree_method": "approx"},
    "quantised": {"tree_method": "hist"},
    "external": {"external_memory": "true"},
}
SHARES = {"a hundredth": 1, "none": 0}
QUERY = 8


def run(root: Path, case: Case, few: int, settings: Mapping[str, object]) -> list[Host]:
    """Run a job whose second host has the last few rows to learn from, or no file of them."""
    cut = ROWS - few
    last: dict[str, str] = {"data.csv": case.csv(slice(cut, None))} if few else {}
    shards: list[Mapping[str, str | Mapping[str, str]]] = [
        {"train": case.csv(slice(cut)), "validation": case.csv(slice(64))},
        {"train": last, "validation": case.csv(slice(64, 72))},
    ]
    given = {"num_round": 4, **case.hyperparameters, **settings}
    return run_hosts(root, shards, given)


def _cases() -> Iterator[ParameterSet]:
    """Yield every objective, matrix and share; by day each objective has one of the matrices."""
    for number, name in enumerate(sorted({*CASES} - REFUSED)):
        for other, matrix in enumerate(MATRICES):
            marks = [pytest.mark.nightly] if (number + other) % len(MATRICES) else []
            for share, few in SHARES.items():
                yield pytest.param(name, matrix, few, marks=marks, id=f"{name}-{matrix}-{share}")


@pytest.mark.long
@pytest.mark.parametrize(("name", "matrix", "few"), [*_cases()])
def test_hosts_make_the_same_calls(tmp_path: Path, name: str, matrix: str, few: int) -> None:
    if name.startswith("rank:"):
        few *= QUERY
    hosts = run(tmp_path, CASES[name], few, MATRICES[matrix])
    codes = [host.wait() for host in hosts]
    if not few and name in NOT_EMPTY:
        assert codes == [1, 1]
        assert "it has no rows to learn from, and objective=" in hosts[1].failure
    else:
        assert codes == [0, 0], [host.log for host in hosts]


def test_calls_that_differ_are_found(tmp_path: Path) -> None:
    one, other, longer = (tmp_path / name for name in ("one", "other", "longer"))
    one.write_text("A\nB 1\nXGCommunicatorFinalize\nC\n")
    other.write_text("A\nB 2\n")
    longer.write_text("A\nB 1\nD\nXGCommunicatorFinalize\n")
    assert first_difference([one, one]) == ""
    assert first_difference([one, other]) == "call 1: ('B 1', 'B 2'), after ['A']"
    assert first_difference([one, longer]) == "numbers of calls: {2, 3}"
