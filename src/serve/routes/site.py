"""What a worker serves, as one value; and the routes that every site has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sagetree.serve.models.loading import Kind, ModelHolder
from sagetree.serve.protocol.messages import Request, Response
from sagetree.serve.routes.access import Handler
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.metrics import Observer
from sagetree.serve.telemetry.observation import Trace

METRICS = "/metrics"

Handlers: TypeAlias = Mapping[tuple[str, str], Handler]


@dataclass(frozen=True)
class Site:
    """What a worker serves: the handler of each method and path.

    A path may have names in braces, which stand for any text. `is_prepared` says
    whether all is there that an invocation needs; `observer` takes note of every
    request.
    """

    settings: ServeSettings
    handlers: Handlers
    observer: Observer
    is_prepared: Callable[[Request], bool]


def ping(holder: ModelHolder[Kind], _request: Request, _trace: Trace) -> Response:
    """Answer 200 with an empty body once the model has passed its self-check in every worker."""
    holder.check_everywhere()
    return Response(content_type="text/plain")


def metrics(observer: Observer, _request: Request, _trace: Trace) -> Response:
    """Answer what all workers have counted, for Prometheus."""
    from sagetree.serve.telemetry.exposition import (  # its library is needed here alone
        CONTENT_TYPE,
        exposition,
    )

    counts = observer.totals()
    text = exposition(counts, observer.monitored(counts))
    return Response(body=text, content_type=CONTENT_TYPE)
