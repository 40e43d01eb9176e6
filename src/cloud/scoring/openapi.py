"""The description of a stack's API for machines: GET /openapi.json (OpenAPI 3.1)."""

from collections.abc import Set as AbstractSet
from importlib.metadata import version

from sagetree.cloud.columns import InputColumns
from sagetree.cloud.scoring.claims import MOST_CLAIMS, REQUEST_ID
from sagetree.formats.media_types import JSON as JSON_TYPE
from sagetree.serve.protocol.json_schemas import PROBLEM, Json, cell_schema, row_schema

_ID: Json = {"type": ["string", "number", "boolean", "null"]}

_PREDICTION: Json = {
    "score": {"type": "number", "description": "How likely the claim is of the positive class"},
    "predicted_label": {"description": "The class that the model's threshold gives it"},
    "reasons": {
        "type": "array",
        "items": {"type": "string"},
        "description": "The columns that moved the score most",
    },
}

_UNUSED: Json = {
    "type": "array",
    "items": {"type": "string"},
    "description": "Fields of the claims that the model was not sent: private ones, and those that "
    "it does not know",
}

_PLACE: Json = {"type": ["string", "null"], "description": "An address in S3"}

_QUEUED: Json = {
    "type": "object",
    "required": ["request_id", "claims", "output_location"],
    "properties": {
        "request_id": {"type": "string"},
        "claims": {"type": "integer"},
        "output_location": _PLACE,
        "failure_location": _PLACE,
        "unused_fields": _UNUSED,
    },
}


def document(columns: InputColumns, id_field: str, stays: AbstractSet[str]) -> Json:
    """Return the document for a model with these columns.

    `id_field` is the field of a claim that comes back with its answer; the fields in `stays` are
    never sent to the model.
    """
    return {
        "openapi": "3.1.0",
        "info": {"title": "sagetree", "version": version("sagetree")},
        "paths": {
            "/score": {"post": _score()},
            "/openapi.json": {
                "get": {
                    "operationId": "describe",
                    "summary": "This document",
                    "responses": {"200": _answer("This document", {"type": "object"}), **_errors()},
                }
            },
        },
        "components": {
            "schemas": {
                "Claim": _claim(columns, id_field, stays),
                "Prediction": {
                    "type": "object",
                    "required": list(_PREDICTION),
                    "properties": {id_field: _ID, **_PREDICTION},
                },
                "Problem": PROBLEM,
            }
        },
    }


def _claim(columns: InputColumns, id_field: str, stays: AbstractSet[str]) -> Json:
    sent = [note for note in columns.notes if note.name not in stays]
    cells: dict[str, Json] = {note.name: cell_schema(note.kind, note.categories) for note in sent}
    required = [note.name for note in sent if note.required]
    claim = row_schema(cells, required, dict.fromkeys(required))
    known: Json = {"description": "Not sent to the model; the answer has it again"}
    # further fields are welcome, and stay in the function
    return {**claim, "properties": {**cells, id_field: _ID | known}, "additionalProperties": True}


def _score() -> Json:
    claim: Json = {"$ref": "#/components/schemas/Claim"}
    claims: Json = {"type": "array", "items": claim, "minItems": 1, "maxItems": MOST_CLAIMS}
    several: Json = {"type": "object", "required": ["claims"], "properties": {"claims": claims}}
    prediction: Json = {"$ref": "#/components/schemas/Prediction"}
    scored: Json = {
        "type": "object",
        "required": ["request_id", "predictions"],
        "properties": {
            "request_id": {"type": "string"},
            "predictions": {"type": "array", "items": prediction},
            "unused_fields": _UNUSED,
        },
    }
    return {
        "operationId": "score",
        "summary": "Claims in, scores with reasons out, in the same order",
        "parameters": [
            {
                "name": REQUEST_ID,
                "in": "header",
                "required": False,
                "description": "How the request is called in logs and in its answer",
                "schema": {"type": "string", "pattern": "^[!-~]{1,64}$"},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {JSON_TYPE: {"schema": {"anyOf": [several, claims, claim]}}},
        },
        "responses": {
            "200": _answer("A score for each claim", scored),
            "202": _answer("With an asynchronous endpoint: where the scores will be", _QUEUED),
            **_errors(),
        },
    }


def _answer(description: str, schema: Json) -> Json:
    return {"description": description, "content": {JSON_TYPE: {"schema": schema}}}


def _errors() -> Json:
    problem: Json = {"$ref": "#/components/schemas/Problem"}
    wait: Json = {"schema": {"type": "integer"}, "description": "Seconds"}
    return {
        "4XX": _answer("The request is wrong, and how to put it right", problem),
        "502": _answer("The model could not answer", problem),
        "503": {
            **_answer("The model has too much to do, or there is none yet", problem),
            "headers": {"Retry-After": wait},
        },
    }
