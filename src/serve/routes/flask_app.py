"""What is rare, by Flask: paths with names in them that invoke nothing, and wrong requests."""

import sys
from functools import partial
from typing import Any
from urllib.parse import unquote_to_bytes

import flask
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import PathConverter

from sagetree.serve.protocol.messages import Request, Response
from sagetree.serve.protocol.route_names import OTHER_INFER, OTHER_MODEL
from sagetree.serve.routes.access import NO_ROUTE, Handler, raising, respond
from sagetree.serve.routes.problems import Problem, RouteError
from sagetree.serve.routes.site import Handlers, Site
from sagetree.serve.telemetry.observation import Trace

# Where a WSGI environment has the request as it came.
REQUEST = "sagetree.request"

_OURS = frozenset({"content-type", "content-length"})


class AnyText(PathConverter):
    """Any text in a path, also slashes at its beginning."""

    regex = ".+?"
    part_isolating = False


def create_app(site: Site) -> flask.Flask:
    """Return the Flask application of a site.

    It knows all routes, those too that never come here: a path that is asked by
    another method is answered with those that it has.
    """
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


def call(app: flask.Flask, request: Request) -> Response:
    """Return the application's response to a request."""
    with app.request_context(_environ(request)):
        made = app.full_dispatch_request()
    headers = {name: value for name, value in made.headers if name.lower() not in _OURS}
    return Response(made.status_code, made.get_data(), made.content_type or "", headers)


def _environ(request: Request) -> dict[str, Any]:
    """Return what Flask needs of WSGI's environment (PEP 3333) to find a route."""
    return {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "QUERY_STRING": request.query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8080",
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        REQUEST: request,
    }


def _view(site: Site, route: str, handler: Handler, **_names: str) -> flask.Response:
    return _flask_response(respond(site.observer, route, handler, flask.request.environ[REQUEST]))


def _view_error(site: Site, error: Exception) -> flask.Response:
    request = flask.request.environ[REQUEST]._replace(body=b"")  # nobody has read it
    methods = _methods(error, request.path, site.handlers)
    if request.method == "OPTIONS" and methods:
        return _flask_response(
            respond(site.observer, NO_ROUTE, partial(_options, methods), request)
        )
    if isinstance(error, HTTPException):
        error = RouteError(problem_of_http(error, site.handlers))
    return _flask_response(respond(site.observer, NO_ROUTE, raising(error), request))


def _methods(error: Exception, path: str, handlers: Handlers) -> str:
    """Return the methods of a path as Allow lists them, "" where the path does not exist.

    "*" is the whole server (RFC 9110 section 9.3.7); "/" is asked by HAProxy's checks even where it
    is not a page.
    """
    if isinstance(error, MethodNotAllowed):
        known = set(error.valid_methods or ())
    elif path == "*":
        known = {"HEAD", *(method for method, _ in handlers)}
    elif path == "/":
        known = set()
    else:
        return ""
    return ", ".join(sorted({*known, "OPTIONS"}))


def _options(methods: str, _request: Request, _trace: Trace) -> Response:
    return Response(204, headers={"Allow": methods})


def problem_of_http(error: HTTPException, handlers: Handlers) -> Problem:
    """Return the problem for what Flask raises by itself."""
    if isinstance(error, NotFound):
        known = [route for route in handlers if route[1] not in (OTHER_MODEL, OTHER_INFER)]
        routes = ", ".join(f"{method} {path}" for method, path in known)
        return Problem(404, "NotFound", "the path does not exist", hint=f"The paths are {routes}")
    if isinstance(error, MethodNotAllowed):
        methods = ", ".join(sorted(error.valid_methods or ()))
        return Problem(
            405,
            "MethodNotAllowed",
            "the method is not allowed here",
            hint=f"Use {methods}",
            headers={"Allow": f"{methods}, OPTIONS"},
        )
    return Problem(error.code or 500, type(error).__name__, error.description or error.name)


def _flask_response(response: Response) -> flask.Response:
    made = flask.Response(
        bytes(response.body), response.status, content_type=response.content_type or None
    )
    if not response.content_type:  # Flask has one of its own
        del made.headers["Content-Type"]
    made.headers.extend(response.headers)
    return made
