"""The description of a stack's API for machines: GET /openapi.json (OpenAPI 3.1)."""

from collections.abc import Set as AbstractSet
from importlib.metadata import version

from sagetree.cloud.columns import InputColumns, LabelNote
from sagetree.cloud.scoring.claims import MOST_CLAIMS, REQUEST_ID
from sagetree.formats.media_types import JSON as JSON_TYPE
from sagetree.serve.protocol.json_schemas import PROBLEM, Json, cell_schema, row_schema

_ID: Json = {"type": ["string", "number", "boolean", "null"]}

_PREDICTION: Json = {
    "score": {"type": "number", "description": "The probability of the positive class"},
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

_TAKEN: Json = {
    "request_id": {"type": "string"},
    "claims": {"type": "integer"},
    "unused_fields": _UNUSED,
}

_QUEUED: Json = {"type": "object", "required": ["request_id", "claims"], "properties": _TAKEN}

_PLACED: Json = {
    "type": "object",
    "required": ["request_id", "claims", "output_location"],
    "properties": {**_TAKEN, "output_location": _PLACE, "failure_location": _PLACE},
}


def document(
    columns: InputColumns,
    id_field: str,
    stays: AbstractSet[str],
    looked_up: AbstractSet[str],
    *,
    queues: bool,
) -> Json:
    """Return the document for a model with these columns.

    `id_field` is the field of a claim that comes back with its answer; the fields in `stays` are
    never sent to the model, and those in `looked_up` are known without the claim. `queues` says
    whether the stack has a queue for claims.
    """
    return {
        "openapi": "3.1.0",
        "info": {"title": "sagetree", "version": version("sagetree")},
        "paths": {
            "/score": {"post": _score()},
            **({"/claims": {"post": _keep()}} if queues else {}),
            **({"/outcomes": {"post": _note(id_field, columns.label)}} if columns.label else {}),
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
                "Claim": _claim(columns, id_field, stays, looked_up),
                "Prediction": {
                    "type": "object",
                    "required": list(_PREDICTION),
                    "properties": {id_field: _ID, **_PREDICTION},
                },
                "Problem": PROBLEM,
            }
        },
    }


def _claim(
    columns: InputColumns, id_field: str, stays: AbstractSet[str], looked_up: AbstractSet[str]
) -> Json:
    sent = [note for note in columns.notes if note.name not in stays]
    cells: dict[str, Json] = {note.name: cell_schema(note.kind, note.categories) for note in sent}
    required = [note.name for note in sent if note.required and note.name not in looked_up]
    claim = row_schema(cells, required, dict.fromkeys(required))
    known: Json = {"description": "Not sent to the model; the answer has it again"}
    # further fields are welcome, and stay in the function
    return {**claim, "properties": {**cells, id_field: _ID | known}, "additionalProperties": True}


def _score() -> Json:
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
        **_request(),
        "responses": {
            "200": _answer("A score for each claim", scored),
            "202": _answer("With an asynchronous endpoint: where the scores will be", _PLACED),
            **_errors(),
        },
    }


def _keep() -> Json:
    return {
        "operationId": "queue",
        "summary": "Claims to be scored soon, with an alert for each that scores high; there with "
        "the stack queue beside this one",
        **_request(),
        "responses": {"202": _answer("All claims are in the queue", _QUEUED), **_errors()},
    }


def _note(id_field: str, label: LabelNote) -> Json:
    numbers = [int(name) for name in label.classes if name.isdecimal()]
    value: Json = {"enum": [*label.classes, *numbers]} if label.classes else {"type": "number"}
    outcome: Json = {
        "type": "object",
        "required": [id_field, label.name],
        "properties": {id_field: {"type": ["string", "integer"]}, label.name: value},
        "additionalProperties": False,
    }
    kept: Json = {
        "type": "object",
        "required": ["request_id", "outcomes"],
        "properties": {"request_id": {"type": "string"}, "outcomes": {"type": "integer"}},
    }
    return {
        "operationId": "note",
        "summary": "What became of claims; the last outcome of a claim holds",
        **_request(outcome, "outcomes"),
        "responses": {"200": _answer("All outcomes are kept", kept), **_errors()},
    }


def _request(one: Json | None = None, plural: str = "claims") -> Json:
    claim = one or {"$ref": "#/components/schemas/Claim"}
    claims: Json = {"type": "array", "items": claim, "minItems": 1, "maxItems": MOST_CLAIMS}
    several: Json = {"type": "object", "required": [plural], "properties": {plural: claims}}
    return {
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
            **_answer("The model is busy, or there is none yet", problem),
            "headers": {"Retry-After": wait},
        },
    }
