"""What a worker serves: its site, by the settings, and the answers to requests.

Requests of a plain path and invocations of any kind are matched here; the rest,
which is rare, goes to Flask (`sagetree.serve.routes.flask_app`). That takes a quarter
of a server's start to import, so it comes with the first such request.
"""

import re
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

from sagetree.machine.allocator import hold_for_bodies, return_freed_memory
from sagetree.serve.models.loading import ModelHolder, Peers, ServedModel
from sagetree.serve.models.trials import TrialVerdict
from sagetree.serve.negotiation import is_packed
from sagetree.serve.protocol.messages import Request, Response
from sagetree.serve.protocol.route_names import INVOCATIONS, INVOKE, PREDICTING
from sagetree.serve.routes.access import NO_ROUTE, raising, respond
from sagetree.serve.routes.one_model import one_model
from sagetree.serve.routes.site import Handlers, Site
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.emf import EmfReport
from sagetree.serve.telemetry.log_lines import LINE_FORMATS, write_line
from sagetree.serve.telemetry.metrics import Observer

if TYPE_CHECKING:
    import flask

    from sagetree.serve.models.registry import Registry
    from sagetree.serve.scripts.code import ModelScripts, ScriptCode

# Routes that a worker's loop answers itself, as far as their bodies are small.
AT_ONCE = frozenset({"/ping", "/execution-parameters", INVOCATIONS, INVOKE})

# A body up to this size is answered by the loop itself: some 50 rows, which
# take a few milliseconds.
AT_ONCE_BYTES = 16 * 1024


class Application:
    """What a worker's loop serves."""

    def __init__(self, site: Site) -> None:
        hold_for_bodies()
        self.max_body = site.settings.max_body
        self.keepalive = site.settings.keepalive
        self._site = site
        self._invocations = _patterns(site.handlers)
        self._respond = partial(respond, site.observer)

    @cached_property
    def _flask(self) -> "flask.Flask":
        from sagetree.serve.routes.flask_app import create_app

        return create_app(self._site)

    def answer_at_once(self, request: Request) -> Response | None:
        """Return the response, None if that may take long."""
        if len(request.body) > AT_ONCE_BYTES:
            return None
        route = self._route(request)
        if route not in AT_ONCE:
            return None
        if route in PREDICTING and not self._site.is_prepared(request):
            return None
        if is_packed(request.header("content-type")):
            return None
        return self._respond(route, self._site.handlers[request.method, route], request)

    def answer(self, request: Request) -> Response:
        """Return the response, however long it takes."""
        route = self._route(request)
        if route is None:
            from sagetree.serve.routes.flask_app import call

            return call(self._flask, request)
        return self._respond(route, self._site.handlers[request.method, route], request)

    def tidy(self) -> None:
        """Give back the memory that large requests have left, in some milliseconds."""
        return_freed_memory()

    def refuse(self, request: Request, error: Exception) -> Response:
        """Return the response to a request that could not be read."""
        return self._respond(self._route(request) or NO_ROUTE, raising(error), request)

    def _route(self, request: Request) -> str | None:
        """Return the route of a plain path, or of an invocation; None if Flask has to find it."""
        method, path, *_ = request
        if (method, path) in self._site.handlers:
            return path
        if method != "POST":
            return None
        plain = f"/{unquote(path).lstrip('/')}"  # as Flask reads a path
        for pattern, route in self._invocations:
            if pattern.fullmatch(plain):
                return route
        return None


def _patterns(handlers: Handlers) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return what the decoded path of each route that predicts looks like."""
    routes = [route for method, route in handlers if method == "POST" and route in PREDICTING]
    return tuple((re.compile(re.sub(r"\{\w+\}", ".+", route)), route) for route in routes)


def site_of(
    settings: ServeSettings,
    shared: Path,
    code: "ScriptCode | ModelScripts | None",
    peers: Peers,
) -> Site:
    """Return what one worker serves, and start loading its model.

    `shared` is the folder that all workers of the server share, `code` the user's script,
    or with many models those of each; `peers` learns when the worker is ready.
    """
    observer = Observer(shared, LINE_FORMATS[settings.log_format])
    if settings.emf_seconds:
        observer.start(EmfReport(settings.emf_seconds, write_line).tell)
    else:
        observer.start()
    if settings.multi_model:
        peers.tell_ready(True)  # models come later
        scripts = cast("ModelScripts | None", code)
        return _many_models(settings, _registry(settings, shared), observer, scripts)
    if code is not None:
        return _user_script(settings, cast("ScriptCode", code), observer, peers)
    load = partial(_load_tried, settings, TrialVerdict(shared, settings))
    holder = ModelHolder(settings.model_dir, load, peers)
    holder.start(watch=settings.reload)
    return one_model(settings, holder, observer)


def _load_tried(settings: ServeSettings, verdict: TrialVerdict) -> ServedModel:
    verdict.check()
    return ServedModel.of(settings, settings.model_dir)


def _registry(settings: ServeSettings, shared: Path) -> "Registry":
    from sagetree.serve.models.registry import Registry

    folder = shared / "models"
    folder.mkdir(exist_ok=True)
    return Registry(folder, settings.model_memory, settings.workers)


def _many_models(
    settings: ServeSettings,
    registry: "Registry",
    observer: Observer,
    scripts: "ModelScripts | None",
) -> Site:
    from sagetree.serve.routes.many_models import many_models, store_of_models

    if scripts is not None:
        from sagetree.serve.routes.script import many_scripts

        return many_scripts(settings, registry, observer, scripts)
    store = store_of_models(settings, registry)
    store.start()
    return many_models(settings, store, observer)


def _user_script(
    settings: ServeSettings, code: "ScriptCode", observer: Observer, peers: Peers
) -> Site:
    # what answers strange paths is there before the script's folder hides a library from it
    import_module("sagetree.serve.routes.flask_app")
    # SageMaker's toolkit with it, which takes time to import
    from sagetree.serve.routes.script import script_site
    from sagetree.serve.scripts.user_script import script_holder

    holder = script_holder(settings, code, peers)
    holder.start(watch=settings.reload)
    return script_site(settings, holder, observer)
