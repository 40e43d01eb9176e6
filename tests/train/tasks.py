"""Small tables for every task: what is learnt, and the job that learns it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import xgboost

HAS_EXPECTILES = tuple(map(int, xgboost.__version__.split(".")[:2])) >= (3, 4)

ROWS = 120


@dataclass(frozen=True)
class Case:
    """A channel's columns, and the hyperparameters that learn one of them."""

    columns: Mapping[str, list[object]]
    hyperparameters: Mapping[str, object] = field(default_factory=dict)

    def csv(self, rows: slice = slice(None)) -> str:
        """The table as a CSV file with a header."""
        lines = [",".join(self.columns)]
        cells = zip(*(values[rows] for values in self.columns.values()), strict=True)
        return "\n".join([*lines, *(",".join(map(str, row)) for row in cells)]) + "\n"


_RANDOM = np.random.default_rng(5)
_X = _RANDOM.normal(size=ROWS).round(3)
_NOISE = _RANDOM.normal(size=ROWS).round(3)
_KIND = [str(kind) for kind in _RANDOM.choice(["a", "b", "N/A"], ROWS)]
FEATURES: dict[str, list[object]] = {"x": _X.tolist(), "noise": _NOISE.tolist(), "kind": [*_KIND]}

_VALUE = (2 * _X + (np.array(_KIND) == "a") + _NOISE / 4).round(3)
_BOTH = (_VALUE > 0).astype(int)
_THREE = np.digitize(_VALUE, [-1, 1])
_TIME = np.exp(_VALUE / 2).round(3)
_LATER = [str(t) if n < 0.5 else "" for t, n in zip(_TIME, _NOISE, strict=True)]


def case(label: Mapping[str, list[object]], **hyperparameters: object) -> Case:
    """Return a case whose label columns come first."""
    return Case({**label, **FEATURES}, hyperparameters)


def _of(values: np.ndarray, objective: str, **more: object) -> Case:
    return case({"y": values.tolist()}, objective=objective, **more)


# The words of three classes, out of their order.
WORDS = ["low", "mid", "high"]

CASES: dict[str, Case] = {
    "binary:logistic": _of(_BOTH, "binary:logistic"),
    "binary:logitraw": _of(_BOTH, "binary:logitraw"),
    "binary:hinge": _of(_BOTH, "binary:hinge"),
    "multi:softprob": case({"y": [WORDS[n] for n in _THREE]}, objective="multi:softprob"),
    "multi:softmax": _of(_THREE, "multi:softmax", num_class=3),
    "reg:squarederror": _of(_VALUE, "reg:squarederror"),
    "reg:linear": _of(_VALUE, "reg:linear"),
    "reg:absoluteerror": _of(_VALUE, "reg:absoluteerror"),
    "reg:pseudohubererror": _of(_VALUE, "reg:pseudohubererror"),
    "reg:squaredlogerror": _of(_TIME, "reg:squaredlogerror"),
    "reg:logistic": _of((1 / (1 + np.exp(-_VALUE))).round(3), "reg:logistic"),
    "reg:gamma": _of(_TIME, "reg:gamma"),
    "reg:tweedie": _of(np.maximum(_VALUE, 0), "reg:tweedie", tweedie_variance_power=1.4),
    "count:poisson": _of(np.floor(_TIME).astype(int), "count:poisson"),
    "reg:quantileerror": _of(_VALUE, "reg:quantileerror", quantile_alpha="[0.1, 0.5, 0.9]"),
    "one quantile": _of(_VALUE, "reg:quantileerror", quantile_alpha=0.5),
    "rank:ndcg": case(
        {"y": _THREE.tolist(), "query": [f"q{n // 8}" for n in range(ROWS)]},
        objective="rank:ndcg",
        group_column="query",
    ),
    "rank:pairwise": case(
        {"y": _THREE.tolist(), "query": [n // 8 for n in range(ROWS)]},
        objective="rank:pairwise",
        group_column="query",
    ),
    "rank:map": case(
        {"y": _BOTH.tolist(), "query": [n // 8 for n in range(ROWS)]},
        objective="rank:map",
        group_column="query",
    ),
    "survival:aft": case(
        {"from": _TIME.tolist(), "to": [*_LATER]},
        objective="survival:aft",
        label_lower_bound="from",
        label_upper_bound="to",
    ),
    "exact times": _of(_TIME, "survival:aft"),
    "survival:cox": _of(np.where(_NOISE < 0.5, _TIME, -_TIME), "survival:cox"),
}
if HAS_EXPECTILES:
    CASES["reg:expectileerror"] = _of(_VALUE, "reg:expectileerror", expectile_alpha=0.8)
