"""The site as a Flask application: paths with names in them, and those that are no route."""

from functools import partial

import flask
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import PathConverter

from sagetree.serve.application import Site
from sagetree.serve.http.body_buffer import body_of
from sagetree.serve.protocol.messages import Request, Response
from sagetree.serve.routes.access import NO_ROUTE, Handler, raising, respond
from sagetree.serve.routes.problems import Problem, RouteError
from sagetree.serve.telemetry.observation import Trace

# Those of every server; /openapi.json lists what else there is.
ROUTES = "GET /ping, POST /invocations, GET /execution-parameters and GET /openapi.json"

# What WSGI gives of a body at a time.
PIECE = 64 * 1024


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
    if isinstance(error, HTTPException):
        error = RouteError(problem_of_http(error))
    return _flask_response(respond(site.observer, NO_ROUTE, raising(error), _head()))


def problem_of_http(error: HTTPException) -> Problem:
    """Return the problem for what Flask raises by itself."""
    if isinstance(error, NotFound):
        return Problem(404, "NotFound", "there is nothing here", hint=f"There are {ROUTES}")
    if isinstance(error, MethodNotAllowed):
        methods = ", ".join(sorted(error.valid_methods or ()))
        return Problem(
            405,
            "MethodNotAllowed",
            "the method is not allowed here",
            hint=f"Use {methods}",
            headers={"Allow": methods},
        )
    return Problem(error.code or 500, type(error).__name__, error.description or error.name)


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
