"""An account of AWS on this machine, with the image for its jobs and endpoints.

    with stand(docker) as desk:
        desk.client("cloudformation").create_stack(...)

One process, loopback only, gone at the end: servers, containers and files.
"""

import shutil
import tempfile
import threading
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from botocore.hooks import BaseEventHooks
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server

from local_test.cloud.account.actors import PERSON, SERVICE, Actors
from local_test.cloud.account.backstage import Backstage
from local_test.cloud.account.events import Bus
from local_test.cloud.account.front import Front
from local_test.cloud.account.functions import Functions
from local_test.cloud.account.interfaces import Interfaces
from local_test.cloud.account.kinds import kinds
from local_test.cloud.account.models import model
from local_test.cloud.account.queues import queues
from local_test.cloud.account.sagemaker import Account
from local_test.cloud.account.stacks import stacks
from local_test.cloud.pipeline.asynchronous import Asynchronous
from local_test.cloud.pipeline.jobs import Containers
from local_test.cloud.pipeline.runs import Runs
from local_test.cloud.pipeline.servers import Host, Servers
from local_test.cloud.store.groups import Groups
from local_test.cloud.store.records import Records


class Machine(Containers, Host, Protocol):
    """What runs the image: Docker, for the demo."""

    def close(self) -> None:
        """End and remove all that runs, and begin nothing more."""


@dataclass(frozen=True)
class Desk:
    """The account: who calls it, what happens in it, and what serves its endpoints."""

    actors: Actors
    backstage: Backstage
    bus: Bus
    functions: Functions
    runs: Runs
    servers: Servers
    account: Account
    front: Front
    groups: Groups
    records: Records

    @property
    def url(self) -> str:
        """Where the account's services answer."""
        return self.actors.url

    def client(self, service: str) -> Any:
        """Return the client of a service for the person at the desk."""
        return self.actors.client(PERSON, service)


@contextmanager
def stand(
    machine: Machine, hold: Callable[[BaseEventHooks], None] = lambda _events: None
) -> Iterator[Desk]:
    """Set up an empty account; `hold` is given the events of each session, to check requests by."""
    with ExitStack() as ends:
        folder = Path(tempfile.mkdtemp(prefix="sagetree-desk-"))
        ends.callback(shutil.rmtree, folder, ignore_errors=True)
        moto = DomainDispatcherApplication(create_backend_app)
        server = make_server("127.0.0.1", 0, moto, threaded=True, request_handler=_QuietHandler)
        desk = _assembled(f"http://127.0.0.1:{server.port}", moto, machine, folder, hold)
        server.app = desk.front
        ends.enter_context(_answering(server))
        _reset(desk.url)
        ends.callback(_reset, desk.url)
        lacking = kinds(lambda api: f"{desk.url}/api/{api}")
        made = {kind.type: model(kind, _services(desk.actors)) for kind in lacking}
        ends.enter_context(stacks(server.port, made, _farewell(desk)))
        ends.enter_context(desk.functions.in_process())
        ends.enter_context(desk.functions.interfaces.operations())
        ends.enter_context(queues(desk.actors, desk.backstage, desk.functions))
        ends.enter_context(desk.account.operations())
        ends.enter_context(desk.groups.operations())
        desk.backstage.start()
        ends.callback(desk.backstage.stop)
        ends.callback(machine.close)  # first, so that nobody waits for a job to end
        yield desk


def _assembled(
    url: str,
    moto: DomainDispatcherApplication,
    machine: Machine,
    folder: Path,
    hold: Callable[[BaseEventHooks], None],
) -> Desk:
    actors, backstage = Actors(url, hold), Backstage()
    functions = Functions(actors, Interfaces(actors))
    bus = Bus(actors, backstage, functions)
    runs = Runs(actors, bus, machine, functions.invoke, folder / "jobs")
    servers = Servers(actors, machine, folder / "models")
    account = Account(
        bus,
        backstage,
        servers.serve,
        servers.stop,
        runs.run,
        runs.steps,
        runs.process,
        servers.transform,
    )
    asynchronous = Asynchronous(actors, backstage, servers)
    groups = Groups(actors, backstage)
    records = Records(actors, groups)
    front = Front(actors, moto, functions, servers.address, asynchronous.later, records.answer)
    return Desk(actors, backstage, bus, functions, runs, servers, account, front, groups, records)


class _QuietHandler(MotoRequestHandler):
    """moto's, without a line on the terminal for each request."""

    def log(self, *_: object) -> None:
        pass


@contextmanager
def _answering(server: BaseWSGIServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, name="desk", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(timeout=30)
        server.server_close()


def _reset(url: str) -> None:
    request = urllib.request.Request(f"{url}/moto-api/reset", method="POST")  # noqa: S310
    urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 - loopback


def _services(actors: Actors) -> Callable[[str], Any]:
    return lambda service: actors.client(SERVICE, service)


def _farewell(desk: Desk) -> Callable[[Mapping[str, Any], str, str], str]:
    """Return what tells a custom resource that its stack goes, and waits for its answer."""

    def farewell(properties: Mapping[str, Any], name: str, stack: str) -> str:
        key = uuid.uuid4().hex
        event = {
            "RequestType": "Delete",
            "ResponseURL": f"{desk.url}/custom-resources/{key}",
            "StackId": stack,
            "RequestId": key,
            "ResourceType": "Custom::Resource",
            "LogicalResourceId": name,
            "PhysicalResourceId": name,
            "ServiceToken": properties["ServiceToken"],
            "ResourceProperties": dict(properties),
        }
        desk.functions.invoke(properties["ServiceToken"], event)
        answer = desk.front.answers.get(key)
        if answer is None:
            return "the function did not answer CloudFormation, which would wait for an hour"
        return "" if answer["Status"] == "SUCCESS" else str(answer.get("Reason") or "no reason")

    return farewell
