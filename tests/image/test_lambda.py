"""The functions in the image under Lambda's own emulator: small, read-only, and not as root."""

import json
import platform
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from moto.awslambda.models import LambdaFunction

from local_test.cloud.account.replacing import replaced
from local_test.cloud.demo.inventory import inventory
from local_test.cloud.demo.person import Person
from local_test.cloud.desk import stand
from tests.cloud.scoring.conftest import BUNDLE, CLAIM, SCORES, event
from tests.cloud.stack_server import StackServer, stack_server
from tests.cloud.test_desk_stack import registered
from tests.cloud.toy_machine import ToyMachine
from tests.image.conftest import ROOT, Runner
from tests.image.docker import Container
from tests.image.modes import NO_RIGHTS, READ_ONLY, written_elsewhere

pytestmark = pytest.mark.docker

# Lambda runs images as a user of its own, on a root that nobody may write to.
OPTIONS = (
    *READ_ONLY, *NO_RIGHTS, "--user=993:990", "--memory=512m", "--memory-swap=512m",
    "--network=host", "--entrypoint=/opt/ml/aws-lambda-rie",
)  # fmt: skip


@dataclass(frozen=True)
class Emulator:
    """A function under the emulator, as whoever calls it sees it."""

    container: Container
    port: int

    def call(self, event: object) -> Any:
        """Return what the function answers, or the error that it told."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/2015-03-31/functions/function/invocations",
            json.dumps(event).encode(),
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as failed:
            with failed:
                return json.loads(failed.read())


@pytest.fixture(scope="module")
def stack() -> Iterator[StackServer]:
    with stack_server(BUNDLE) as server:
        yield server


@pytest.fixture(scope="session")
def emulator() -> Path:
    """The program that AWS ships in aws-sam-cli."""
    machine = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    pattern = f"lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine}"
    found = list((ROOT / ".sdk" / "lambda").glob(pattern))
    if not found:
        pytest.fail("Lambda's emulator is not installed: run `make sdk`", pytrace=False)
    return found[0]


@pytest.fixture
def start(runner: Runner, emulator: Path, stack: StackServer) -> Callable[..., Emulator]:
    """Start a command under the emulator, and wait until that listens."""

    def started(*command: str, environ: Mapping[str, str] | None = None) -> Emulator:
        own, api = free_port(), free_port()
        variables = {
            "AWS_LAMBDA_FUNCTION_NAME": "fraud-function", **stack.environ, **(environ or {})
        }  # fmt: skip
        options = [f"--env={name}={value}" for name, value in variables.items()]
        container = runner.start(
            f"--runtime-interface-emulator-address=127.0.0.1:{own}",
            f"--runtime-api-address=127.0.0.1:{api}",
            *command,
            options=(*OPTIONS, f"--volume={emulator}:/opt/ml/aws-lambda-rie:ro", *options),
        )
        limit = time.monotonic() + 30
        while not listens(own):
            assert time.monotonic() < limit, container.log
            time.sleep(0.01)
        return Emulator(container, own)

    return started


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("kind", ["serverless", "lambda"])
def test_it_scores_and_writes_nowhere(start, kind):
    function = start("sagetree", "function", "score", environ={"SAGETREE_ENDPOINT_KIND": kind})
    answer = function.call(event([{**CLAIM, "policy_id": 7}]))
    assert answer["statusCode"] == 200, function.container.log
    (prediction,) = json.loads(answer["body"])["predictions"]
    assert prediction["policy_id"] == 7
    assert prediction["score"] == pytest.approx(SCORES[0])

    refused = function.call(event([{**CLAIM, "amount": "much"}]))
    assert refused["statusCode"] == 422
    assert written_elsewhere(function.container.changes()) == []


def test_an_error_of_a_function_is_told_and_the_next_event_is_answered(start):
    variables = {
        "SAGETREE_ROLE_ARN": "arn:aws:iam::123456789012:role/jobs",
        "SAGETREE_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:alerts",
    }
    function = start("sagetree", "function", "deploy", environ=variables)
    for _ in range(2):
        told = function.call({"nothing": 1})
        assert told["errorType"] in ("Refused", "ClientError")
        assert told["errorMessage"]
        assert "deploy.py" in "".join(told["stackTrace"])


def test_a_function_that_cannot_start_says_why(start):
    function = start("sagetree", "function", "score", environ={"SAGETREE_STACK": ""})
    told = function.call(event([CLAIM]))
    assert told["errorType"] == "SettingsError"
    assert "SAGETREE_STACK" in told["errorMessage"]


def test_an_answer_over_six_megabytes_is_told_as_lambda_tells_it(start):
    script = (
        "from sagetree.cloud.lambda_api import LambdaApi\n"
        "from sagetree.cloud.runtime import run\n"
        "import os\n"
        "api = LambdaApi(os.environ['AWS_LAMBDA_RUNTIME_API'])\n"
        "run(api, lambda: lambda event, deadline: 'x' * event['size'])\n"
    )
    function = start("python3", "-c", script)
    assert len(function.call({"size": 6 * 2**20})) == 6 * 2**20
    told = function.call({"size": 6 * 2**20 + 99})
    assert told["errorType"] == "Function.ResponseSizeTooLarge"
    assert "6291557 bytes" in told["errorMessage"]
    assert function.call({"size": 1}) == "x"


def test_each_function_of_a_stack_works_in_the_image(start, tmp_path):
    """The stack of the desk, its functions in containers: made, a model served, all removed."""
    warm: dict[str, Emulator] = {}

    with stand(ToyMachine()) as desk:

        def invoke(this: LambdaFunction, event: object = None) -> tuple[str, bool, str]:
            name = this.function_name.rpartition("-")[2]
            if name not in warm:
                given = {**this.environment_vars, "AWS_ENDPOINT_URL": desk.url}
                warm[name] = start("sagetree", "function", name, environ=given)
            answer = warm[name].call(event)
            failed = isinstance(answer, dict) and "errorType" in answer
            return json.dumps(answer), failed, ""

        with replaced(LambdaFunction, _invoke_lambda=invoke):
            person = Person.with_stack(desk)
            package = registered(person, tmp_path)
            assert person.deploy(package).startswith("Refused: ")
            person.approve(package)
            assert person.endpoint()["EndpointStatus"] == "InService"
            assert person.score({"policy_id": 1}).status == 200
            assert person.delete_stack() == ""
            assert {kind for kind, names in inventory(desk).items() if names} == set()
    assert sorted(warm) == ["clean", "deploy", "score"]
    for function in warm.values():
        assert written_elsewhere(function.container.changes()) == []
