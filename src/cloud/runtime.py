"""`sagetree function NAME`: the loop of a Lambda function around one of the solution's functions.

The image is the function's own code, so it brings its runtime too: wait for an event, hand it to
the function, send back what that returns or raises.
"""

import argparse
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from importlib import import_module
from typing import TypeAlias

from sagetree.cloud.lambda_api import Event, LambdaApi
from sagetree.desk.options import command_parser
from sagetree.errors import SagetreeError, SettingsError
from sagetree.machine.program import LOG, start_logging
from sagetree.serve.telemetry.log_lines import set_log_format

# Takes an event, and when Lambda ends the call, in seconds since 1970.
Handler: TypeAlias = Callable[[Mapping[str, object], float], object]

FUNCTIONS = {
    "deploy": "put an approved model package into service, and report whether that went well",
    "score": "answer the API: claims in, scores out",
    "work": "score the claims of the queue, and send an alert for each that scores high",
    "watch": "check what was scored for drift, and report it",
    "clean": "remove what the stack's own deletion leaves",
    "ingest": "write a table into its feature group",
    "retire": "remove the feature groups when their stack is deleted",
}

ADDRESS = "AWS_LAMBDA_RUNTIME_API"

# Where AWS's SDK takes X-Ray's header from, to send it on.
TRACE = "_X_AMZN_TRACE_ID"

FAILED = 1


def main(argv: Sequence[str]) -> int:
    """Answer events until Lambda ends the process; return 1 if the function cannot start."""
    name = _parser().parse_args(argv).name
    start_logging()
    set_log_format("json")  # each line of another form is an event of its own in the log
    try:
        with closing(LambdaApi(_address())) as api:
            return run(api, partial(function, name))
    except SagetreeError as error:
        LOG.error("sagetree function %s has ended: %s", name, error)
        return FAILED


def _address() -> str:
    address = os.environ.get(ADDRESS, "")
    if not address:
        raise SettingsError(
            "it is not set, so there are no events to answer",
            where=ADDRESS,
            hint="AWS Lambda sets it, and its runtime interface emulator",
        )
    return address


def function(name: str) -> Handler:
    """Return the function of that name, with clients and settings of its own.

    One that keeps something from event to event has `start`, which returns what answers them.
    """
    module = import_module(f"sagetree.cloud.functions.{name}")
    from sagetree.cloud.clients import AwsClients
    from sagetree.cloud.names import Settings

    clients, settings = AwsClients(), Settings.read(os.environ)
    if hasattr(module, "start"):
        started: Handler = module.start(clients, settings)
        return started
    return lambda event, deadline: module.handler(event, clients, settings, deadline)


def run(api: LambdaApi, start: Callable[[], Handler]) -> int:
    """Start a function and give it every event; return 1 where it could not be started."""
    try:
        handler = start()
    except Exception as error:  # a function's outer handler: Lambda is to know the reason
        LOG.exception("the function cannot start")
        api.refuse_start(error)
        return FAILED
    while True:
        event = api.next_event()
        _pass_on(event.trace)
        _answer(api, event, handler)


def _answer(api: LambdaApi, event: Event, handler: Handler) -> None:
    try:
        answer = json.dumps(handler(json.loads(event.payload), event.deadline)).encode()
    except Exception as error:  # the same
        LOG.exception("request %s failed", event.request_id)
        api.refuse(event, error)
    else:
        api.answer(event, answer)


def _pass_on(trace: str) -> None:
    """Let AWS's SDK name this event's trace in its requests."""
    if trace:
        os.environ[TRACE] = trace
    else:
        os.environ.pop(TRACE, None)


def _parser() -> argparse.ArgumentParser:
    names = "".join(f"  {name:<8} {summary}\n" for name, summary in FUNCTIONS.items())
    parser = command_parser(
        "sagetree function",
        "Answer the events of AWS Lambda, as one of the solution's functions.",
        f"functions:\n{names}",
    )
    parser.add_argument("name", choices=FUNCTIONS, metavar="NAME", help="the function")
    return parser
