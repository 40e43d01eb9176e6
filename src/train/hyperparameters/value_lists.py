"""The types of hyperparameters that hold several values, and those written as JSON."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from sagetree.errors import quote
from sagetree.tables.facets import ALLOWED_FACETS, parse_facets
from sagetree.train.hyperparameters.value_types import (
    ParameterError,
    Real,
    SageMakerType,
    Text,
    Value,
    plain_text,
)


@dataclass(frozen=True)
class Names(Text):
    """Several texts: a JSON list, or separated by commas."""

    allowed: str = 'names separated by commas, or a JSON list such as ["a", "b,c"]'

    def parse(self, text: str) -> Value:
        """Return the texts as a tuple. Raises ParameterError."""
        if not text.startswith("["):
            return tuple(part.strip() for part in text.split(",")) if text else ()
        items = _json(text, self.allowed)
        if not isinstance(items, list) or any(isinstance(i, list | dict) for i in items):
            raise ParameterError(self.allowed)
        return tuple(map(plain_text, items))


@dataclass(frozen=True)
class Words:
    """Some of a list of words, separated by commas."""

    words: tuple[str, ...]
    sagemaker: SageMakerType = "FreeText"

    @property
    def allowed(self) -> str:
        """What it takes, in words."""
        return "one or several of " + ", ".join(self.words)

    def parse(self, text: str) -> Value:
        """Return the words as a tuple. Raises ParameterError."""
        given = Names().parse(text)
        if not given or not set(given) <= set(self.words):
            raise ParameterError(self.allowed)
        return given

    def range(self) -> None:
        """Return None: SageMaker has no range for several words."""


@dataclass(frozen=True)
class NumberList(Text):
    """Numbers in a range: one of them, a JSON list, or separated by commas."""

    allowed: str = "numbers such as [0.1, 0.5, 0.9]"
    each: Real = field(default_factory=Real)

    def parse(self, text: str) -> Value:
        """Return the numbers as a tuple. Raises ParameterError."""
        parts = [part.strip() for part in text.strip("()[] ").split(",")]
        try:
            return tuple(self.each.parse(part) for part in parts if part or len(parts) == 1)
        except ParameterError:
            raise ParameterError(self.allowed) from None


@dataclass(frozen=True)
class JsonObject(Text):
    """A JSON object whose every value passes `check`."""

    check: Callable[[Any], bool] = bool

    def parse(self, text: str) -> Value:
        """Return the object. Raises ParameterError."""
        value = _json(text, self.allowed)
        if not isinstance(value, dict) or not all(map(self.check, value.values())):
            raise ParameterError(self.allowed)
        return value


@dataclass(frozen=True)
class FacetList(Text):
    """The facets that are compared."""

    allowed: str = ALLOWED_FACETS

    def parse(self, text: str) -> Value:
        """Return the facets as a tuple. Raises ParameterError."""
        try:
            return parse_facets(text)
        except ValueError as error:
            raise ParameterError(f"{self.allowed} ({error})") from error


@dataclass(frozen=True)
class Monotone(Text):
    """A direction for each column in order, or for columns by name."""

    allowed: str = '-1, 0 or 1 for each column, such as {"amount": 1}, or in their order (1,0,-1)'

    def parse(self, text: str) -> Value:
        """Return column -> direction, or the tuple of all directions. Raises ParameterError."""
        if text.startswith("{"):
            named = _json(text, self.allowed)
            if isinstance(named, dict) and all(map(_is_direction, named.values())):
                return named
            raise ParameterError(self.allowed)
        try:
            numbers = [int(part) for part in text.strip("()[] ").split(",") if part.strip()]
        except ValueError:
            raise ParameterError(self.allowed) from None
        if not numbers or not all(map(_is_direction, numbers)):
            raise ParameterError(self.allowed)
        return tuple(numbers)


@dataclass(frozen=True)
class ColumnGroups(Text):
    """Groups of columns by name, or by number."""

    allowed: str = 'lists of columns such as [["amount", "kind"], ["state"]], or of their numbers'

    def parse(self, text: str) -> Value:
        """Return a tuple of groups, each all names or all numbers. Raises ParameterError."""
        groups = _json(text, self.allowed)
        if not isinstance(groups, list) or not groups or not all(map(_is_group, groups)):
            raise ParameterError(self.allowed)
        return tuple(map(tuple, groups))


def _is_direction(value: object) -> bool:
    return type(value) is int and value in (-1, 0, 1)


def _is_group(value: object) -> bool:
    if not isinstance(value, list) or not value:
        return False
    numbers = all(type(item) is int and item >= 0 for item in value)
    return numbers or all(isinstance(item, str) for item in value)


def _json(text: str, allowed: str) -> object:
    """Return what JSON says; also with the single quotes that Python's str() gives a list."""
    if "'" in text and '"' not in text:
        text = text.replace("'", '"')
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ParameterError(f"{allowed} ({quote(text)} is not JSON: {error})") from error
