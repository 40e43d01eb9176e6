"""The description of the server's routes for machines: GET /openapi.json (OpenAPI 3.1)."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version

from sagetree.formats.media_types import ACCEPTS, CSV, JSON, JSON_LINES, LIBSVM
from sagetree.predictions.reasons import unit_of
from sagetree.serve.attributes import HEADER as CUSTOM_ATTRIBUTES
from sagetree.serve.bodies.decoders import DECODERS
from sagetree.serve.models.loading import ServedModel
from sagetree.serve.protocol.json_schemas import PROBLEM, Json, cell_schema, row_schema
from sagetree.tables.cells import Cell
from sagetree.tables.schema import Column

TEXT_TYPES = frozenset({CSV, JSON_LINES, LIBSVM})

# Bodies as MLflow writes them: text, though of this type.
_MLFLOW: Json = {JSON: {}}


def openapi_of(served: ServedModel, example: Mapping[str, Cell]) -> Json:
    """Return the document for one model; `example` is a row for its examples."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "sagetree", "version": version("sagetree")},
        "paths": {
            "/ping": {"get": _plain("200 with an empty body once the model is ready")},
            "/invocations": {"post": _invocations(served, example)},
            "/execution-parameters": {"get": _json("What a batch transform job may send")},
            "/health": {"get": _get("200 once the model is ready", _MLFLOW)},
            "/version": {"get": _get("The server's version, as MLflow's has it", _MLFLOW)},
            "/schema": {"get": _json("The columns a request holds, and what an answer can hold")},
            "/metadata": {"get": _json("Where the model comes from, and what serves it")},
            "/metrics": {"get": _plain("Counts and times of all workers, for Prometheus")},
            "/openapi.json": {"get": _json("This document")},
        },
        "components": {
            "schemas": {
                "Row": _row(served.model.schema.columns, example),
                "Prediction": _prediction(served),
                "Problem": PROBLEM,
            }
        },
    }


def _row(columns: Sequence[Column], example: Mapping[str, Cell]) -> Json:
    return row_schema(
        {column.name: cell_schema(column.kind, column.categories) for column in columns},
        [column.name for column in columns if column.is_input],
        example,
    )


def _invocations(served: ServedModel, example: Mapping[str, Cell]) -> Json:
    rows: Json = {"type": "array", "items": {"$ref": "#/components/schemas/Row"}, "minItems": 1}
    kinds: dict[str, Json] = {
        JSON: {
            "schema": {
                "anyOf": [
                    rows,
                    {
                        "type": "object",
                        "required": ["instances"],
                        "properties": {"instances": rows},
                        "additionalProperties": False,
                    },
                ]
            },
            "example": [dict(example)],
        },
        CSV: {"schema": {"type": "string"}, "example": _csv(example)},
        JSON_LINES: {"schema": {"type": "string"}},
        LIBSVM: {"schema": {"type": "string"}},
    }
    others: dict[str, Json] = {name: {"schema": {}} for name in DECODERS}
    kinds = others | kinds
    return {
        "operationId": "invocations",
        "summary": "Rows in, scores out",
        "parameters": [
            {
                "name": CUSTOM_ATTRIBUTES,
                "in": "header",
                "required": False,
                "description": "What the answer holds for each row: inference_output=key,key,... "
                f"of {', '.join(served.keys)}; decision=0.3 or a rule such as recall>=0.8: from "
                "which score on a row is called positive",
                "schema": {"type": "string", "maxLength": 1024, "pattern": "^[ -~]*$"},
                "example": "inference_output=score",
            }
        ],
        "requestBody": {"required": True, "content": kinds},
        "responses": {
            "200": {"description": "A score for each row", "content": _answers()},
            "204": {"description": "The body was empty"},
            **_refusals(),
        },
    }


def _answers() -> Json:
    predictions: Json = {
        "type": "object",
        "required": ["predictions"],
        "properties": {
            "predictions": {"type": "array", "items": {"$ref": "#/components/schemas/Prediction"}}
        },
    }
    told: Json = {name: {"schema": {}} for name in ACCEPTS}
    text: Json = {name: {"schema": {"type": "string"}} for name in ACCEPTS if name in TEXT_TYPES}
    return told | text | {JSON: {"schema": predictions}}


def _prediction(served: ServedModel) -> Json:
    number: Json = {"type": "number"}
    score: Json = {"anyOf": [number, {"type": "array", "items": number}]}
    if served.model.probability:
        score["description"] = served.model.probability
    properties: Json = {key: {} for key in served.keys}
    if "reasons" in served.keys:
        unit = unit_of(served.model)
        properties["reasons"] = {
            "type": "array",
            "items": {"type": "string"},
            "description": "The columns that moved the row most, each with what it raises or "
            f"lowers: {unit.before}...{unit.behind}",
        }
    return {"type": "object", "properties": {**properties, "score": score}}


def _plain(summary: str) -> Json:
    return _get(summary, {"text/plain": {"schema": {"type": "string"}}})


def _json(summary: str) -> Json:
    return _get(summary, {JSON: {"schema": {"type": "object"}}})


def _get(summary: str, content: Json) -> Json:
    return {
        "summary": summary,
        "responses": {"200": {"description": summary, "content": content}, **_refusals()},
    }


def _refusals() -> Json:
    content: Json = {JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "4XX": {"description": "The request is wrong, and how to put it right", "content": content},
        "503": {"description": "The model is not ready, and why", "content": content},
    }


def _csv(example: Mapping[str, Cell]) -> str:
    lines = (map(str, example), ("" if cell is None else str(cell) for cell in example.values()))
    return "".join(",".join(map(_quoted, line)) + "\n" for line in lines)


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(sign in cell for sign in ',"\r\n') else cell
