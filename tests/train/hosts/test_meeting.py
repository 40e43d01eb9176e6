"""How hosts meet: who is missing, who is not awaited, and strangers at the port."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

import pytest

from sagetree.errors import PlatformError, SettingsError
from sagetree.train.hosts.cluster import Cluster
from sagetree.train.hosts.meeting import Meeting
from sagetree.train.hosts.resource_config import Hosts
from tests.train.hosts.processes import free_port, names_of

NAMES = tuple(names_of(3))


Meet = Callable[..., Meeting]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as executor:
        yield executor


@pytest.fixture
def meeting() -> Iterator[Meet]:
    """The function that makes a host which is to come; all leave after the test."""
    made: list[Meeting] = []

    def make(name: str, cluster: Cluster, names: tuple[str, ...] = NAMES) -> Meeting:
        made.append(Meeting(Hosts(names, name), cluster))
        return made[-1]

    yield make
    for host in reversed(made):
        host.leave(PlatformError("the test is over"))


def came(host: Meeting) -> str:
    """Come, and return what that ended with."""
    try:
        host.come()
    except PlatformError as error:
        return str(error)
    return "met"


REMEDY = "Start each host once, all from one image and with the same resourceconfig.json"


def test_strangers_and_doubles_do_not_keep_hosts_from_meeting(
    pool: ThreadPoolExecutor, meeting: Meet
) -> None:
    cluster = Cluster(free_port(), timeout=30)
    leader = meeting(NAMES[0], cluster)
    with connected(cluster):  # and says nothing
        for words in (b"GET / HTTP/1.1\r\n\r\n", b"{}\n{}\n", b"[" * 60_000 + b"\n"):
            with connected(cluster) as loud:
                loud.sendall(words)
                assert loud.recv(100) == b""
        more = (*NAMES, "127.0.0.4")
        assert came(meeting("127.0.0.4", cluster, more)) == (
            "host 127.0.0.4: the host cannot join the job: the leader knows 127.0.0.1, 127.0.0.2, "
            f"127.0.0.3. {REMEDY}"
        )
        twice = [meeting(NAMES[1], cluster), meeting(NAMES[1], cluster)]
        coming = {host: pool.submit(came, host) for host in (leader, *twice)}
        refused = next(done for done in as_completed(coming.values()))
        assert refused.result() == (
            "host 127.0.0.2: the host cannot join the job: a host of that name has come already. "
            + REMEDY
        )
        last = meeting(NAMES[2], cluster)
        assert came(last) == "met"
        present = [host for host in coming if coming[host].result() == "met"]
        assert len(present) == 2
        assert all(host.tracker == last.tracker for host in present)
        finishing = [pool.submit(host.finish) for host in (last, *reversed(present))]
        for done in finishing:
            done.result()


def connected(cluster: Cluster) -> socket.socket:
    """Connect as somebody else would, once the coordinator listens."""
    limit = time.monotonic() + 30
    while True:
        try:
            return socket.create_connection((NAMES[0], cluster.port), timeout=20)
        except ConnectionRefusedError:
            assert time.monotonic() < limit
            time.sleep(0.05)


def test_the_hosts_that_do_not_come_are_named(meeting: Meet) -> None:
    cluster = Cluster(free_port(), timeout=1)
    leader = meeting(NAMES[0], cluster)

    assert came(leader) == (
        "not all hosts of the job came within 1 s: 127.0.0.2, 127.0.0.3 did not. See their logs, "
        "and let the security group pass all ports between them"
    )


def test_a_leader_that_does_not_come_is_named(meeting: Meet) -> None:
    cluster = Cluster(free_port(), timeout=1)

    assert came(meeting(NAMES[1], cluster)) == (
        f"127.0.0.1, port {cluster.port}: the host that leads the job did not answer in 1 s: "
        "Connection refused. See its log, and let the hosts' security group pass all ports "
        "between them"
    )


def test_a_name_that_nobody_knows_is_named(meeting: Meet) -> None:
    names = ("no-such-host.invalid", "zz")

    said = came(meeting("zz", Cluster(9099, timeout=1), names))
    assert said.startswith(
        "no-such-host.invalid, port 9099: the host that leads the job did not answer in 1 s: "
    )


def test_a_leader_whose_own_name_stays_unknown_says_so(meeting: Meet) -> None:
    names = ("no-such-host.invalid", "zz")
    begun = time.monotonic()
    with pytest.raises(PlatformError) as caught:
        meeting(names[0], Cluster(9099, timeout=1), names)
    assert time.monotonic() - begun > 1  # it has tried again
    assert str(caught.value).startswith(
        "no-such-host.invalid, port 9099: the hosts of the job cannot meet here: "
    )
    assert str(caught.value).endswith(". Check the hosts in resourceconfig.json")


def test_a_port_that_is_taken_is_named(meeting: Meet) -> None:
    with socket.create_server((NAMES[0], 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PlatformError) as caught:
            meeting(NAMES[0], Cluster(port, timeout=30))
    assert str(caught.value) == (
        f"127.0.0.1, port {port}: the hosts of the job cannot meet here: Address already in use. "
        "Free the port, or name another one by SAGETREE_CLUSTER_PORT on all hosts"
    )


def test_hosts_of_other_versions_and_hosts_that_die_do_not_meet(
    pool: ThreadPoolExecutor, meeting: Meet
) -> None:
    cluster = Cluster(free_port(), timeout=30)
    leader = meeting(NAMES[0], cluster)
    waiting = pool.submit(came, leader)
    with connected(cluster) as other:
        other.sendall(json.dumps({"hello": NAMES[1], "version": "0"}).encode() + b"\n")
        assert json.loads(other.recv(1000)) == {
            "refused": f"it has 0, and the leader {leader.version}"
        }
    with connected(cluster) as dying:
        hello = {"hello": NAMES[1], "version": leader.version}
        dying.sendall(json.dumps(hello).encode() + b"\n")
    assert waiting.result().startswith(
        "another host of the job is gone: 127.0.0.2 ended without a message"
    )


@pytest.mark.parametrize(
    ("environ", "error"),
    [
        (
            {"SAGETREE_CLUSTER_PORT": "0"},
            "SAGETREE_CLUSTER_PORT: it is '0' and must be a whole number from 1 to 65535. "
            "Correct the environment variable, or leave it out",
        ),
        (
            {"SAGETREE_CLUSTER_TIMEOUT": "soon"},
            "SAGETREE_CLUSTER_TIMEOUT: it is 'soon' and must be a whole number from 1 to 604800. "
            "Correct the environment variable, or leave it out",
        ),
    ],
)
def test_variables_that_are_no_numbers_are_refused(environ: dict[str, str], error: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Cluster.from_environ(environ)
    assert str(caught.value) == error


def test_variables_say_where_and_how_long() -> None:
    assert Cluster.from_environ({"SAGETREE_CLUSTER_PORT": ""}) == Cluster(9099, 1800)
    given = {"SAGETREE_CLUSTER_PORT": "7000", "SAGETREE_CLUSTER_TIMEOUT": "60"}
    assert Cluster.from_environ(given) == Cluster(7000, 60)
