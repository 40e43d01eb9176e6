"""What the server answers: its routes, for the worker's loop and for any WSGI server.

Both come to the same handlers: the loop calls those that are named here
itself, and hands the rest to Flask, which has all of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import flask
from werkzeug.routing import PathConverter

from sagetree.memory import return_freed_memory
from serve import kserve, wsgi
from serve.access import NO_ROUTE, Handler, raising, respond
from serve.batch_transform import execution_parameters
from serve.bodies import body_of
from serve.drift import Monitor
from serve.information import information
from serve.loading import Kind, ModelHolder, ServedModel
from serve.memory import hold_for_bodies
from serve.messages import Request, Response
from serve.metrics import Observer
from serve.negotiation import is_packed
from serve.observation import Trace
from serve.settings import ServeSettings
from serve.walk import invocations

INVOCATIONS = "/invocations"
METRICS = "/metrics"

# Paths that a worker's loop answers itself, as far as their bodies are small.
AT_ONCE = frozenset({"/ping", INVOCATIONS, "/execution-parameters"})

# A body up to this size is answered by the loop itself: some 50 rows, which
# take a few milliseconds.
AT_ONCE_BYTES = 16 * 1024

# What WSGI gives of a body at a time.
PIECE = 64 * 1024


Handlers: TypeAlias = Mapping[tuple[str, str], Handler]


@dataclass(frozen=True)
class Site:
    """What a worker serves: the handler of each method and path.

    A path may have names in braces, which stand for any text. `is_settled` says
    whether an invocation need not wait for the model; `observer` takes note of
    every request.
    """

    settings: ServeSettings
    handlers: Handlers
    observer: Observer
    is_settled: Callable[[], bool]


def one_model(
    settings: ServeSettings, holder: ModelHolder[ServedModel], observer: Observer
) -> Site:
    """Return the site of one model; `holder` has it, or will have."""
    handlers: Handlers = {
        ("GET", "/ping"): partial(ping, holder),
        ("POST", INVOCATIONS): partial(invocations, settings, holder),
        ("GET", "/execution-parameters"): partial(execution_parameters, settings),
        ("GET", METRICS): partial(metrics, observer, lambda: _monitor(holder)),
        **kserve.routes(settings, holder),
        **information(settings, holder),
    }
    return Site(settings, handlers, observer, lambda: holder.is_settled)


def ping(holder: ModelHolder[Kind], _request: Request, _trace: Trace) -> Response:
    """Answer 200 with an empty body once the model has passed its self-check."""
    holder.model()
    return Response(content_type="text/plain")


def metrics(
    observer: Observer,
    monitor: Callable[[], Monitor | None],
    _request: Request,
    _trace: Trace,
) -> Response:
    """Answer what all workers have counted, for Prometheus."""
    from serve.exposition import CONTENT_TYPE, exposition  # its library is needed here alone

    return Response(body=exposition(observer.totals(), monitor()), content_type=CONTENT_TYPE)


def _monitor(holder: ModelHolder[ServedModel]) -> Monitor | None:
    state = holder.state
    return state.monitor if isinstance(state, ServedModel) else None


class Application:
    """What a worker's loop serves."""

    def __init__(self, site: Site) -> None:
        hold_for_bodies()
        self.max_body = site.settings.max_body
        self._site = site
        self._handlers = site.handlers
        self._respond = partial(respond, site.observer)
        self._flask = create_app(site)

    def answer_at_once(self, request: Request) -> Response | None:
        """Return the response, None if that may take long."""
        handler = self._handlers.get((request.method, request.path))
        if handler is None or len(request.body) > AT_ONCE_BYTES:
            return None
        if request.path not in AT_ONCE:
            return None
        if request.path == INVOCATIONS and not self._site.is_settled():  # it waits for the model
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


class AnyText(PathConverter):
    """Any text in a path, also slashes at its beginning."""

    regex = ".+?"
    part_isolating = False


def create_app(site: Site) -> flask.Flask:
    """Return the Flask application of a site."""
    app = flask.Flask("serve", static_folder=None)
    app.url_map.merge_slashes = False
    app.url_map.converters["any"] = AnyText
    for (method, path), handler in site.handlers.items():
        view = partial(_view, site, path, handler)
        rule = path.replace("{", "<any:").replace("}", ">")
        app.add_url_rule(
            rule, f"{method} {path}", view, methods=[method], provide_automatic_options=False
        )
    app.register_error_handler(Exception, partial(_view_error, site))
    return app


def _view(site: Site, route: str, handler: Handler, **_names: str) -> flask.Response:
    def with_body(request: Request, trace: Trace) -> Response:
        stream = flask.request.stream
        pieces = iter(lambda: stream.read(PIECE), b"")
        body = body_of(pieces, flask.request.content_length, site.settings.max_body)
        trace.bytes_in = len(body)
        return handler(request._replace(body=body), trace)

    return _flask_response(respond(site.observer, route, with_body, _head()))


def _view_error(site: Site, error: Exception) -> flask.Response:
    return _flask_response(respond(site.observer, NO_ROUTE, raising(error), _head()))


def _head() -> Request:
    """Return Flask's request at hand, without its body."""
    now = flask.request
    headers = {name.lower(): value for name, value in now.headers.items()}
    path = now.environ.get("RAW_URI", now.path).partition("?")[0]  # not decoded
    return Request(now.method, path, now.query_string.decode("latin-1"), headers)


def _flask_response(response: Response) -> flask.Response:
    made = flask.Response(
        bytes(response.body), response.status, content_type=response.content_type or None
    )
    made.headers.extend(response.headers)
    return made
