"""Hosts that die, hang, fail or do not come: all others end soon, and say who and why."""

import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xgboost

from sagetree.errors import PlatformError
from sagetree.train.hosts.group import Group
from tests.train.hosts.processes import Host, start_group

HINT = (
    "See the log of that host. A job with checkpoints goes on from the newest when it is "
    "started again"
)


def last_words(host: Host) -> list[str]:
    """The kind and the text of the error with which a host ended."""
    assert host.wait() == 1, host.log
    last = host.log.splitlines()[-1]
    if last.startswith("FAILED: "):  # it waited in XGBoost, and was ended there
        return ["PlatformError", last.removeprefix("FAILED: ")]
    found = json.loads(last)
    assert isinstance(found, list)
    return found


def lost(reason: str) -> list[str]:
    return ["PlatformError", f"another host of the job is gone: {reason}. {HINT}"]


def exchange_for_ever(group: Group) -> None:
    print("begins", flush=True)  # noqa: T201
    while True:
        group.total(np.ones(3))


def boost_for_ever(group: Group) -> None:
    """XGBoost's own exchanges: each round has several."""
    random = np.random.default_rng(group.rank)
    data = xgboost.DMatrix(random.normal(size=(100, 3)), random.integers(0, 2, 100))
    booster = xgboost.Booster({"tree_method": "hist", "nthread": 1}, [data])
    print("begins", flush=True)  # noqa: T201
    number = 0
    while True:
        try:
            booster.update(data, number)
        except xgboost.core.XGBoostError as error:
            group.raise_if_lost(error)
            raise
        number += 1


def begun(hosts: list[Host]) -> list[Host]:
    """Wait until all exchange."""
    limit = time.monotonic() + 60
    while not all("begins" in host.log for host in hosts):
        assert time.monotonic() < limit, [host.log for host in hosts]
        time.sleep(0.02)
    return hosts


@pytest.mark.long
@pytest.mark.parametrize("work", [exchange_for_ever, boost_for_ever])
@pytest.mark.parametrize("victim", [0, 2], ids=["the leader", "the last"])
def test_a_killed_host_ends_the_others_at_once(
    tmp_path: Path, work: Callable[[Group], None], victim: int
) -> None:
    hosts = begun(start_group(tmp_path, 3, work, timeout=600))
    hosts[victim].signal(signal.SIGKILL)

    name = f"127.0.0.{victim + 1}"
    for host in (host for host in hosts if host is not hosts[victim]):
        assert last_words(host) == lost(
            f"{name} ended without a message, as a host does when it is killed"
        )


@pytest.mark.long
def test_a_host_that_hangs_is_named_after_the_timeout(tmp_path: Path) -> None:
    hosts = begun(start_group(tmp_path, 3, exchange_for_ever, timeout=3))
    hosts[1].signal(signal.SIGSTOP)
    try:
        said = "127.0.0.2 did not come to an exchange for 3 s (SAGETREE_CLUSTER_TIMEOUT)"
        assert last_words(hosts[0]) == lost(said)
        assert last_words(hosts[2]) == lost(said)
    finally:
        hosts[1].signal(signal.SIGKILL)


@pytest.mark.long
def test_a_leader_that_hangs_is_named_too(tmp_path: Path) -> None:
    hosts = begun(start_group(tmp_path, 2, exchange_for_ever, timeout=3))
    hosts[0].signal(signal.SIGSTOP)
    try:
        said = "127.0.0.1 did not come to an exchange for 3 s (SAGETREE_CLUSTER_TIMEOUT)"
        assert last_words(hosts[1]) == lost(said)
    finally:
        hosts[0].signal(signal.SIGKILL)


def fail_alone(group: Group) -> None:
    """A bug, where no error is awaited."""
    group.settle()
    if group.rank == 1:
        raise KeyError("amount")
    exchange_for_ever(group)


def test_a_bug_on_one_host_is_named_on_the_others(tmp_path: Path) -> None:
    hosts = start_group(tmp_path, 3, fail_alone)

    assert last_words(hosts[1]) == ["KeyError", "'amount'"]
    for host in (hosts[0], hosts[2]):
        said = "127.0.0.2 failed: Unexpected error (a bug): KeyError: 'amount'"
        assert last_words(host) == lost(said)


def wait_for_ever(group: Group) -> None:
    """As XGBoost does now and then, when another host has gone."""
    group.settle()
    if group.rank == 1:
        raise KeyError("amount")
    threading.Event().wait()


@pytest.mark.long
def test_a_host_that_never_notices_is_ended_with_the_reason(tmp_path: Path) -> None:
    hosts = start_group(tmp_path, 3, wait_for_ever)
    assert last_words(hosts[1]) == ["KeyError", "'amount'"]
    for host in (hosts[0], hosts[2]):
        said = "127.0.0.2 failed: Unexpected error (a bug): KeyError: 'amount'"
        assert last_words(host) == lost(said)


def part_and_die(group: Group) -> str:
    group.part()
    if group.rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(14)  # longer than a host has to notice that another one is lost
    return "written"


@pytest.mark.long
def test_a_leader_that_writes_the_model_needs_nobody(tmp_path: Path) -> None:
    leader, other = start_group(tmp_path, 2, part_and_die)
    assert leader.wait() == 0, leader.log
    assert json.loads(leader.log.splitlines()[-1]) == "written"
    assert other.wait() == -signal.SIGKILL


def exchange_once_more(group: Group) -> None:
    """What XGBoost takes for the next exchange of the others."""
    for _ in range(3 if group.rank else 4):
        group.total(np.ones(40))


def exchange_something_else(group: Group) -> None:
    if group.rank:
        group.total(np.ones(4))
    else:
        group.any(True)


def boost_meanwhile(group: Group) -> None:
    """One host exchanges histograms while the other one looks at a flag."""
    group.settle()
    if group.rank:
        boost_for_ever(group)
    else:
        group.any(True)


@pytest.mark.long
@pytest.mark.parametrize("work", [exchange_once_more, exchange_something_else, boost_meanwhile])
def test_hosts_out_of_step_fail(tmp_path: Path, work: Callable[[Group], None]) -> None:
    hosts = start_group(tmp_path, 2, work, timeout=3)

    for host in hosts:
        assert last_words(host)[0] in ("OutOfStepError", "PlatformError")


def fail_when_all_have_parted(group: Group) -> None:
    """As a leader does whose disk is full when it writes the model."""
    group.part()
    if group.is_leader:
        raise PlatformError("the disk is full", where="/opt/ml/model", hint="Free some space")


def test_a_leader_that_fails_alone_ends_all(tmp_path: Path) -> None:
    hosts = start_group(tmp_path, 2, fail_when_all_have_parted)

    own = "/opt/ml/model: the disk is full. Free some space"
    assert last_words(hosts[0]) == ["PlatformError", own]
    assert last_words(hosts[1]) == lost(f"127.0.0.1 failed: {own}")


def write_for_a_while(group: Group) -> None:
    group.part()
    print("begins", flush=True)  # noqa: T201
    if group.is_leader:
        with socket.create_server(("127.0.0.1", 0)) as server:
            print(f"\nat {server.getsockname()[1]}", flush=True)  # noqa: T201
            server.accept()[0].close()  # until the test has checked the other one


def test_all_wait_until_the_leader_has_written(tmp_path: Path) -> None:
    """Local mode ends all containers with the first one that has ended."""
    leader, other = begun(start_group(tmp_path, 2, write_for_a_while))
    limit = time.monotonic() + 60
    while not (found := re.search(r"^at (\d+)\n", leader.log, re.M)):
        assert time.monotonic() < limit, leader.log
    other.process.join(0.5)
    assert other.process.exitcode is None
    with socket.create_connection(("127.0.0.1", int(found[1]))):
        assert [host.wait() for host in (leader, other)] == [0, 0]
