"""A flow's nodes to steps: which operators, with which parameters, are known here."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sagetree.prepare.flow.document import Node, shown
from sagetree.prepare.flow.encoders import OneHotEncode, OrdinalEncode
from sagetree.prepare.flow.fitted import FittedError, read_fitted
from sagetree.prepare.flow.pandas_code import LowerTexts, ReplaceTexts, read_code
from sagetree.prepare.flow.relation import Kind
from sagetree.prepare.flow.steps import (
    Cast,
    CastAll,
    Drop,
    FlowStep,
    FormatText,
    LowerAll,
    Now,
    Replace,
)

# What Data Wrangler removes where a step names no symbols.
_SYMBOLS = "!@#$%^&*()_+=-/\\`~{}|<>?"

_P = TypeVar("_P", bound=BaseModel)

_SCHEMA = TypeAdapter(dict[str, Kind])


class UnknownError(Exception):
    """A node that is not known here; the text says what of it."""


class _Parameters(BaseModel):
    """Parameters of an operator: one that is not named here is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _alone(value: object) -> object:
    """Return the one item of a list: later versions of Data Wrangler write columns so."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


class _TextParameters(_Parameters):
    input_column: str
    output_column: str | None = None
    symbols: str | None = None


class _OneHotParameters(_Parameters):
    input_column: str
    output_column: str | None = None
    invalid_handling_strategy: Literal["Keep", "Error"] = "Error"
    drop_last: bool = True
    output_style: Literal["Columns"]
    input_already_ordinal_encoded: Literal[False] | None = None


class _OrdinalParameters(_Parameters):
    input_column: str
    output_column: str | None = None
    invalid_handling_strategy: Literal["Keep", "Replace with NaN", "Error"] = "Error"


class _CastParameters(_Parameters):
    column: str
    original_data_type: str | None = None
    data_type: Literal["long", "float", "string", "bool"]
    non_castable_data_handling_method: Literal["replace_null"] = "replace_null"
    replace_value: object = None
    date_formatting: object = None


class _DropParameters(_Parameters):
    column_to_drop: str | list[str] = Field(min_length=1)


class _CodeParameters(_Parameters):
    code: str


class _Foreign(BaseModel):
    """A part of a flow that is not read completely."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _SourceContext(_Foreign):
    s3HasHeader: Literal[True] = True  # noqa: N815 - as Data Wrangler writes it


class _SourceDefinition(_Foreign):
    s3ExecutionContext: _SourceContext  # noqa: N815


class _SourceParameters(_Foreign):
    dataset_definition: _SourceDefinition


def check_source(node: Node) -> None:
    """Raise UnknownError for a source that is not a file with a header."""
    if (node.type, node.operator) != ("SOURCE", "sagemaker.s3_source_0.1"):
        raise UnknownError
    _checked(_SourceParameters, node.parameters)


def read_step(node: Node) -> FlowStep:
    """Return the step that a node is. Raises UnknownError."""
    reader = _READERS.get(node.operator)
    if node.type != "TRANSFORM" or reader is None or len(node.inputs) != 1:
        raise UnknownError
    return reader(node)


def _checked(kind: type[_P], parameters: object) -> _P:
    try:
        return kind.model_validate(parameters)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        value = "" if first["type"] == "missing" else f" {shown(first['input'])}"
        raise UnknownError(f"{name}{value}") from error


def _chosen(node: Node) -> tuple[str, Mapping[str, Any], object]:
    """Return which of an operator's ways a node takes, its parameters, and the fitted state."""
    way = str(node.parameters.get("operator"))
    name = "_".join(way.lower().replace("-", " ").split()) + "_parameters"
    given = node.parameters.get(name)
    given = given if isinstance(given, dict) else {}
    parameters = {key: _alone(value) for key, value in given.items() if value not in (None, [])}
    return way, parameters, (node.trained_parameters or {}).get(name)


def _infer_types(node: Node) -> FlowStep:
    schema = (node.trained_parameters or {}).get("schema")
    if not schema:
        raise UnknownError("it holds no types: run the flow once in Data Wrangler, and save it")
    try:
        return CastAll(_SCHEMA.validate_python(schema))
    except ValidationError as error:
        raise UnknownError(f"type {shown(error.errors()[0]['input'])}") from error


def _pandas(node: Node) -> FlowStep:
    code = _checked(_CodeParameters, node.parameters).code
    known = read_code(code)
    if known is None:
        lines = [line for line in code.splitlines() if line.strip()[:1] not in ("", "#")]
        raise UnknownError(f"code {shown(lines[0] if lines else '')}")
    if isinstance(known, LowerTexts):
        return LowerAll()
    if isinstance(known, ReplaceTexts):
        return Replace(known.column, known.values)
    return Now(known.column)


def _format_text(node: Node) -> FlowStep:
    way, given, _ = _chosen(node)
    if way not in ("Lower case", "Remove symbols"):
        raise UnknownError(way)
    found = _checked(_TextParameters, given)
    removed = None if way == "Lower case" else found.symbols or _SYMBOLS
    return FormatText(found.input_column, found.output_column or found.input_column, removed)


def _encode(node: Node) -> FlowStep:
    way, given, state = _chosen(node)
    if way == "One-hot encode":
        one = _checked(_OneHotParameters, given)
        if one.drop_last and one.invalid_handling_strategy != "Keep":
            raise UnknownError("drop_last True")  # with Keep it is the unknown that is dropped
        categories = _categories(state, one.input_column)
        output = one.output_column or one.input_column
        return OneHotEncode(one.input_column, output, categories, one.invalid_handling_strategy)
    if way == "Ordinal encode":
        order = _checked(_OrdinalParameters, given)
        categories = _categories(state, order.input_column)
        output = order.output_column or order.input_column
        return OrdinalEncode(
            order.input_column, output, categories, order.invalid_handling_strategy
        )
    raise UnknownError(way)


def _categories(state: object, column: str) -> tuple[str, ...] | None:
    packed = state.get("string_indexer_model") if isinstance(state, dict) else None
    if packed is None:
        return None
    try:
        fitted = read_fitted(str(packed))
    except FittedError as error:
        raise UnknownError(str(error)) from error
    if fitted.column != column:
        raise UnknownError(f"it is fitted on {shown(fitted.column)}, and encodes {shown(column)}")
    return fitted.categories


def _cast(node: Node) -> FlowStep:
    given = {key: _alone(value) for key, value in node.parameters.items() if value is not None}
    found = _checked(_CastParameters, given)
    return Cast(found.column, found.data_type)


def _manage(node: Node) -> FlowStep:
    way, given, _ = _chosen(node)
    if way != "Drop column":
        raise UnknownError(way)
    dropped = _checked(_DropParameters, given).column_to_drop
    return Drop((dropped,) if isinstance(dropped, str) else tuple(dropped))


_READERS: Mapping[str, Callable[[Node], FlowStep]] = {
    "sagemaker.spark.infer_and_cast_type_0.1": _infer_types,
    "sagemaker.spark.custom_pandas_0.1": _pandas,
    "sagemaker.spark.format_string_0.1": _format_text,
    "sagemaker.spark.encode_categorical_0.1": _encode,
    "sagemaker.spark.cast_single_data_type_0.1": _cast,
    "sagemaker.spark.manage_columns_0.1": _manage,
}


def with_named_later(steps: Sequence[FlowStep]) -> Sequence[FlowStep]:
    """Return the steps, one-hot columns that only later steps name among the fitted ones.

    A flow's state may be older than its steps: Data Wrangler fitted anew where it
    did not hold the state for its own. Which categories there then were is
    what the later steps say.
    """
    made = {column for step in steps for column in _made(step)}
    found: list[FlowStep] = []
    for index, step in enumerate(steps):
        changed = step
        if isinstance(step, OneHotEncode) and step.categories is not None:
            start = f"{step.output}_"
            named = dict.fromkeys(name for later in steps[index:] for name in _named(later))
            new = [name for name in named if name.startswith(start) and name not in made]
            more = tuple(name.removeprefix(start) for name in new)
            made |= {*new}
            changed = OneHotEncode(step.column, step.output, step.categories + more, step.unseen)
        found.append(changed)
    return found


def _made(step: FlowStep) -> Sequence[str]:
    if isinstance(step, CastAll):
        return [*step.kinds]
    if isinstance(step, OneHotEncode):
        return [f"{step.output}_{name}" for name in step.categories or ()]
    if isinstance(step, FormatText | OrdinalEncode):
        return [step.output]
    return [step.column] if isinstance(step, Now) else []


def _named(step: FlowStep) -> Sequence[str]:
    if isinstance(step, Cast):
        return [step.column]
    return step.columns if isinstance(step, Drop) else []
