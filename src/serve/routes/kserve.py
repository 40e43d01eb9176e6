"""The Open Inference Protocol, version 2, of KServe, Triton and MLServer.

    GET  /v2/health/live, /v2/health/ready, /v2
    GET  /v2/models/model, /v2/models/model/ready
    POST /v2/models/model/infer

Rows come as one tensor for each column, by name, of shape [n] or [n, 1], or as
a single tensor of shape [n, columns] in the trained order. Each asked key
comes back as a tensor. The one model of a server is called "model"; behind its
name may stand /versions/ and the version that its metadata tell.
"""

from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from typing import Any, assert_never

import orjson

from sagetree.bundle.model import Model
from sagetree.errors import DecodingError, RequestError, quote
from sagetree.predictions.keys import Output
from sagetree.predictions.scored_rows import ScoredRows
from sagetree.serve.answers.outputs import predictions_of
from sagetree.serve.attributes import HEADER_KEY as CUSTOM_ATTRIBUTES_KEY
from sagetree.serve.attributes import choose_output
from sagetree.serve.bodies.json_body import parse_json
from sagetree.serve.models.loading import ModelHolder, ServedModel
from sagetree.serve.negotiation import refuse_packed
from sagetree.serve.protocol.messages import Request, Response, json_response
from sagetree.serve.protocol.route_names import (
    INFER,
    INFER_VERSION,
    MODEL_NAME,
    OTHER_INFER,
    OTHER_MODEL,
    V2,
)
from sagetree.serve.routes.access import Handler
from sagetree.serve.routes.problems import Problem, RouteError
from sagetree.serve.routes.tensors import HINT, output_tensor, table_of_tensors
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.observation import Trace
from sagetree.serve.walk import as_asked, score
from sagetree.tables.schema import Column
from sagetree.tables.table import OneRow, Source, Table

_MODEL = f"{V2}/models/{MODEL_NAME}"
_VERSION = f"{_MODEL}/versions/{{version}}"

# How many bytes of a body are JSON, where binary data follow.
JSON_LENGTH = "Inference-Header-Content-Length"

_BINARY_OUTPUT, _BINARY_OUTPUTS = "binary_data", "binary_data_output"


def routes(
    settings: ServeSettings, holder: ModelHolder[ServedModel]
) -> dict[tuple[str, str], Handler]:
    """Return the handlers of the protocol."""
    metadata, answer = partial(_metadata, settings, holder), partial(infer, settings, holder)
    ready = partial(_ready, holder, {"name": MODEL_NAME, "ready": True})
    own: dict[tuple[str, str], Handler] = {
        ("GET", f"{V2}/health/live"): _live,
        ("GET", f"{V2}/health/ready"): partial(_ready, holder, {"ready": True}),
        ("GET", V2): _server,
        ("GET", _MODEL): metadata,
        ("GET", f"{_MODEL}/ready"): ready,
        ("POST", INFER): answer,
        ("GET", _VERSION): partial(_of_version, holder, metadata),
        ("GET", f"{_VERSION}/ready"): partial(_of_version, holder, ready),
        ("POST", INFER_VERSION): partial(_of_version, holder, answer),
    }
    below = ", ".join(f"{method} {path}" for method, path in own if path.startswith(_MODEL))
    no_model = partial(_no_model, below)
    return own | {("GET", OTHER_MODEL): no_model, ("POST", OTHER_INFER): no_model}


def _live(_request: Request, _trace: Trace) -> Response:
    return json_response({"live": True})


def _ready(
    holder: ModelHolder[ServedModel], told: object, _request: Request, _trace: Trace
) -> Response:
    holder.check_everywhere()
    return json_response(told)


def _server(_request: Request, _trace: Trace) -> Response:
    extensions = ["binary_tensor_data"]
    return json_response(
        {"name": "sagetree", "version": version("sagetree"), "extensions": extensions}
    )


def _no_model(below: str, request: Request, _trace: Trace) -> Response:
    if request.path.startswith(f"{_MODEL}/"):
        raise _not_found("the path does not exist", f"The paths are {below}")
    hint = f"The model of this server is called {MODEL_NAME}: ask for {_MODEL}"
    raise _not_found("the model does not exist", hint)


def _not_found(message: str, hint: str) -> RouteError:
    return RouteError(Problem(404, "NotFound", message, "the path", hint))


def _of_version(
    holder: ModelHolder[ServedModel], handler: Handler, request: Request, trace: Trace
) -> Response:
    """Answer as without the version. Raises RouteError for another one than the model's."""
    known = _version(holder.model().model)
    if request.path.removeprefix(f"{_MODEL}/versions/").split("/")[0] != known:
        hint = f"The model's version is {known}"
        raise _not_found("the version does not exist", hint)
    return handler(request, trace)


def _metadata(
    settings: ServeSettings, holder: ModelHolder[ServedModel], _request: Request, _trace: Trace
) -> Response:
    model = holder.model().model
    inputs = [
        {"name": column.name, "datatype": _datatype(column), "shape": [-1]}
        for column in model.schema.columns
        if column.is_input
    ]
    rows = _row_of_nothing(model)
    columns = predictions_of(rows, Output(settings.output))
    outputs = [output_tensor(key, column) for key, column in columns.items()]
    return json_response(
        {
            "name": MODEL_NAME,
            "versions": [_version(model)],
            "platform": "xgboost",
            "inputs": inputs,
            "outputs": [
                {**output.described(), "shape": [-1, *output.shape[1:]]} for output in outputs
            ],
        }
    )


def _row_of_nothing(model: Model) -> ScoredRows:
    """Return a row of missing cells with its score: the outputs of any row are of its kinds."""
    names = model.schema.all_names
    table = Table(names, OneRow([None] * len(names)), 1, True, (Source(1),))
    inputs = model.schema.arrange(table)
    matrix = model.features.transform(inputs)
    base_margin = model.base_margin(table)
    scores = model.scorer.score(matrix.values, base_margin)
    return ScoredRows(model, table, inputs, matrix, scores, MODEL_NAME, base_margin)


def _datatype(column: Column) -> str:
    match column.kind:
        case "number" | "base_margin":
            return "FP64"
        case "boolean":
            return "BOOL"
        case "category" | "mixed" | "ordinal" | "datetime":
            return "BYTES"
        case "identifier" | "constant" | "dropped" | "weight" | "group" | "time" | "event":
            return "BYTES"
        case _:
            assert_never(column.kind)


def _version(model: Model) -> str:
    return model.sha256[:12]


def infer(
    settings: ServeSettings, holder: ModelHolder[ServedModel], request: Request, trace: Trace
) -> Response:
    """Answer tensors with tensors."""
    attributes = request.header(CUSTOM_ATTRIBUTES_KEY)
    served = as_asked(holder.wait(), attributes)
    trace.columns = served.model.schema.trained_names
    refuse_packed(request.header("content-encoding"))
    length = _json_length(request)
    asked = _asked(request, length)
    wanted = _outputs(asked, served.keys)
    output = (
        Output(tuple(wanted)) if wanted else choose_output(attributes, settings.output, served.keys)
    )
    table = table_of_tensors(asked.get("inputs"), served.model.schema, request.body[length:])
    (rows,) = score(served, [table], trace)
    answer: dict[str, object] = {"model_name": MODEL_NAME, "model_version": _version(served.model)}
    if isinstance(asked.get("id"), str):
        answer["id"] = asked["id"]
    default = _flag(asked, _BINARY_OUTPUTS)
    tensors, parts = [], []
    for key, column in predictions_of(rows, output).items():
        tensor = output_tensor(key, column)
        if wanted.get(key, default):
            described, data = tensor.as_binary()
            parts.append(data)
            tensors.append(described)
        else:
            tensors.append(tensor.as_json())
    trace.reached("encode")
    return _answered(answer | {"outputs": tensors}, parts)


def _answered(answer: dict[str, object], parts: list[bytes]) -> Response:
    if not parts:
        return json_response(answer)
    head = orjson.dumps(answer)
    headers = {JSON_LENGTH: str(len(head))}
    return Response(200, b"".join([head, *parts]), "application/octet-stream", headers)


def _json_length(request: Request) -> int:
    """Return how many bytes of the body are JSON."""
    text = request.header(JSON_LENGTH.lower())
    if not text:
        return len(request.body)
    if not (text.isascii() and text.isdigit()) or int(text) > len(request.body):
        hint = "Send the length of the JSON in bytes; the binary data follow it"
        raise RequestError(f"it is {quote(text)}", where=JSON_LENGTH, hint=hint)
    return int(text)


def _asked(request: Request, length: int) -> dict[str, Any]:
    body = request.body
    asked = parse_json(body if length == len(body) else body[:length])
    if not isinstance(asked, dict):
        raise DecodingError("it is not an inference request", where="the body", hint=HINT)
    return asked


def _outputs(asked: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, bool]:
    """Return the asked outputs, and whether each shall come as binary data."""
    outputs = asked.get("outputs") or []
    if not (isinstance(outputs, list) and all(isinstance(output, dict) for output in outputs)):
        raise DecodingError("they are not a list of objects", where="outputs", hint=HINT)
    wanted: dict[str, bool] = {}
    for output in outputs:
        name = output.get("name")
        if not isinstance(name, str):
            raise DecodingError(f"the name {quote(name)} is not text", where="outputs", hint=HINT)
        if name not in keys:
            hint = f"This model gives {', '.join(keys)}"
            raise RequestError(f"output {quote(name)} does not exist", where="outputs", hint=hint)
        wanted[name] = _flag(output, _BINARY_OUTPUT, default=_flag(asked, _BINARY_OUTPUTS))
    return wanted


def _flag(holder: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    parameters = holder.get("parameters")
    return (parameters.get(name, default) if isinstance(parameters, dict) else default) is True
