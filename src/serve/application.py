"""What the server answers: its routes, for the worker's loop and for any WSGI server.

Both come to the same handlers: the loop calls those of a plain path itself, and
hands the rest to Flask (`sagetree.serve.routes.flask_app`), which has all of them. Flask takes a
quarter of a server's start to import, so that comes with the first such request.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeAlias

from sagetree.machine.allocator import hold_for_bodies, return_freed_memory
from sagetree.serve.attributes import HEADER_KEY as CUSTOM_ATTRIBUTES_KEY
from sagetree.serve.attributes import may_explain
from sagetree.serve.models.loading import Kind, ModelHolder, ServedModel
from sagetree.serve.negotiation import is_packed
from sagetree.serve.protocol.messages import Request, Response
from sagetree.serve.routes import kserve, wsgi
from sagetree.serve.routes.access import NO_ROUTE, Handler, raising, respond
from sagetree.serve.routes.batch_transform import execution_parameters
from sagetree.serve.routes.information import information
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.metrics import Observer
from sagetree.serve.telemetry.observation import Trace
from sagetree.serve.walk import invocations

if TYPE_CHECKING:
    import flask

INVOCATIONS = "/invocations"
METRICS = "/metrics"

# Paths that a worker's loop answers itself, as far as their bodies are small.
AT_ONCE = frozenset({"/ping", INVOCATIONS, "/execution-parameters"})

# A body up to this size is answered by the loop itself: some 50 rows, which
# take a few milliseconds.
AT_ONCE_BYTES = 16 * 1024

Handlers: TypeAlias = Mapping[tuple[str, str], Handler]


@dataclass(frozen=True)
class Site:
    """What a worker serves: the handler of each method and path.

    A path may have names in braces, which stand for any text. `is_prepared` says
    whether all is there that a request to /invocations needs; `observer` takes
    note of every request.
    """

    settings: ServeSettings
    handlers: Handlers
    observer: Observer
    is_prepared: Callable[[Request], bool]


def one_model(
    settings: ServeSettings, holder: ModelHolder[ServedModel], observer: Observer
) -> Site:
    """Return the site of one model; `holder` has it, or will have."""
    handlers: Handlers = {
        ("GET", "/ping"): partial(ping, holder),
        ("POST", INVOCATIONS): partial(invocations, settings, holder),
        ("GET", "/execution-parameters"): partial(execution_parameters, settings),
        ("GET", METRICS): partial(metrics, observer),
        **kserve.routes(settings, holder),
        **information(settings, holder),
    }
    return Site(settings, handlers, observer, partial(_is_prepared, settings, holder))


def _is_prepared(
    settings: ServeSettings, holder: ModelHolder[ServedModel], request: Request
) -> bool:
    state = holder.state  # once: a reload may put another in its place
    if not isinstance(state, ServedModel):
        return holder.is_settled
    explains = may_explain(request.header(CUSTOM_ATTRIBUTES_KEY), settings.output)
    return not explains or state.model.scorer.explains_at_once


def ping(holder: ModelHolder[Kind], _request: Request, _trace: Trace) -> Response:
    """Answer 200 with an empty body once the model has passed its self-check."""
    holder.model()
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


class Application:
    """What a worker's loop serves."""

    def __init__(self, site: Site) -> None:
        hold_for_bodies()
        self.max_body = site.settings.max_body
        self._site = site
        self._handlers = site.handlers
        self._respond = partial(respond, site.observer)

    @cached_property
    def _flask(self) -> "flask.Flask":
        from sagetree.serve.routes.flask_app import create_app

        return create_app(self._site)

    def answer_at_once(self, request: Request) -> Response | None:
        """Return the response, None if that may take long."""
        handler = self._handlers.get((request.method, request.path))
        if handler is None or len(request.body) > AT_ONCE_BYTES:
            return None
        if request.path not in AT_ONCE:
            return None
        if request.path == INVOCATIONS and not self._site.is_prepared(request):
            return None
        if is_packed(request.header("content-type")):
            return None
        return self._respond(request.path, handler, request)

    def answer(self, request: Request) -> Response:
        """Return the response, however long it takes."""
        handler = self._handlers.get((request.method, request.path))
        if handler is None:
            return wsgi.call(self._flask, request)
        return self._respond(request.path, handler, request)

    def tidy(self) -> None:
        """Give back the memory that large requests have left, in some milliseconds."""
        return_freed_memory()

    def refuse(self, request: Request, error: Exception) -> Response:
        """Return the response to a request that could not be read."""
        known = (request.method, request.path) in self._handlers
        return self._respond(request.path if known else NO_ROUTE, raising(error), request)
