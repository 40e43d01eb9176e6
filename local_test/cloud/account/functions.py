"""Lambda: the solution's functions, in this process, with the environment that the template gives.

Which function it is, its command in the image says, as there.
"""

import importlib
import json
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from moto.awslambda.models import LambdaFunction

from local_test.cloud.account.actors import SERVICE, Actors
from local_test.cloud.account.interfaces import Interfaces
from local_test.cloud.account.replacing import replaced
from sagetree.cloud.names import Settings


class FunctionFailed(Exception):  # noqa: N818 - it says what happened
    """A function raised an error: its type and message."""


@dataclass(frozen=True)
class Failure:
    """An error that a function raised, as a traceback."""

    function: str
    error: str


@dataclass
class Functions:
    """The account's functions. `failures` has what they raised, in order."""

    actors: Actors
    interfaces: Interfaces
    failures: list[Failure] = field(default_factory=list)
    # What each is called with in its container, by its ARN.
    _commands: dict[str, list[str]] = field(default_factory=dict)
    # What answers events for each function that has been called, by its ARN.
    _warm: dict[str, Callable[[Any, float], Any]] = field(default_factory=dict)

    def invoke(self, function: str, event: Mapping[str, Any], by: str = SERVICE) -> Any:
        """Call a function by its name or ARN. Raises FunctionFailed."""
        answer = self.actors.client(by, "lambda").invoke(
            FunctionName=function, Payload=json.dumps(event).encode()
        )
        body = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise FunctionFailed(f"{body['errorType']}: {body['errorMessage']}")
        return body

    def lets_in(self, function: str, principal: str, source: str) -> bool:
        """Return whether a function's own policy lets a service invoke it for a source, an ARN."""
        client = self.actors.client(SERVICE, "lambda")
        try:
            policy = json.loads(client.get_policy(FunctionName=function)["Policy"])
        except client.exceptions.ResourceNotFoundException:
            return False
        return any(
            statement["Principal"] == {"Service": principal}
            and fnmatchcase(source, _source(statement))
            for statement in policy["Statement"]
        )

    @contextmanager
    def in_process(self) -> Iterator[None]:
        """Have moto's Lambda run the handlers here."""
        make = vars(LambdaFunction)["create_from_cloudformation_json"].__func__

        def create(cls: type, name: str, resource: Any, *rest: Any, **more: Any) -> LambdaFunction:
            function: LambdaFunction = make(cls, name, resource, *rest, **more)
            self._warm.pop(function.function_arn, None)
            self._commands[function.function_arn] = resource["Properties"]["ImageConfig"]["Command"]
            self.interfaces.join(function)
            return function

        def invoke(this: LambdaFunction, event: Any = None) -> tuple[str, bool, str]:
            return self._run(this, event)

        parts = {"create_from_cloudformation_json": classmethod(create), "_invoke_lambda": invoke}
        with replaced(LambdaFunction, **parts):
            yield

    def _run(self, function: LambdaFunction, event: Any) -> tuple[str, bool, str]:
        try:
            if function.function_arn not in self._warm:
                self._warm[function.function_arn] = self._started(function)
            answer = self._warm[function.function_arn](event, time.time() + function.timeout)
            return json.dumps(answer), False, ""
        except Exception as error:
            body = {"errorType": type(error).__name__, "errorMessage": str(error)}
            self.failures.append(Failure(function.function_name, traceback.format_exc()))
            return json.dumps(body), True, repr(error)

    def _started(self, function: LambdaFunction) -> Callable[[Any, float], Any]:
        name = self._commands[function.function_arn][-1]
        environment = {key: str(value) for key, value in function.environment_vars.items()}
        clients = _Clients(self.actors, function.role.rsplit("/", 1)[-1])
        return _started(name, clients, Settings.read(environment))


def _source(statement: Mapping[str, Any]) -> str:
    conditions = statement.get("Condition", {}).values()
    return next((sources["AWS:SourceArn"] for sources in conditions), "*")


def _started(
    name: str, clients: Mapping[str, Any], settings: Settings
) -> Callable[[Any, float], Any]:
    """Return what answers events, as a new instance of the function has it."""
    module = importlib.import_module(f"sagetree.cloud.functions.{name}")
    if hasattr(module, "start"):
        started: Callable[[Any, float], Any] = module.start(clients, settings)
        return started
    return lambda event, deadline: module.handler(event, clients, settings, deadline)


class _Clients(Mapping[str, Any]):
    """A role's clients, made as a function asks for them."""

    def __init__(self, actors: Actors, actor: str) -> None:
        self._actors = actors
        self._actor = actor

    def __getitem__(self, service: str) -> Any:
        return self._actors.client(self._actor, service)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
