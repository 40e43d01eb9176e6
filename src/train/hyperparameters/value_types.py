"""The types of hyperparameters: text to value, and how SageMaker describes each.

A value is data. Nothing here evaluates a text, whatever the official
container does with Python tuples.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from sagetree.decisions.rules import ALLOWED_RULES, parse_rule

Value = Any  # what a hyperparameter's own type makes of the text

# The four types of SageMaker's HyperParameterSpecification.
SageMakerType = Literal["Integer", "Continuous", "Categorical", "FreeText"]

# Of one trial there would be nothing to choose.
LEAST_TRIALS = 2

# SageMaker's ranges have two ends; where ours have none, XGBoost's types end.
LARGEST_INTEGER = 2**31 - 1
LARGEST_REAL = 3.4e38


class ParameterError(ValueError):
    """A text is not a value of the hyperparameter; says what is allowed."""


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


@dataclass(frozen=True)
class Text:
    """Any text but the empty one."""

    allowed: str
    sagemaker: SageMakerType = "FreeText"

    def parse(self, text: str) -> Value:
        """Return the value of `text`. Raises ParameterError."""
        if not text:
            raise ParameterError(self.allowed)
        return text

    def range(self) -> Mapping[str, object] | None:
        """Return SageMaker's ParameterRange of this type, None if it has none."""
        return None


@dataclass(frozen=True)
class TuningMetric(Text):
    """A metric as tuning jobs name it, of validation rows."""

    allowed: str = "validation: and a metric, such as validation:auc"

    def parse(self, text: str) -> Value:
        """Return the metric. Raises ParameterError."""
        metric = text.removeprefix("validation:")
        if not metric or ":" in metric:
            raise ParameterError(self.allowed)
        return metric


@dataclass(frozen=True)
class DecisionRule(Text):
    """A rule by which the threshold is chosen."""

    allowed: str = f"one of {ALLOWED_RULES}"

    def parse(self, text: str) -> Value:
        """Return the rule. Raises ParameterError."""
        try:
            return parse_rule(text)
        except ValueError:
            raise ParameterError(self.allowed) from None


@dataclass(frozen=True)
class Budget:
    """How long a search goes on: a number of trials, or of seconds."""

    trials: int | None = None
    seconds: int | None = None


_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True)
class SearchBudget(Text):
    """A number of trials, or a time."""

    allowed: str = "a number of trials from 2, such as 30, or a time such as 90s, 20m or 2h"

    def parse(self, text: str) -> Value:
        """Return the budget. Raises ParameterError."""
        found = re.fullmatch(r"([0-9]{1,9})([smh]?)", text)
        number = int(found[1]) if found else 0
        if found and found[2] and number:
            return Budget(seconds=number * _SECONDS[found[2]])
        if not found or found[2] or number < LEAST_TRIALS:
            raise ParameterError(self.allowed)
        return Budget(trials=number)


@dataclass(frozen=True)
class Integer:
    """A whole number in a range, both ends included."""

    low: int
    high: int | None = None
    sagemaker: SageMakerType = "Integer"

    @property
    def allowed(self) -> str:
        """What it takes, in words."""
        return f"a whole number from {self.low}" + ("" if self.high is None else f" to {self.high}")

    def parse(self, text: str) -> Value:
        """Return the number `text` spells, also as 3.0. Raises ParameterError."""
        try:
            number = float(text)
        except ValueError:
            raise ParameterError(self.allowed) from None
        too_high = self.high is not None and number > self.high
        if not number.is_integer() or number < self.low or too_high:
            raise ParameterError(self.allowed)
        return int(number)

    def range(self) -> Mapping[str, object]:
        """Return SageMaker's IntegerParameterRangeSpecification."""
        high = LARGEST_INTEGER if self.high is None else self.high
        ends = {"MinValue": str(self.low), "MaxValue": str(high)}
        return {"IntegerParameterRangeSpecification": ends}


@dataclass(frozen=True)
class Real:
    """A finite number in a range; `above` leaves `low` itself out, `below` leaves `high` out."""

    low: float | None = None
    high: float | None = None
    above: bool = False
    below: bool = False
    sagemaker: SageMakerType = "Continuous"

    @property
    def allowed(self) -> str:
        """What it takes, in words."""
        low = "" if self.low is None else f"{'above' if self.above else 'from'} {self.low:g}"
        high = "" if self.high is None else f"{'below' if self.below else 'to'} {self.high:g}"
        joined = " and ".join if self.above and self.below else " ".join
        return " ".join(["a number", joined(filter(None, [low, high]))]).strip()

    def parse(self, text: str) -> Value:
        """Return the number `text` spells. Raises ParameterError."""
        try:
            number = float(text)
        except ValueError:
            raise ParameterError(self.allowed) from None
        if not self._holds(number):
            raise ParameterError(self.allowed)
        return number

    def _holds(self, number: float) -> bool:
        if not abs(number) < float("inf"):
            return False
        if self.low is not None and (number <= self.low if self.above else number < self.low):
            return False
        return self.high is None or (number < self.high if self.below else number <= self.high)

    def range(self) -> Mapping[str, object]:
        """Return SageMaker's ContinuousParameterRangeSpecification."""
        low = -LARGEST_REAL if self.low is None else self.low
        high = LARGEST_REAL if self.high is None else self.high
        ends = {"MinValue": f"{low:g}", "MaxValue": f"{high:g}"}
        return {"ContinuousParameterRangeSpecification": ends}


@dataclass(frozen=True)
class Choice:
    """One of some words; `also` maps further spellings to one of them."""

    words: tuple[str, ...]
    also: tuple[tuple[str, str], ...] = ()
    sagemaker: SageMakerType = "Categorical"

    @property
    def allowed(self) -> str:
        """What it takes, in words."""
        return "one of " + ", ".join(self.words)

    def parse(self, text: str) -> Value:
        """Return the word. Raises ParameterError."""
        word = dict(self.also).get(text, text)
        if word not in self.words:
            raise ParameterError(self.allowed)
        return word

    def range(self) -> Mapping[str, object]:
        """Return SageMaker's CategoricalParameterRangeSpecification."""
        spellings = [*self.words, *(text for text, _ in self.also)]
        return {"CategoricalParameterRangeSpecification": {"Values": spellings}}


# The words of separators that a hyperparameter, stripped of spaces, cannot hold.
_BLANKS = {"tab": "\t", "space": " "}


@dataclass(frozen=True)
class Delimiter(Choice):
    """A character between cells; those that are blank by their names."""

    words: tuple[str, ...] = (",", ";", "|", *_BLANKS)
    also: tuple[tuple[str, str], ...] = (
        ("comma", ","),
        ("semicolon", ";"),
        ("pipe", "|"),
        ("\\t", "tab"),
    )

    @property
    def allowed(self) -> str:
        """What it takes, in words."""
        return "one of comma, semicolon, pipe, tab, space, or the character itself"

    def parse(self, text: str) -> Value:
        """Return the character. Raises ParameterError."""
        word = super().parse(text)
        return _BLANKS.get(word, word)


@dataclass(frozen=True)
class Flag:
    """True or false, in any case, also 1 and 0."""

    allowed: str = "true or false"
    sagemaker: SageMakerType = "Categorical"

    def parse(self, text: str) -> Value:
        """Return True or False. Raises ParameterError."""
        values = {"true": True, "1": True, "false": False, "0": False}
        if text.lower() not in values:
            raise ParameterError(self.allowed)
        return values[text.lower()]

    def range(self) -> Mapping[str, object]:
        """Return the spellings as SageMaker's CategoricalParameterRangeSpecification."""
        spellings = ["true", "false", "True", "False", "1", "0"]
        return {"CategoricalParameterRangeSpecification": {"Values": spellings}}
