"""An account of AWS and a stack in it, as a person's command sees them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sagetree.cloud.account.refusals import refusals
from sagetree.cloud.account.typed import line_of, words_of
from sagetree.machine.program import LOG

if TYPE_CHECKING:
    from boto3 import Session
    from botocore.client import BaseClient
    from botocore.config import Config

Answer = Mapping[str, Any]

# The longest that a Lambda function works, and a minute.
LONG_SECONDS = 960

_ONCE = {"total_max_attempts": 1}


@dataclass(frozen=True)
class Account:
    """Calls AWS, and says each call as the AWS CLI has it; a dry run only says it.

    `session` is boto3's, None for a dry run; `chosen` are the options of the AWS CLI that
    name region and profile where the user did.
    """

    stack: str
    session: Any
    chosen: tuple[str, ...] = ()
    pause: Callable[[float], None] = time.sleep
    _clients: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def dry_run(self) -> bool:
        """Whether nothing is called."""
        return self.session is None

    @property
    def options(self) -> str:
        """What names this stack, region and profile to the next command, as it is typed."""
        return line_of(["--stack", self.stack, *self.chosen])

    def region(self) -> str:
        """Return the region; a dry run that is not given one says how to ask for it: $REGION."""
        if self.session is not None:
            return str(self.session.region_name)
        if "--region" in self.chosen:
            return self.chosen[self.chosen.index("--region") + 1]
        self.say(f"+ REGION=$({line_of(['aws', 'configure', 'get', 'region', *self.chosen])})")
        return "$REGION"

    def say(self, text: str = "") -> None:
        """Print a line."""
        LOG.info("%s", text)

    def type_out(self, *words: str) -> None:
        """Print a command of the AWS CLI as it would be typed."""
        self.say(f"+ {line_of(['aws', *words, *self.chosen])}")

    def type_variable(self, name: str, *words: str, query: str) -> str:
        """Print a command whose answer goes into a shell variable, and return that as $NAME."""
        asked = line_of(["aws", *words, "--query", query, "--output", "text", *self.chosen])
        self.say(f"+ {name}=$({asked})")
        return f"${name}"

    def call(self, service: str, operation: str, **parameters: object) -> Answer:
        """Say a call and make it; the answer of a dry run is empty."""
        self.type_out(*words_of(service, operation, parameters))
        return {} if self.dry_run else self.ask(service, operation, **parameters)

    def listed(self, service: str, operation: str, key: str, **parameters: object) -> list[Any]:
        """Say a call and return what is listed under `key` on all its pages."""
        self.type_out(*words_of(service, operation, parameters))
        return [] if self.dry_run else self.pages(service, operation, key, **parameters)

    def ask(self, service: str, operation: str, **parameters: object) -> Answer:
        """Make a call without saying it, such as one that is made again and again."""
        client = self.client(service)
        with refusals(service, client.meta.method_to_api_mapping[operation]):
            answer: Answer = getattr(client, operation)(**parameters)
        return answer

    def pages(self, service: str, operation: str, key: str, **parameters: object) -> list[Any]:
        """Return what is listed under `key` on all pages, without saying it."""
        client = self.client(service)
        with refusals(service, client.meta.method_to_api_mapping[operation]):
            if not client.can_paginate(operation):
                return list(getattr(client, operation)(**parameters).get(key, []))
            pages = client.get_paginator(operation).paginate(**parameters)
            return [entry for page in pages for entry in page.get(key, [])]

    def ask_long(self, service: str, operation: str, **parameters: object) -> Answer:
        """Make a call once that may take a quarter of an hour to answer."""
        client = self.client(service, patient=True)
        with refusals(service, client.meta.method_to_api_mapping[operation]):
            answer: Answer = getattr(client, operation)(**parameters)
        return answer

    def client(self, service: str, *, patient: bool = False) -> "BaseClient":
        """Return boto3's client of a service; a patient one waits long, and asks once."""
        key = f"{service}, patient" if patient else service
        if key not in self._clients:
            with refusals(service, "client"):
                self._clients[key] = self.session.client(service, config=_config(patient=patient))
        return self._clients[key]


def _config(*, patient: bool) -> "Config | None":
    if not patient:
        return None
    from botocore.config import Config

    # a router on the way forgets a connection on which nothing is sent
    return Config(read_timeout=LONG_SECONDS, tcp_keepalive=True, retries=_ONCE)


def open_session(region: str | None, profile: str | None) -> "Session":
    """Return a boto3 session that has a region."""
    import boto3  # takes half a second: not for --help, and not for a dry run
    from botocore.exceptions import NoRegionError

    with refusals("sts", "GetSessionToken"):
        session = boto3.Session(region_name=region, profile_name=profile)
        if session.region_name is None:
            raise NoRegionError
    return session
