"""The loop of a Lambda function on a real runtime API: what it fetches, and what it sends back."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from sagetree.cloud.lambda_api import ANSWER_BYTES, LambdaApi
from sagetree.cloud.runtime import main, run
from sagetree.errors import PlatformError
from tests.cloud.account import BUNDLE
from tests.cloud.runtime_api import DEADLINE, RuntimeApi, Said, runtime_api
from tests.cloud.scoring.conftest import CLAIM, event
from tests.cloud.stack_server import stack_server
from tests.programs import SAGETREE, TIMEOUT

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    with runtime_api() as server:
        yield server


def end(api: RuntimeApi, start: Callable[[], Any]) -> int:
    """Run a function until the API ends it."""
    with closing(LambdaApi(api.address)) as client:
        return run(client, start)


def answers(api: RuntimeApi, handler: Any, *events: object) -> list[Said]:
    """What is said to these events, each of them given to `handler`."""
    for sent in events:
        api.send(sent)
    api.events.put(None)
    with pytest.raises(PlatformError, match="answers 410"):
        end(api, lambda: handler)
    return [api.said.get_nowait() for _ in events]


def test_each_event_is_answered_with_what_the_function_returns(api):
    first, second = answers(api, lambda told, deadline: {**told, "until": deadline}, {"a": 1}, {})
    assert first.path == "/invocation/8476a536/response"
    assert first.body == {"a": 1, "until": DEADLINE / 1000}
    assert second.body == {"until": DEADLINE / 1000}


def test_what_a_function_raises_is_told_with_type_message_and_trace_and_the_next_goes_on(api):
    def handler(told: Any, _deadline: float) -> object:
        return {"claim": told["claim"]}

    failed, good = answers(api, handler, {}, {"claim": 1})
    assert failed.path == "/invocation/8476a536/error"
    assert failed.headers["Lambda-Runtime-Function-Error-Type"] == "KeyError"
    assert failed.body["errorType"] == "KeyError"
    assert failed.body["errorMessage"] == "'claim'"
    assert "in handler" in "".join(failed.body["stackTrace"])
    cause = json.loads(failed.headers["Lambda-Runtime-Function-XRay-Error-Cause"])
    (exception,) = cause["exceptions"]
    assert (exception["type"], exception["message"]) == ("KeyError", "'claim'")
    assert exception["stack"][-1]["label"] == "handler"
    assert good.body == {"claim": 1}


@pytest.mark.parametrize("answer", [{1, 2}, object(), float])
def test_an_answer_that_is_no_json_is_an_error(api, answer):
    (said,) = answers(api, lambda *_: answer, {})
    assert said.path.endswith("/error")
    assert said.body["errorType"] == "TypeError"


def test_an_event_that_is_no_json_is_an_error(api):
    (said,) = answers(api, lambda *_: 1, b"{")
    assert said.body["errorType"] == "JSONDecodeError"


def test_an_answer_over_six_megabytes_is_an_error_that_says_so(api):
    sizes = [ANSWER_BYTES - 2, ANSWER_BYTES - 1]  # and two quotes
    fits, large = answers(api, lambda told, _: "x" * told, *sizes)
    assert fits.path.endswith("/response")
    assert large.path.endswith("/error")
    assert large.headers["Lambda-Runtime-Function-Error-Type"] == "Function.ResponseSizeTooLarge"
    assert large.body == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": (
            "the answer has 6291557 bytes, and Lambda takes 6291556. Ask for less at once"
        ),
        "stackTrace": [],
    }


def test_a_function_that_cannot_start_is_an_init_error(api):
    def start() -> Any:
        raise ModuleNotFoundError("No module named 'nowhere'")

    assert end(api, start) == 1
    said = api.said.get_nowait()
    assert said.path == "/init/error"
    assert said.headers["Lambda-Runtime-Function-Error-Type"] == "ModuleNotFoundError"
    assert said.body["errorMessage"] == "No module named 'nowhere'"


def test_an_api_that_refuses_an_answer_ends_the_process(api):
    api.refused = 403
    api.send({})
    with pytest.raises(PlatformError, match=r"answers 403 to /invocation/8476a536/response: \{\}"):
        end(api, lambda: lambda *_: {})


def test_the_trace_of_an_event_is_in_the_sdks_environment_while_it_is_answered(api, monkeypatch):
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "of an event before")
    seen = []
    for trace in (TRACE, ""):
        api.send({}, trace)
    api.events.put(None)
    with pytest.raises(PlatformError):
        end(api, lambda: lambda *_: seen.append(os.environ.get("_X_AMZN_TRACE_ID")))
    assert seen == [TRACE, None]


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (
            "",
            "AWS_LAMBDA_RUNTIME_API: it is not set, so there are no events to answer. "
            "AWS Lambda sets it, and its runtime interface emulator",
        ),
        (
            "127.0.0.1:1",
            "Lambda's runtime API: it is gone: ConnectionRefusedError(111, 'Connection refused'). "
            "Lambda starts the function again",
        ),
    ],
)
def test_without_the_api_it_ends_with_one_line(monkeypatch, capsys, address, message):
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", address)
    for name in ("SAGETREE_STACK", "SAGETREE_BUCKET", "SAGETREE_ENDPOINT_KIND"):
        monkeypatch.delenv(name, raising=False)
    assert main(["clean"]) == 1
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["message"] == f"sagetree function clean has ended: {message}"


def test_the_command_answers_a_claim_and_hands_the_trace_on(api):
    """All of it as Lambda runs it: a process, its environment, an API event."""
    with stack_server(BUNDLE) as stack:
        environ = {
            "PATH": os.environ["PATH"],
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "fraud-score",
            **stack.environ,
        }
        api.send(event([{**CLAIM, "policy_id": 7}]), TRACE)
        command = [SAGETREE, "function", "score"]
        function = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE)
        try:
            said = api.said.get(timeout=TIMEOUT)
            api.events.put(None)
            function.wait(TIMEOUT)
        finally:
            function.kill()
            output, _ = function.communicate()
    assert said.path.endswith("/response")
    assert said.body["statusCode"] == 200
    assert json.loads(said.body["body"])["predictions"][0]["policy_id"] == 7
    (invoked,) = [request for request in stack.received if b"invocations" in request]
    assert f"X-Amzn-Trace-Id: {TRACE}".encode() in invoked
    assert json.loads(output.splitlines()[0])["status"] == 200


def test_settings_that_are_missing_are_an_init_error(api):
    environ = {"PATH": os.environ["PATH"], "AWS_LAMBDA_RUNTIME_API": api.address}
    command = [SAGETREE, "function", "clean"]
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=TIMEOUT)
    assert ended.returncode == 1
    said = api.said.get_nowait()
    assert (said.path, said.body["errorType"]) == ("/init/error", "SettingsError")
    assert "SAGETREE_STACK" in said.body["errorMessage"]
    assert json.loads(ended.stdout)["level"] == "ERROR"


def test_the_score_function_of_an_endpoint_loads_nothing_that_a_model_needs():
    """Half of a second each: for numbers, for what checks models, for SDKs on top of the SDK."""
    code = (
        "import sys\n"
        "import sagetree.cloud.runtime, sagetree.cloud.clients, sagetree.cloud.functions.score\n"
        "heavy = {'numpy', 'pydantic', 'pyarrow', 'xgboost', 'flask', 'boto3'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=TIMEOUT)
    assert done.stdout == "[]\n"
