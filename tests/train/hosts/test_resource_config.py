"""Which hosts resourceconfig.json names, and what of it is refused."""

from typing import Any

import pytest

from sagetree.train.hosts.resource_config import Hosts, read_hosts


def test_hosts_are_sorted_as_a_person_would() -> None:
    names = [f"algo-{number}-x" for number in (10, 2, 1)]
    hosts = read_hosts({"hosts": names, "current_host": "algo-2-x"}, [])

    assert hosts == Hosts(("algo-1-x", "algo-2-x", "algo-10-x"), "algo-2-x")
    assert (hosts.count, hosts.rank, hosts.leader) == (3, 1, "algo-1-x")


@pytest.mark.parametrize("config", [{}, {"hosts": ["algo-7"]}, {"hosts": "algo-1"}, {"hosts": []}])
def test_a_job_of_one_host_needs_no_configuration(config: dict[str, Any]) -> None:
    faults: list[str] = []
    assert read_hosts(config, faults).count == 1
    assert faults == []


GROUPS = [
    {"instance_group_name": "a", "instance_type": "ml.m5.large", "hosts": ["a"]},
    {"instance_group_name": "b", "instance_type": "ml.m5.large", "hosts": ["b"]},
]


def test_instance_groups_of_one_type_are_one_cluster() -> None:
    faults: list[str] = []
    config = {"hosts": ["b", "a"], "current_host": "b", "instance_groups": GROUPS}
    assert read_hosts(config, faults) == Hosts(("a", "b"), "b")
    assert faults == []


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        (
            {"hosts": ["a", "b"]},
            "current_host of resourceconfig.json is missing, and hosts are 'a', 'b': "
            "name this host as hosts names it",
        ),
        (
            {"hosts": ["a", "b", "a"], "current_host": "a"},
            "hosts of resourceconfig.json names 'a' twice: name each host once",
        ),
        (
            {"hosts": ["a", 2], "current_host": "a"},
            "hosts of resourceconfig.json holds something that is not a name or an address: write "
            "each as text",
        ),
        (
            {
                "hosts": ["a", "b"],
                "current_host": "a",
                "instance_groups": [GROUPS[0], {**GROUPS[1], "instance_type": "ml.c5.large"}],
            },
            "the hosts are of 2 instance types (ml.c5.large, ml.m5.large), and each round waits "
            "for the slowest: use one instance type",
        ),
    ],
)
def test_what_is_refused(config: dict[str, Any], fault: str) -> None:
    faults: list[str] = []
    read_hosts(config, faults)
    assert faults == [fault]
