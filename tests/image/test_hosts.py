"""Two containers of the image on one network, as SageMaker runs a job on two machines."""

import uuid
from collections.abc import Iterator

import pytest

from tests.image.conftest import LABEL, Runner
from tests.image.docker import docker

pytestmark = pytest.mark.docker

HOSTS = ("algo-1", "algo-2")
RESOLVE = "import socket, sys; print(socket.gethostbyname(sys.argv[1]))"


@pytest.fixture
def network() -> Iterator[str]:
    """A network of this test, without a way out."""
    name = f"sagetree-test-{uuid.uuid4().hex[:8]}"
    docker("network", "create", "--internal", f"--label={LABEL}={name}", name)
    yield name
    docker("network", "rm", name)


def test_two_hosts_see_each_other(network: str, runner: Runner) -> None:
    wait = ("python", "-c", "import time; time.sleep(60)")
    options = [(f"--network={network}", f"--network-alias={h}", f"--hostname={h}") for h in HOSTS]
    first, second = (runner.start(*wait, options=option) for option in options)

    for container, other, name in ((first, second, "algo-2"), (second, first, "algo-1")):
        assert container.exec("python", "-c", RESOLVE, name).strip() == other.address
        own = container.exec("hostname").strip()
        assert container.exec("python", "-c", RESOLVE, own).strip() == container.address

    # A network cannot be removed under its containers.
    docker("rm", "--force", first.name, second.name)
