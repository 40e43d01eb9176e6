"""What the hosts of a job exchange, between real processes."""

from pathlib import Path

import numpy as np

from sagetree.errors import DataError
from sagetree.train.hosts.group import ONE, Group
from tests.train.hosts.processes import in_group, start_group


def exchange(group: Group) -> object:
    """Everything that a group exchanges, as JSON."""
    rows = np.arange(group.rank * 2, dtype=np.float32).reshape(-1, 2)
    return {
        "names": list(group.names),
        "rank": group.rank,
        "leader": group.is_leader,
        "gather": group.gather({"rank": group.rank, "least": float("inf")}),
        "bytes": [len(data) for data in group.gather_bytes(b"x" * group.rank)],
        "rows": group.gather_rows(rows).tolist(),
        "none": group.gather_rows(np.empty((0, 3), np.int8)).shape,
        "any": [group.any(group.rank == 1), group.any(False)],
        "total": group.total(np.array([[group.rank, 1]])).tolist(),
        "greatest": group.greatest(np.array([-float(group.rank)])).tolist(),
        "settled": group.settle(),
        "same": group.same(["a"], "the names"),
    }


def test_three_hosts_exchange_what_each_has(tmp_path: Path) -> None:
    found = in_group(tmp_path, 3, exchange)

    for rank, said in enumerate(found):
        assert said == {
            "names": ["127.0.0.1", "127.0.0.2", "127.0.0.3"],
            "rank": rank,
            "leader": rank == 0,
            "gather": [{"rank": number, "least": float("inf")} for number in range(3)],
            "bytes": [0, 1, 2],
            "rows": [[0, 1], [0, 1], [2, 3]],
            "none": [0, 3],
            "any": [True, False],
            "total": [[3, 3]],
            "greatest": [0],
            "settled": None,
            "same": None,
        }


def test_one_host_alone_hands_back_what_it_is_given() -> None:
    said = exchange(ONE)

    assert isinstance(said, dict)
    assert said["gather"] == [{"rank": 0, "least": float("inf")}]
    assert said["any"] == [False, False]
    rows = np.ones((2, 2))
    assert ONE.gather_rows(rows) is rows
    assert ONE.total(rows) is rows
    assert ONE.greatest(rows) is rows


def fail_on_the_second(group: Group) -> None:
    with group.settling():
        if group.rank == 1:
            raise DataError("a cell is bad", where="part.csv, line 9", hint="Correct it")
        group.gather("what the second host does not come to")
    raise AssertionError("no host comes here")


def test_the_error_of_one_host_is_that_of_all(tmp_path: Path) -> None:
    hosts = start_group(tmp_path, 3, fail_on_the_second)

    assert [host.wait() for host in hosts] == [1, 1, 1]
    last = [host.log.splitlines()[-1] for host in hosts]
    named = '["DataError", "host 127.0.0.2, part.csv, line 9: a cell is bad. Correct it"]'
    own = '["DataError", "part.csv, line 9: a cell is bad. Correct it"]'
    assert last == [named, own, named]


def fail_on_all(group: Group) -> None:
    with group.settling():
        raise DataError("no round is any good", where="channel validation", hint="Correct it")


def test_an_error_that_all_hosts_find_is_of_none_of_them(tmp_path: Path) -> None:
    hosts = start_group(tmp_path, 2, fail_on_all)

    assert [host.wait() for host in hosts] == [1, 1]
    own = '["DataError", "channel validation: no round is any good. Correct it"]'
    assert [host.log.splitlines()[-1] for host in hosts] == [own, own]
