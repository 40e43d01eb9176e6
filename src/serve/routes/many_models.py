"""The routes of a multi-model endpoint, as SageMaker documents them.

    POST   /models                {"model_name": ..., "url": folder}: 200, 404 no such folder,
                                  409 loaded, 507 no memory
    GET    /models                {"models": [{"modelName", "modelUrl"}], "nextPageToken"?}
    GET    /models/{name}         200, 404
    DELETE /models/{name}         200 once its memory is free, 404
    POST   /models/{name}/invoke  as /invocations, 404

What they say is what AWS's multi-model-server says, the official container's server: clients
compare it. A name is any text, percent-encoded in a path. `/invocations` with the header
X-Amzn-SageMaker-Target-Model invokes the model it names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias
from urllib.parse import parse_qs, unquote

import orjson

from sagetree.errors import DecodingError, RequestError
from sagetree.serve.models.loading import Kind, ServedModel
from sagetree.serve.models.multi_model import ModelStore
from sagetree.serve.models.registry import Entry, Registry
from sagetree.serve.models.trials import Trials, options_of
from sagetree.serve.protocol.messages import Request, Response, json_response
from sagetree.serve.protocol.route_names import INVOCATIONS, INVOKE
from sagetree.serve.routes.batch_transform import execution_parameters
from sagetree.serve.routes.one_model import answers_at_once
from sagetree.serve.routes.site import METRICS, Handlers, Site, metrics
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.metrics import Observer
from sagetree.serve.telemetry.observation import Trace
from sagetree.serve.walk import invocations

MODELS = "/models"
NAMED_MODEL = "/models/{name}"

TARGET_HEADER = "X-Amzn-SageMaker-Target-Model"

# Models that one page of the list shows, at most and if no number is asked for.
PAGE_MODELS = 100

_EXAMPLE = 'Send {"model_name": "...", "url": "/folder/with/the/model"}'


# What one model answers.
Answer: TypeAlias = Callable[[Kind, Request, Trace], Response]


@dataclass(frozen=True)
class _Ready:
    """A model that need not be waited for."""

    served: ServedModel

    def wait(self) -> ServedModel:
        return self.served


def store_of_models(settings: ServeSettings, registry: Registry) -> ModelStore[ServedModel]:
    """Return a worker's store of models that answer without a script."""
    load = partial(ServedModel.of, settings)
    return ModelStore(registry, load, Trials(registry.folder, options_of(settings)))


def many_models(
    settings: ServeSettings, store: ModelStore[ServedModel], observer: Observer
) -> Site:
    """Return the site of a multi-model endpoint."""

    def answer(served: ServedModel, request: Request, trace: Trace) -> Response:
        return invocations(settings, _Ready(served), request, trace)

    handlers = handlers_of(settings, store, observer, answer)
    return Site(settings, handlers, observer, partial(_is_prepared, settings, store))


def handlers_of(
    settings: ServeSettings, store: ModelStore[Kind], observer: Observer, answer: Answer[Kind]
) -> Handlers:
    """Return what answers each path of a multi-model endpoint; `answer` is that of one model."""
    return {
        ("GET", "/ping"): _ping,
        ("GET", "/execution-parameters"): partial(execution_parameters, settings),
        ("GET", METRICS): partial(metrics, observer),
        ("POST", INVOCATIONS): partial(_invoke, store, answer, _target),
        ("POST", MODELS): partial(_load, store),
        ("GET", MODELS): partial(_list, store),
        ("GET", NAMED_MODEL): partial(_show, store),
        ("DELETE", NAMED_MODEL): partial(_unload, store),
        ("POST", INVOKE): partial(_invoke, store, answer, partial(_name, ending="/invoke")),
    }


def _is_prepared(settings: ServeSettings, store: ModelStore[ServedModel], request: Request) -> bool:
    by_header = request.path == INVOCATIONS
    name = request.header(TARGET_HEADER.lower()) if by_header else _name(request, "/invoke")
    served = store.at_hand(name)
    return served is not None and answers_at_once(settings, served, request)


def _ping(_request: Request, _trace: Trace) -> Response:
    """Answer 200: the server takes models from its first moment on."""
    return Response(content_type="text/plain")


def _load(store: ModelStore[Kind], request: Request, trace: Trace) -> Response:
    name, url = _asked(request)
    trace.model = name
    store.load(name, url)
    return json_response({"status": "Workers scaled"})


def _asked(request: Request) -> tuple[str, str]:
    try:
        asked = orjson.loads(request.body[:])
    except orjson.JSONDecodeError as error:
        raise DecodingError("it is not JSON", where="the body", hint=_EXAMPLE) from error
    found = []
    for name in ("model_name", "url"):
        text = asked.get(name) if isinstance(asked, Mapping) else None
        if not isinstance(text, str) or not text:
            raise RequestError(f"the key {name} is missing", where="the body", hint=_EXAMPLE)
        found.append(text)
    return found[0], found[1]


def _list(store: ModelStore[Kind], request: Request, _trace: Trace) -> Response:
    query = parse_qs(request.query)
    most = _page_size(query.get("limit", [str(PAGE_MODELS)])[-1])
    token = [*query.get("nextPageToken", []), *query.get("next_page_token", []), ""][0]
    found = [entry for entry in store.registry.entries() if entry.name > token]
    page: dict[str, object] = {"models": [_described(entry) for entry in found[:most]]}
    if len(found) > most:
        page["nextPageToken"] = found[most - 1].name
    return json_response(page)


def _page_size(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= PAGE_MODELS:
        hint = f"Send a limit from 1 to {PAGE_MODELS}, or leave it out"
        raise RequestError("it is not a usable number", where="limit", hint=hint)
    return int(text)


def _show(store: ModelStore[Kind], request: Request, trace: Trace) -> Response:
    entry = store.registry.get(_name(request, ""))
    trace.model = entry.name
    return json_response(_described(entry))


def _unload(store: ModelStore[Kind], request: Request, trace: Trace) -> Response:
    name = _name(request, "")
    store.unload(name)
    trace.model = name
    return json_response({"status": f'Model "{name}" unregistered'})


def _target(request: Request) -> str:
    name = request.header(TARGET_HEADER.lower())
    if not name:
        hint = f"Send {TARGET_HEADER}, or POST /models/NAME/invoke"
        raise RequestError("the header is missing", where=TARGET_HEADER, hint=hint)
    return name


def _invoke(
    store: ModelStore[Kind],
    answer: Answer[Kind],
    name_of: Callable[[Request], str],
    request: Request,
    trace: Trace,
) -> Response:
    name = name_of(request)
    served = store.served(name)
    trace.model = name
    return answer(served, request, trace)


def _name(request: Request, ending: str) -> str:
    """Return the model's name in a path as it was sent, percent-encoded."""
    return unquote(request.path.removeprefix(f"{MODELS}/").removesuffix(ending))


def _described(entry: Entry) -> dict[str, str]:
    return {"modelName": entry.name, "modelUrl": entry.url}
