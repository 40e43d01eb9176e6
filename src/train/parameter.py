"""One hyperparameter: its name, type, range, default and one line of help."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from sagetree.errors import quote

Value = Any  # what a hyperparameter's own type makes of the text


class ParameterError(ValueError):
    """A text is not a value of the hyperparameter; says what is allowed."""


@dataclass(frozen=True)
class Parameter:
    """A hyperparameter `train` knows.

    `parse` turns the text into a value and raises ParameterError; `allowed`
    says in words what it takes. `xgboost` marks those that are handed on.
    """

    name: str
    parse: Callable[[str], Value]
    allowed: str
    help: str
    aliases: tuple[str, ...] = ()
    xgboost: bool = False


def plain_text(value: object) -> str:
    """Return a value of hyperparameters.json as text, whatever client wrote it.

    SageMaker sends strings, framework estimators JSON inside of strings, local
    tools numbers.

    >>> [plain_text(v) for v in ("3", '"3"', 3, 0.5, True, ["a"], None)]
    ['3', '3', '3', '0.5', 'true', '["a"]', '']
    """
    if isinstance(value, str):
        text = value.strip()
        if text.startswith('"') and text.endswith('"') and len(text) > 1:
            try:
                return plain_text(orjson.loads(text))
            except orjson.JSONDecodeError:
                return text
        return text
    return "" if value is None else orjson.dumps(value).decode()


def integer(low: int, high: int | None = None) -> tuple[Callable[[str], int], str]:
    """Return the parser of a whole number in a range, both ends included."""
    allowed = f"a whole number from {low}" + ("" if high is None else f" to {high}")

    def parse(text: str) -> int:
        try:
            number = float(text)
        except ValueError:
            raise ParameterError(allowed) from None
        if not number.is_integer() or number < low or (high is not None and number > high):
            raise ParameterError(allowed)
        return int(number)

    return parse, allowed


def real(
    low: float | None = None, high: float | None = None, *, above: bool = False
) -> tuple[Callable[[str], float], str]:
    """Return the parser of a finite number in a range; `above` leaves `low` itself out."""
    bounds = [
        "" if low is None else f"above {low:g}" if above else f"from {low:g}",
        "" if high is None else f"to {high:g}",
    ]
    allowed = " ".join(["a number", *filter(None, bounds)])

    def parse(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise ParameterError(allowed) from None
        too_low = low is not None and (number <= low if above else number < low)
        if not abs(number) < float("inf") or too_low or (high is not None and number > high):
            raise ParameterError(allowed)
        return number

    return parse, allowed


def choice(*words: str) -> tuple[Callable[[str], str], str]:
    """Return the parser of one of some words."""
    allowed = "one of " + ", ".join(words)

    def parse(text: str) -> str:
        if text not in words:
            raise ParameterError(allowed)
        return text

    return parse, allowed


def boolean() -> tuple[Callable[[str], bool], str]:
    """Return the parser of true or false, in any case, also 1 and 0."""

    def parse(text: str) -> bool:
        values = {"true": True, "1": True, "false": False, "0": False}
        if text.lower() not in values:
            raise ParameterError("true or false")
        return values[text.lower()]

    return parse, "true or false"


def names() -> tuple[Callable[[str], tuple[str, ...]], str]:
    """Return the parser of several texts: a JSON list, or separated by commas."""
    allowed = 'names separated by commas, or a JSON list such as ["a", "b,c"]'

    def parse(text: str) -> tuple[str, ...]:
        if not text.startswith("["):
            return tuple(part.strip() for part in text.split(",")) if text else ()
        items = _json(text, allowed)
        if not isinstance(items, list) or any(isinstance(i, list | dict) for i in items):
            raise ParameterError(allowed)
        return tuple(map(plain_text, items))

    return parse, allowed


def json_object(
    allowed: str, check: Callable[[Any], bool]
) -> tuple[Callable[[str], Mapping[str, Any]], str]:
    """Return the parser of a JSON object whose every value passes `check`."""

    def parse(text: str) -> Mapping[str, Any]:
        value = _json(text, allowed)
        if not isinstance(value, dict) or not all(map(check, value.values())):
            raise ParameterError(allowed)
        return value

    return parse, allowed


def integers() -> tuple[Callable[[str], tuple[int, ...]], str]:
    """Return the parser of whole numbers: `(1,0,-1)`, `[1,0,-1]` or `1,0,-1`."""
    allowed = "whole numbers such as (1,0,-1)"

    def parse(text: str) -> tuple[int, ...]:
        try:
            return tuple(int(part) for part in text.strip("()[] ").split(",") if part.strip())
        except ValueError:
            raise ParameterError(allowed) from None

    return parse, allowed


def text_value(allowed: str) -> tuple[Callable[[str], str], str]:
    """Return the parser of any text but the empty one."""

    def parse(text: str) -> str:
        if not text:
            raise ParameterError(allowed)
        return text

    return parse, allowed


def _json(text: str, allowed: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ParameterError(f"{allowed} ({quote(text)} is no JSON: {error})") from error
