"""JSON schemas (2020-12) that OpenAPI documents are made of: rows, cells and problems.

They need nothing of a model, so that whoever knows its columns can describe them at once.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, assert_never

if TYPE_CHECKING:
    from sagetree.tables.schema import Kind

Json = dict[str, object]

# The largest number that float32 holds, in the digits JSON needs.
LARGEST = 3.4e38

_NUMBER: Json = {"type": ["number", "null"], "minimum": -LARGEST, "maximum": LARGEST}
_DAY = r"^(19|20)\d{2}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])$"
_MOMENT: Json = {
    "type": ["string", "null"],
    "pattern": _DAY,
    "description": "An ISO 8601 date; a time may follow it",
}
_ANY_CELL: Json = {"type": ["string", "number", "boolean", "null"]}

PROBLEM: Json = {
    "type": "object",
    "required": ["error", "message", "where", "hint", "request_id"],
    "properties": {
        **{name: {"type": "string"} for name in ("error", "message", "where", "hint")},
        "request_id": {"type": "string"},
        "violations": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "row": {"type": ["integer", "null"]},
                    "column": {"type": "string"},
                    "reason": {"type": "string"},
                },
            },
        },
    },
}


def row_schema(
    cells: Mapping[str, Json], required: Sequence[str], example: Mapping[str, object]
) -> Json:
    """Return the schema of one row of a request."""
    return {
        "type": "object",
        "required": list(required),
        "properties": dict(cells),
        "additionalProperties": False,
        "examples": [dict(example)],
    }


def cell_schema(kind: "Kind", categories: Sequence[str]) -> Json:
    """Return the schema of a column's cells."""
    match kind:
        case "number" | "base_margin":
            return _NUMBER
        case "boolean":
            return {"type": ["boolean", "null"]}
        case "category" | "ordinal":
            # another text is a category that training never saw, which is not an error
            examples = {"examples": list(categories[:5])} if categories else {}
            return {"type": ["string", "null"], **examples}
        case "mixed":
            return {"type": ["number", "string", "null"], "examples": list(categories[:5])}
        case "datetime":
            return _MOMENT
        case "identifier" | "constant" | "dropped" | "weight" | "group" | "time" | "event":
            return _ANY_CELL
        case _:
            assert_never(kind)
