"""The routes of a server whose answers a user's script makes."""

from functools import partial
from pathlib import Path

from sagetree.formats.media_types import CSV, JSON, JSON_LINES
from sagetree.serve.models.loading import ModelHolder
from sagetree.serve.models.multi_model import ModelStore
from sagetree.serve.models.registry import Registry
from sagetree.serve.protocol.messages import Request, Response
from sagetree.serve.protocol.route_names import INVOCATIONS
from sagetree.serve.routes.batch_transform import execution_parameters
from sagetree.serve.routes.many_models import handlers_of
from sagetree.serve.routes.site import METRICS, Handlers, Site, metrics, ping
from sagetree.serve.scripts.code import ModelScripts
from sagetree.serve.scripts.trial import trials_of
from sagetree.serve.scripts.user_script import UserScript
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.metrics import Observer
from sagetree.serve.telemetry.observation import Trace

# Answers that a batch job joins as lines of one file.
LINE_TYPES = frozenset({CSV, JSON, JSON_LINES})


def script_site(
    settings: ServeSettings, holder: ModelHolder[UserScript], observer: Observer
) -> Site:
    """Return the site of a user's script; `holder` has it, or will have."""
    handlers: Handlers = {
        ("GET", "/ping"): partial(ping, holder),
        ("POST", INVOCATIONS): lambda asked, trace: _answer(settings, holder.wait(), asked, trace),
        ("GET", "/execution-parameters"): partial(execution_parameters, settings),
        ("GET", METRICS): partial(metrics, observer),
    }
    # a script may take long: it is never answered by the loop itself
    return Site(settings, handlers, observer, lambda _request: False)


def many_scripts(
    settings: ServeSettings, registry: Registry, observer: Observer, scripts: ModelScripts
) -> Site:
    """Return the site of a multi-model endpoint whose models answer by a script each."""

    def load(folder: Path, _name: str) -> UserScript:
        return UserScript.load_apart(scripts, folder, settings.rounds)

    store = ModelStore(registry, load, trials_of(registry.folder, scripts, settings.rounds))
    store.start()
    handlers = handlers_of(settings, store, observer, partial(_answer, settings))
    return Site(settings, handlers, observer, lambda _request: False)


def _answer(
    settings: ServeSettings, script: UserScript, request: Request, trace: Trace
) -> Response:
    """Answer a request with what the user's script makes of it."""
    trace.reached("decode")
    response = script.answer(request)
    trace.reached("score")
    return _whole_lines(response) if settings.batch else response


def _whole_lines(response: Response) -> Response:
    """Return an answer of lines with its last line ended: a batch job may join it to the next."""
    body = response.body[:]
    kind = response.content_type.partition(";")[0].strip().lower()
    if not body or body.endswith(b"\n") or kind not in LINE_TYPES:
        return response
    return Response(response.status, body + b"\n", response.content_type)
