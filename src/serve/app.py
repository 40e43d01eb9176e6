"""What the server answers: its routes, for the worker's loop and for any WSGI server.

Both come to the same handlers: the loop calls those that are named here
itself, and hands the rest to Flask, which has all of them.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import flask
import orjson
from sagemaker_inference import content_types

from serve import wsgi
from serve.access import NO_ROUTE, Handler, Trace, raising, respond
from serve.bodies import body_of
from serve.loading import ModelHolder
from serve.messages import Request, Response
from serve.settings import MEGABYTE, ServeSettings
from serve.walk import invocations

# SageMaker's documented default of MaxPayloadInMB, and its limit on the
# product of that and MaxConcurrentTransforms.
BATCH_PAYLOAD_MB = 6
BATCH_TOTAL_MB = 100

INVOCATIONS = "/invocations"

# A body up to this size is answered by the loop itself: some 50 rows, which
# take a few milliseconds.
AT_ONCE_BYTES = 16 * 1024

# What WSGI gives of a body at a time.
PIECE = 64 * 1024


def handlers(settings: ServeSettings, holder: ModelHolder) -> Mapping[tuple[str, str], Handler]:
    """Return the handler of each method and path."""
    return {
        ("GET", "/ping"): partial(ping, holder),
        ("POST", INVOCATIONS): partial(invocations, settings, holder),
        ("GET", "/execution-parameters"): partial(execution_parameters, settings),
    }


def ping(holder: ModelHolder, _request: Request, _trace: Trace) -> Response:
    """Answer 200 with an empty body once the model has passed its self-check."""
    holder.model()
    return Response(content_type="text/plain")


def execution_parameters(settings: ServeSettings, _request: Request, _trace: Trace) -> Response:
    """Answer what a batch transform job may send when its creator did not say."""
    megabytes = min(
        BATCH_PAYLOAD_MB, (settings.max_body or BATCH_PAYLOAD_MB * MEGABYTE) // MEGABYTE
    )
    parameters = {
        "MaxConcurrentTransforms": min(settings.workers, BATCH_TOTAL_MB // megabytes),
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": megabytes,
    }
    return Response(body=orjson.dumps(parameters), content_type=content_types.JSON)


class Application:
    """What a worker's loop serves."""

    def __init__(self, settings: ServeSettings, holder: ModelHolder) -> None:
        self.max_body = settings.max_body
        self._holder = holder
        self._handlers = handlers(settings, holder)
        self._flask = create_app(settings, holder)

    def answer_at_once(self, request: Request) -> Response | None:
        """Return the response, None if that may take long."""
        handler = self._handlers.get((request.method, request.path))
        if handler is None or len(request.body) > AT_ONCE_BYTES:
            return None
        if request.path == INVOCATIONS and not self._holder.is_settled:  # it waits for the model
            return None
        return respond(request.path, handler, request)

    def answer(self, request: Request) -> Response:
        """Return the response, however long it takes."""
        handler = self._handlers.get((request.method, request.path))
        if handler is None:
            return wsgi.call(self._flask, request)
        return respond(request.path, handler, request)

    def refuse(self, request: Request, error: Exception) -> Response:
        """Return the response to a request that could not be read."""
        known = (request.method, request.path) in self._handlers
        return respond(request.path if known else NO_ROUTE, raising(error), request)


def create_app(settings: ServeSettings, holder: ModelHolder) -> flask.Flask:
    """Return the Flask application; `holder` has the model, or will have."""
    app = flask.Flask("serve", static_folder=None)
    for (method, path), handler in handlers(settings, holder).items():
        view = partial(_view, path, handler, settings.max_body)
        app.add_url_rule(
            path, f"{method} {path}", view, methods=[method], provide_automatic_options=False
        )
    app.register_error_handler(Exception, _view_error)
    return app


def _view(route: str, handler: Handler, limit: int | None) -> flask.Response:
    def with_body(request: Request, trace: Trace) -> Response:
        stream = flask.request.stream
        pieces = iter(lambda: stream.read(PIECE), b"")
        body = body_of(pieces, flask.request.content_length, limit)
        trace.bytes_in = len(body)
        return handler(replace(request, body=body), trace)

    return _flask_response(respond(route, with_body, _head()))


def _view_error(error: Exception) -> flask.Response:
    return _flask_response(respond(NO_ROUTE, raising(error), _head()))


def _head() -> Request:
    """Return Flask's request at hand, without its body."""
    now = flask.request
    headers = {name.lower(): value for name, value in now.headers.items()}
    return Request(now.method, now.path, now.query_string.decode("latin-1"), headers)


def _flask_response(response: Response) -> flask.Response:
    made = flask.Response(
        response.body, response.status, content_type=response.content_type or None
    )
    made.headers.extend(response.headers)
    return made
