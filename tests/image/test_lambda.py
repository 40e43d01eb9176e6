"""The functions in the image under Lambda's own emulator: small, read-only, and not as root."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from moto.awslambda.models import LambdaFunction

from local_test.cloud.account.replacing import replaced
from local_test.cloud.demo.inventory import inventory
from local_test.cloud.demo.person import Person
from local_test.cloud.desk import stand
from tests.cloud.account import BUNDLE
from tests.cloud.scoring.conftest import CLAIM, SCORES, event
from tests.cloud.stack_server import StackServer, stack_server
from tests.cloud.test_desk_stack import registered
from tests.cloud.toy_machine import ToyMachine
from tests.image.conftest import Runner
from tests.image.docker import Container
from tests.image.lambda_emulator import call, command, free_port, options, wait_until_it_listens
from tests.image.modes import written_elsewhere

pytestmark = pytest.mark.docker


@dataclass(frozen=True)
class Emulator:
    """A function under the emulator, as whoever calls it sees it."""

    container: Container
    port: int

    def call(self, event: object) -> Any:
        """Return what the function answers, or the error that it reported."""
        return call(self.port, event)


@pytest.fixture(scope="module")
def stack() -> Iterator[StackServer]:
    with stack_server(BUNDLE) as server:
        yield server


@pytest.fixture
def start(runner: Runner, stack: StackServer) -> Callable[..., Emulator]:
    """Start a command under the emulator, and wait until that listens."""

    def started(*function: str, environ: Mapping[str, str] | None = None) -> Emulator:
        port = free_port()
        variables = {
            "AWS_LAMBDA_FUNCTION_NAME": "fraud-function", **stack.environ, **(environ or {})
        }  # fmt: skip
        container = runner.start(*command(port, *function), options=options(variables))
        wait_until_it_listens(port, lambda: container.log)
        return Emulator(container, port)

    return started


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
            person = Person.with_stack(desk, siblings=("queue", "watch"))
            package = registered(person, tmp_path)
            assert person.deploy(package).startswith("Refused: ")
            person.approve(package)
            assert person.endpoint()["EndpointStatus"] == "InService"
            assert person.score({"policy_id": 1}).status == 200
            assert person.note({"policy_id": 1, "fraud": 1}).status == 200
            assert person.queue({"claims": [{"policy_id": 1}, {"policy_id": 2}]}).status == 202
            assert [text for text in person.alerts() if "a claim scores 0.5" in text]
            assert person.look_for_drift()["action"] == "started"
            assert "drift: 1 finding" in person.alerts()[-1]
            assert person.delete_stacks() == ""
            assert {kind for kind, names in inventory(desk).items() if names} == set()
    assert sorted(warm) == ["clean", "deploy", "score", "watch", "work"]
    for function in warm.values():
        assert written_elsewhere(function.container.changes()) == []
