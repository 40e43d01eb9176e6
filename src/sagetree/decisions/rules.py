"""The rules by which a threshold is chosen, and how they are written."""

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from sagetree.errors import quote

Amount: TypeAlias = float | str

ALLOWED_RULES = (
    "f1, precision>=0.3, recall>=0.8, alerts<=5%, or cost: miss=1200 alarm=35, each a number or "
    "the name of a column"
)
ALLOWED_DECISIONS = f"a score from 0 to 1, {ALLOWED_RULES}"

_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
_BOUND = re.compile(
    rf"(?:(precision|recall)\s*>=|(alerts)\s*<=)\s*({_NUMBER})\s*(%?)", re.IGNORECASE
)
_COST = re.compile(r"cost\s*:\s*(.+)", re.IGNORECASE | re.DOTALL)
_PART = re.compile(
    r'(miss|alarm)\s*=\s*(?:"((?:[^"]|"")+)"|([^\s,"=]+))(?:\s*,\s*|\s+|$)', re.IGNORECASE
)
_PLAIN_NAME = re.compile(r'[^\s,"=+\-.\d][^\s,"=]*')


@dataclass(frozen=True)
class GreatestF1:
    """The score with the greatest F1."""

    def __str__(self) -> str:
        return "f1"


@dataclass(frozen=True)
class LeastCost:
    """The score with the least cost: of each positive row missed, and of each false alarm.

    Both are amounts, or the names of columns that hold each row's own.
    """

    miss: Amount
    alarm: Amount

    def __str__(self) -> str:
        return f"cost: miss={_written(self.miss)} alarm={_written(self.alarm)}"


@dataclass(frozen=True)
class Bound:
    """The best score within a bound: at least a precision or recall, at most a share of alerts."""

    measure: Literal["precision", "recall", "alerts"]
    share: float

    def __str__(self) -> str:
        return f"{self.measure}{'<=' if self.measure == 'alerts' else '>='}{self.share!r}"


Rule: TypeAlias = GreatestF1 | LeastCost | Bound

# What holds where no rule is named.
F1 = GreatestF1()


def amounts_of(rule: Rule) -> dict[str, str]:
    """Return the columns that hold a rule's amounts, by `miss` and `alarm`."""
    if not isinstance(rule, LeastCost):
        return {}
    both = {"miss": rule.miss, "alarm": rule.alarm}
    return {part: name for part, name in both.items() if isinstance(name, str)}


def parse_rule(text: str) -> Rule:
    """Return the rule in a text. Raises ValueError for another text.

    >>> str(parse_rule("alerts <= 5%")), str(parse_rule("Cost: alarm=35, miss=total"))
    ('alerts<=0.05', 'cost: miss=total alarm=35')
    """
    text = text.strip()
    if text.lower() == "f1":
        return F1
    if cost := _COST.fullmatch(text):
        return _cost(cost[1])
    bound = _BOUND.fullmatch(text)
    if bound is None:
        raise ValueError(f"{quote(text)} is not one of {ALLOWED_RULES}")
    share = float(Decimal(bound[3]) / (100 if bound[4] else 1))  # 99.9% is 0.999
    if not 0 < share <= 1:
        raise ValueError(f"{quote(text)} has no share above 0 to 1, such as 0.3 or 30%")
    measure: Literal["precision", "recall", "alerts"] = "alerts"
    if bound[1]:
        measure = "precision" if bound[1].lower() == "precision" else "recall"
    return Bound(measure, share)


def parse_decision(text: str) -> float | Rule:
    """Return the threshold or the rule in a text. Raises ValueError, which says what is wrong."""
    if not re.fullmatch(rf"[-+]?{_NUMBER}", text.strip(), re.IGNORECASE):
        return parse_rule(text)
    threshold = float(text)
    if not 0 <= threshold <= 1:
        raise ValueError(f"{quote(text)} is not a score from 0 to 1")
    return threshold


def _cost(text: str) -> LeastCost:
    parts: dict[str, Amount] = {}
    place = 0
    while place < len(text):
        part = _PART.match(text, place)
        if part is None or part[1].lower() in parts:
            raise ValueError(f"{quote(text)} must be written as miss=1200 alarm=35, each once")
        parts[part[1].lower()] = part[2].replace('""', '"') if part[2] else _amount(part[3])
        place = part.end()
    if len(parts) < 2:
        lacking = "alarm" if "miss" in parts else "miss"
        raise ValueError(f"{quote(text)} lacks {lacking}, such as {lacking}=35")
    if all(amount == 0 for amount in parts.values()):
        raise ValueError(f"{quote(text)} costs nothing: give an amount above 0")
    return LeastCost(parts["miss"], parts["alarm"])


def _amount(text: str) -> Amount:
    if re.fullmatch(_NUMBER, text, re.IGNORECASE) and math.isfinite(float(text)):
        return float(text)
    if not _PLAIN_NAME.fullmatch(text):
        raise ValueError(
            f'{quote(text)} is not an amount from 0; put the name of such a column into " "'
        )
    return text


def _written(amount: Amount) -> str:
    if isinstance(amount, str):
        quoted = amount.replace('"', '""')
        return amount if _PLAIN_NAME.fullmatch(amount) else f'"{quoted}"'
    return str(int(amount)) if amount.is_integer() else repr(amount)
