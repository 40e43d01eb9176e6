"""The Open Inference Protocol, version 2, of KServe, Triton and MLServer, in JSON.

    GET  /v2/health/live, /v2/health/ready, /v2, /v2/models/model, /v2/models/model/ready
    POST /v2/models/model/infer

Rows come as one tensor for each column, by name, of shape [n] or [n, 1], or as
a single tensor of shape [n, columns] in the trained order. Each asked key
comes back as a tensor. The one model of a server is called "model".
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from itertools import chain
from typing import Any, assert_never

import numpy as np

from sagetree.bundle.model import Model
from sagetree.errors import DecodingError, RequestError, quote
from sagetree.serve.answers.encoders import Column, json_text
from sagetree.serve.answers.outputs import predictions_of
from sagetree.serve.attributes import HEADER_KEY as CUSTOM_ATTRIBUTES_KEY
from sagetree.serve.attributes import OUTPUT_ATTRIBUTE, choose_output
from sagetree.serve.bodies.json_body import parse_json
from sagetree.serve.bodies.tables import refuse_width, table_of_columns
from sagetree.serve.models.loading import ModelHolder, ServedModel
from sagetree.serve.protocol.messages import Request, Response, json_response
from sagetree.serve.protocol.route_names import INFER, MODEL_NAME
from sagetree.serve.routes.access import Handler
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.observation import Trace
from sagetree.serve.walk import score
from sagetree.tables.cells import Cell
from sagetree.tables.schema import Column as SchemaColumn
from sagetree.tables.schema import Schema
from sagetree.tables.table import Source, Table

# What Python's JSON reader makes of each datatype's values.
_NUMBERS: tuple[type, ...] = (int, float)
DATATYPES: Mapping[str, tuple[type, ...]] = {
    "BOOL": (bool,),
    **dict.fromkeys(("INT8", "INT16", "INT32", "INT64"), (int,)),
    **dict.fromkeys(("UINT8", "UINT16", "UINT32", "UINT64"), (int,)),
    **dict.fromkeys(("FP16", "FP32", "FP64"), _NUMBERS),
    "BYTES": (str,),
}

HINT = (
    'Send {"inputs": [{"name": "column", "shape": [rows], "datatype": "FP64", "data": [...]}, '
    "...]}, a tensor for each column, or one of shape [rows, columns]"
)


def routes(
    settings: ServeSettings, holder: ModelHolder[ServedModel]
) -> dict[tuple[str, str], Handler]:
    """Return the handlers of the protocol."""
    return {
        ("GET", "/v2/health/live"): _live,
        ("GET", "/v2/health/ready"): partial(_ready, holder),
        ("GET", "/v2"): _server,
        ("GET", f"/v2/models/{MODEL_NAME}"): partial(_metadata, settings, holder),
        ("GET", f"/v2/models/{MODEL_NAME}/ready"): partial(_ready, holder),
        ("POST", INFER): partial(infer, settings, holder),
    }


def _live(_request: Request, _trace: Trace) -> Response:
    return json_response({"live": True})


def _ready(holder: ModelHolder[ServedModel], _request: Request, _trace: Trace) -> Response:
    holder.check_everywhere()
    return json_response({"ready": True})


def _server(_request: Request, _trace: Trace) -> Response:
    return json_response({"name": "sagetree", "version": version("sagetree"), "extensions": []})


def _metadata(
    settings: ServeSettings, holder: ModelHolder[ServedModel], _request: Request, _trace: Trace
) -> Response:
    model = holder.model().model
    inputs = [
        {"name": column.name, "datatype": _datatype(column), "shape": [-1]}
        for column in model.schema.columns
        if column.is_input
    ]
    outputs = [{"name": key, "datatype": "FP32", "shape": [-1]} for key in settings.output]
    return json_response(
        {
            "name": MODEL_NAME,
            "versions": [_version(model)],
            "platform": "xgboost",
            "inputs": inputs,
            "outputs": outputs,
        }
    )


def _datatype(column: SchemaColumn) -> str:
    match column.kind:
        case "number" | "base_margin":
            return "FP64"
        case "boolean":
            return "BOOL"
        case "category" | "ordinal" | "datetime":
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
    served = holder.wait()
    asked = _asked(request)
    keys = _output_names(asked)
    attributes = request.header(CUSTOM_ATTRIBUTES_KEY)
    header = f"{OUTPUT_ATTRIBUTE}={','.join(keys)}" if keys else attributes
    output = choose_output(header, settings.output, served.keys)
    table = table_of_tensors(asked.get("inputs"), served.model.schema)
    (rows,) = score(served, [table], trace)
    tensors = [_tensor(key, column) for key, column in predictions_of(rows, output).items()]
    answer: dict[str, object] = {"model_name": MODEL_NAME, "model_version": _version(served.model)}
    if isinstance(asked.get("id"), str):
        answer["id"] = asked["id"]
    trace.reached("encode")
    return json_response(answer | {"outputs": tensors})


def _asked(request: Request) -> dict[str, Any]:
    if request.header("inference-header-content-length"):
        raise RequestError(
            "tensors as binary data are not read here",
            where="Inference-Header-Content-Length",
            hint="Send them in JSON",
        )
    asked = parse_json(request.body)
    if not isinstance(asked, dict):
        raise DecodingError("the body is no inference request", hint=HINT)
    return asked


def _output_names(asked: Mapping[str, Any]) -> list[str]:
    outputs = asked.get("outputs") or []
    if not (isinstance(outputs, list) and all(isinstance(output, dict) for output in outputs)):
        raise DecodingError("its outputs are no list of objects", hint=HINT)
    names: list[str] = []
    for output in outputs:
        name = output.get("name")
        if not isinstance(name, str):
            raise DecodingError(f"the name {quote(name)} is no text", where="outputs", hint=HINT)
        names.append(name)
    return names


def table_of_tensors(inputs: Any, schema: Schema) -> Table:  # noqa: ANN401 - JSON
    """Return the rows in the request's tensors.

    Raises DecodingError for what are none, or for ones that do not fit each other.
    """
    if not (isinstance(inputs, list) and inputs and all(isinstance(i, dict) for i in inputs)):
        raise DecodingError("there are no inputs", hint=HINT)
    refuse_width(len(inputs), schema)
    tensors = [(tensor, _name(tensor), _shape(tensor)) for tensor in inputs]
    values = [_values(tensor, name, math.prod(shape)) for tensor, name, shape in tensors]
    (_, name, shape), *others = tensors
    if not others and len(shape) == 2 and (shape[1] != 1 or name not in schema.all_names):
        width = shape[1]
        refuse_width(width, schema, f"input {quote(name)}")
        columns = [values[0][column::width] for column in range(width)]
        return _table(None, columns, shape[0])
    for _, name, shape in tensors:
        if shape[1:] not in ((), (1,)):
            raise _wrong(name, f"its shape {list(shape)} is not that of a column")
    rows = {shape[0] for _, _, shape in tensors}
    if len(rows) > 1:
        raise DecodingError("its inputs differ in their number of rows", hint=HINT)
    return _table([name for _, name, _ in tensors], values, rows.pop())


def _table(names: Sequence[str] | None, columns: list[list[Cell]], rows: int) -> Table:
    if not rows or not columns:
        raise DecodingError("there are no rows", hint=HINT)
    return table_of_columns(names, columns, Source(rows))


def _wrong(name: str, reason: str) -> DecodingError:
    return DecodingError(reason, where=f"input {quote(name)}", hint=HINT)


def _name(tensor: Mapping[str, Any]) -> str:
    name = tensor.get("name")
    if not isinstance(name, str):
        raise DecodingError("an input has no name", hint=HINT)
    return name


def _shape(tensor: Mapping[str, Any]) -> tuple[int, ...]:
    shape = tensor.get("shape")
    if not isinstance(shape, list) or not shape or any(type(n) is not int or n < 0 for n in shape):
        raise _wrong(_name(tensor), "its shape is no list of sizes")
    return tuple(shape)


def _values(tensor: Mapping[str, Any], name: str, size: int) -> list[Cell]:
    """Return the values of a tensor, row by row; null is a missing one."""
    kinds = DATATYPES.get(str(tensor.get("datatype")))
    if kinds is None:
        known = ", ".join(DATATYPES)
        raise _wrong(name, f"its datatype {quote(tensor.get('datatype'))} is none of {known}")
    data = tensor.get("data")
    values = list(_flat(data)) if isinstance(data, list) else []
    if len(values) != size:
        raise _wrong(name, f"it has {len(values)} values where its shape says {size}")
    found = set(map(type, values)) - {type(None)}
    if not found <= set(kinds):
        raise _wrong(name, f"its values are not of datatype {tensor['datatype']}")
    return values


def _flat(data: list[Any]) -> Iterator[Any]:
    """Yield values, which may also be nested by row."""
    if data and isinstance(data[0], list):
        rows = [row if isinstance(row, list) else [row] for row in data]
        return chain.from_iterable(rows)
    return iter(data)


def _tensor(key: str, column: Column) -> dict[str, object]:
    """Return a column of the answer as a tensor."""
    if isinstance(column, np.ndarray):
        kind = f"FP{column.dtype.itemsize * 8}"
        shape, data = list(column.shape), column.ravel().tolist()
    elif all(type(value) is int for value in column):
        kind, shape, data = "INT64", [len(column)], list(column)
    else:
        kind, shape, data = "BYTES", [len(column)], [_text(value) for value in column]
    return {"name": key, "datatype": kind, "shape": shape, "data": data}


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else json_text(value)
