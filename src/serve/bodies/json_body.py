"""The shapes in which JSON holds rows.

    [{"age": 31, "state": "WA"}, ...]                  records
    {"age": 31, "state": "WA"}                         one record
    [[31, "WA"], ...]                                  rows in the trained order
    {"columns": ["age", "state"], "data": [[31, "WA"], ...]}   (or "rows")
    {"instances": [...]}                               any of the above lists: KServe, SageMaker
    {"features": [31, "WA"]}, {"features": [[31, "WA"], ...]}  Clarify, scikit-learn's containers
    {"dataframe_split": {...}}, {"dataframe_records": [...]}   MLflow
    {"inputs": [...]}, {"inputs": {"age": [31, ...], "state": ["WA", ...]}}   MLflow

Beside MLflow's keys may stand "params"; this model has none. Records, and rows as
{"features": [...]}, may stand in a list or one in a line (JSON Lines). null is a missing
value, and so is NaN, which Python's json writes for it; Infinity is not a number that a model
could be trained on, so it is none that it can score. A record that lacks a column the model
needs is an error, because a misspelled or forgotten key would look just like that.
"""

from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import Any

import orjson

from sagetree.errors import DecodingError, PayloadTooLargeError, SchemaError, Violation, quote
from sagetree.formats.json_constants import loads
from sagetree.formats.json_keys import count_keys, repeated_key
from sagetree.serve.bodies.tables import refuse_lacking, refuse_width, row_place
from sagetree.serve.protocol.messages import Body
from sagetree.tables.schema import Schema
from sagetree.tables.table import Cells, OneRow

SHAPES = (
    'Send records as [{"column": value, ...}, ...], or {"columns": [...], "data": [[...], ...]}, '
    'or {"instances": [...]}'
)

# What pandas (orient="split") and TensorFlow Serving's clients send beside the rows.
_COLUMNS_KEYS = frozenset({"columns", "data", "rows", "index"})
_WRAPPERS = {
    "instances": frozenset({"instances", "signature_name", "params"}),
    "features": frozenset({"features"}),
    "inputs": frozenset({"inputs", "params"}),
    "dataframe_records": frozenset({"dataframe_records", "params"}),
}
_SPLIT = "dataframe_split"
_INPUTS = "inputs"

# The kinds of JSON that are not single value.
_NESTED: Mapping[type, str] = MappingProxyType({list: "a list", dict: "an object"})

# What Python's objects take of memory, at most, by the byte that begins or parts
# them; JSON is the one format that has to be read as a whole.
_OBJECT_COST, _LIST_COST, _VALUE_COST = 232, 88, 40
MOST_MEMORY = 200 * 2**20


@dataclass(frozen=True)
class JsonColumns:
    """Columns of cells; `names` is None where the body has none."""

    names: tuple[str, ...] | None
    columns: Sequence[Cells]
    rows: int


def columns_of_json(body: Body, schema: Schema) -> JsonColumns:
    """Return the columns in a JSON body in UTF-8; every record must have the model's inputs.

    Raises DecodingError for what is not JSON, has a key twice or none of the shapes,
    SchemaError for a cell that is not a single value and for a lacking key,
    PayloadTooLargeError for what would take too much memory.
    """
    return columns_of_value(parse_json(body), schema)


def parse_json(body: Body) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Return the value in a JSON body. Raises as `columns_of_json` does."""
    if len(body) > MOST_MEMORY // _OBJECT_COST:
        _refuse_costly(body)
    value = _parse(body)
    refuse_repeated(body[:], value)
    return value


def refuse_repeated(text: bytes, value: Any) -> None:  # noqa: ANN401
    """Raise DecodingError for a key that an object has twice, in a text that is read as `value`."""
    key = repeated_key(text, count_keys(value))
    if key is not None:
        raise DecodingError(
            f"the key {quote(key)} is given twice in one object",
            where="the body",
            hint="Send every key once",
        )


def _refuse_costly(body: Body) -> None:
    text = body if isinstance(body, bytes) else body[:MOST_MEMORY]  # as much costs it anyway
    cost = len(text) + text.count(b"{") * _OBJECT_COST
    cost += text.count(b"[") * _LIST_COST + text.count(b",") * _VALUE_COST
    if cost > MOST_MEMORY:
        raise PayloadTooLargeError(
            f"reading this JSON would take more than {MOST_MEMORY >> 20} MB of memory",
            where="the body",
            hint="Send fewer rows at once, or JSON Lines (application/jsonlines) or CSV, "
            "which are read in slices",
        )


def columns_of_value(value: Any, schema: Schema) -> JsonColumns:  # noqa: ANN401
    """Return the columns in a JSON value, as `columns_of_json` does."""
    needed = schema.input_names
    if isinstance(value, dict):
        found = _of_object(value, schema)
    elif isinstance(value, list):
        found = _of_rows(value, schema)
    else:
        raise DecodingError("it holds no rows", where="the body", hint=SHAPES)
    _refuse_nested(found, needed)
    return found


def _parse(body: Body) -> Any:  # noqa: ANN401 - whatever JSON can hold
    try:
        return loads(
            body[len(BOM_UTF8) :] if body[: len(BOM_UTF8)] == BOM_UTF8 else memoryview(body)
        )
    except orjson.JSONDecodeError as error:
        raise DecodingError(
            f"the body is not JSON: {error.msg}",
            where=f"line {error.lineno} column {error.colno}",
            hint="Send JSON in UTF-8; a missing value is null or NaN",
        ) from error


def _of_object(value: dict[str, Any], schema: Schema) -> JsonColumns:
    # Only a list, or columns, make it a wrapper: a column may well be called "instances".
    for key, known in _WRAPPERS.items():
        if isinstance(value.get(key), list):
            _refuse_keys(value, known)
            rows = value[key]
            single = key == "features" and not (rows and isinstance(rows[0], (list, dict)))
            return _of_rows([rows] if single else rows, schema)
    split = value.get(_SPLIT)
    if isinstance(split, dict):
        _refuse_keys(value, frozenset({_SPLIT, "params"}))
        if isinstance(split.get("columns"), list):
            return _of_object(split, schema)
    named = value.get(_INPUTS)
    if isinstance(named, dict):
        _refuse_keys(value, _WRAPPERS[_INPUTS])
        return _of_named(named, schema)
    data = value.get("data", value.get("rows"))
    if isinstance(value.get("columns"), list) and isinstance(data, list):
        _refuse_keys(value, _COLUMNS_KEYS - {"rows"} if "data" in value else _COLUMNS_KEYS)
        return _of_lists(data, _names(value["columns"]), schema)
    return _of_records([value], schema)


def _of_named(named: dict[str, Any], schema: Schema) -> JsonColumns:
    """Return the columns of an object that holds the cells of each, or of one record."""
    if not any(isinstance(cells, list) for cells in named.values()):
        return _of_records([named], schema)
    refuse_width(len(named), schema)
    rows = {len(cells) if isinstance(cells, list) else -1 for cells in named.values()}
    if len(rows) > 1:
        hint = "Give every column a list of the same length, null where a value is missing"
        raise DecodingError("its columns differ in length", where=_INPUTS, hint=hint)
    if rows == {0}:
        raise DecodingError("there are no rows", where="the body", hint=SHAPES)
    return JsonColumns(tuple(named), list(named.values()), rows.pop())


def _refuse_keys(value: dict[str, Any], known: frozenset[str]) -> None:
    for key in value:
        if key not in known:
            hint = f"The keys are {', '.join(sorted(known))}"
            raise DecodingError(f"the key {quote(key)} is unknown", where="the body", hint=hint)


def _names(names: list[Any]) -> tuple[str, ...]:
    for name in names:
        if not isinstance(name, str):
            hint = "Name every column by a text"
            raise DecodingError(f"the name {quote(name)} is not text", where="columns", hint=hint)
    return tuple(names)


def _of_rows(rows: list[Any], schema: Schema) -> JsonColumns:
    if not rows or not isinstance(rows[0], dict):
        return _of_lists(rows, None, schema)
    _refuse_others(rows, dict, "the row is not a record, and the first row is")
    if all(len(row) == 1 and isinstance(row.get("features"), list) for row in rows):
        return _of_lists([row["features"] for row in rows], None, schema)
    return _of_records(rows, schema)


def _refuse_others(rows: list[Any], kind: type, problem: str) -> None:
    for number, row in enumerate(rows, 1):
        if not isinstance(row, kind):
            raise DecodingError(problem, where=f"row {number}", hint=SHAPES)


def _of_records(records: list[dict[str, Any]], schema: Schema) -> JsonColumns:
    keys = records[0].keys()
    if len(records) == 1:
        refuse_width(len(keys), schema)
        return JsonColumns(tuple(keys), OneRow([*records[0].values()]), 1)
    if any(record.keys() != keys for record in records):
        # Columns the model does not need may come and go.
        keys = dict.fromkeys(key for record in records for key in record).keys()
        needed = [name for name in schema.input_names if name in keys]
        refuse_lacking(
            (name, row)
            for row, record in enumerate(records)
            for name in needed
            if name not in record
        )
    refuse_width(len(keys), schema)
    columns = [[record.get(key) for record in records] for key in keys]
    return JsonColumns(tuple(keys), columns, len(records))


def _of_lists(rows: list[Any], names: tuple[str, ...] | None, schema: Schema) -> JsonColumns:
    if not rows:
        raise DecodingError("there are no rows", where="the body", hint=SHAPES)
    _refuse_others(rows, list, "the row is not a list of values")
    width = len(rows[0] if names is None else names)
    refuse_width(width, schema)
    for number, row in enumerate(rows, 1):
        if len(row) != width:
            problem = f"the row has {len(row)} values, and {width} are expected"
            hint = "Give every row a value for every column, null where missing"
            raise DecodingError(problem, where=f"row {number}", hint=hint)
    if len(rows) == 1:
        return JsonColumns(names, OneRow(rows[0]), 1)
    return JsonColumns(names, [list(column) for column in zip(*rows, strict=True)], len(rows))


def _refuse_nested(found: JsonColumns, needed: Sequence[str]) -> None:
    columns = found.columns
    cells = columns.cells if isinstance(columns, OneRow) else chain.from_iterable(columns)
    if _NESTED.keys().isdisjoint(map(type, cells)):
        return
    numbers = [str(number) for number in range(1, len(found.columns) + 1)]
    names = found.names or (needed if len(needed) == len(numbers) else numbers)
    violations = [
        Violation(
            name,
            f"{_NESTED[type(cell)]} stands where a single value is expected",
            row,
            row_place(row),
        )
        for name, cells in zip(names, found.columns, strict=True)
        for row, cell in enumerate(cells)
        if type(cell) in _NESTED
    ]
    raise SchemaError(violations, hint=SHAPES)
