"""Real small models of any columns, for tests of what is done with a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import xgboost

from sagetree.boosters.scoring import Scorer
from sagetree.bundle.bundle import DataFingerprint, ModelBundle, SelfCheck
from sagetree.bundle.model import Model
from sagetree.decisions.decision import Decision
from sagetree.features.category import Category, OneHot, Ordinal
from sagetree.features.moment import Moment
from sagetree.features.number import Boolean, Number
from sagetree.features.pipeline import AnyFeature, FeaturePipeline
from sagetree.tables.cells import Cell, MissingValues, category_text
from sagetree.tables.label import Label
from sagetree.tables.schema import Column, Kind, Schema
from sagetree.tables.table import Source, Table

MISSING = ("?", "-1")
ROUNDS = 3


@dataclass(frozen=True)
class Field:
    """A column of a training table: its kind and its cells."""

    kind: Kind
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Trained:
    """A model as training holds it in memory, and its rows."""

    model: Model
    table: Table
    bundle: ModelBundle


def table_of(columns: Mapping[str, Sequence[Cell]]) -> Table:
    """A table with names, as a request brings it."""
    rows = len(next(iter(columns.values())))
    cells = tuple(list(cells) for cells in columns.values())
    return Table(tuple(columns), cells, rows, True, (Source(rows),))


def train(
    fields: Mapping[str, Field],
    labels: Sequence[int],
    *,
    encoding: Literal["native", "onehot"] = "native",
    unknown_category: str = "missing",
) -> Trained:
    """Fit a model of a few shallow trees as `train` would."""
    schema = Schema(
        columns=tuple(_column(name, field) for name, field in fields.items()),
        label=Label(name="fraud", negative="0", positive="1"),
        named=True,
    )
    features = FeaturePipeline(
        missing_values=MISSING,
        unknown_category=unknown_category,
        features=tuple(_feature(c, encoding) for c in schema.columns if c.is_input),
    )
    table = table_of({name: field.cells for name, field in fields.items()})
    matrix = features.transform(schema.arrange(table)).values
    data = xgboost.DMatrix(
        matrix,
        np.asarray(labels),
        feature_names=list(features.safe_names),
        feature_types=list(features.types),
        enable_categorical=True,
        nthread=1,
    )
    params = {
        "objective": "binary:logistic", "max_depth": 3, "min_child_weight": 0, "nthread": 1,
        "base_score": 0.5, "max_cat_to_onehot": 1,
    }  # fmt: skip
    booster = xgboost.train(params, data, ROUNDS)
    scorer = Scorer.load(bytes(booster.save_raw("ubj")))
    decision = Decision(threshold=0.25, chosen="by hand", precision=0.5, recall=0.75, f1=0.6)
    stored = schema.arrange(table).take(range(min(4, table.rows)))
    bundle = ModelBundle(
        models=(bytes(booster.save_raw("ubj")),),
        schema=schema,
        features=features,
        decision=decision,
        selfcheck=SelfCheck(
            columns=schema.input_names,
            rows=tuple(zip(*stored, strict=True)),
            scores=tuple(map(float, scorer.score(matrix[:4]))),
        ),
        hyperparameters={"max_depth": "3"},
        data={"train": DataFingerprint(rows=table.rows, sha256="0" * 64)},
        metrics={"auc": 0.75},
    )
    return Trained(Model(schema, features, scorer, decision), table, bundle)


def _column(name: str, field: Field) -> Column:
    declared = MissingValues.of(MISSING).texts
    found = {category_text(cell) for cell in field.cells} - declared - {None}
    categories = tuple(sorted(map(str, found)))
    listed = categories if field.kind in ("category", "ordinal") else ()
    return Column(
        name=name, kind=field.kind, missing=0, distinct=len(categories), categories=listed
    )


def _feature(column: Column, encoding: str) -> AnyFeature:
    match column.kind:
        case "number":
            return Number(column=column.name)
        case "boolean":
            return Boolean(column=column.name)
        case "datetime":
            return Moment(column=column.name)
        case "ordinal":
            return Ordinal(column=column.name, categories=column.categories)
    return {"native": Category, "onehot": OneHot}[encoding](
        column=column.name, categories=column.categories
    )


@lru_cache
def claims(encoding: Literal["native", "onehot"] = "native") -> Trained:
    """A model of the five kinds of columns and an identifier, on 200 generated rows."""
    random = np.random.default_rng(7)
    rows = 200
    states = [str(state) for state in random.choice(["CA", "N/A", "a<b", "None"], rows)]
    amounts = [float(amount) for amount in random.integers(1, 1000, rows) / 10]
    days = random.integers(0, 700, rows)
    fields = {
        "policy_id": Field("identifier", list(range(rows))),
        "amount": Field("number", amounts),
        "state [US]": Field("category", states),
        "reported": Field("boolean", [bool(value) for value in random.integers(0, 2, rows)]),
        "on": Field(
            "datetime",
            [str(np.datetime64("2024-01-01") + np.timedelta64(int(day), "D")) for day in days],
        ),
        "severity": Field("ordinal", [str(s) for s in random.choice(["1", "2", "3"], rows)]),
    }
    labels = [int(a > 50 or s == "a<b") for a, s in zip(amounts, states, strict=True)]
    return train(fields, labels, encoding=encoding)


def write_plain(path: Path, *, names: Sequence[str] | None = None, **params: object) -> Table:
    """Save a model of three numbers as XGBoost itself does; return rows it can score."""
    matrix = np.random.default_rng(3).random((50, 3), np.float32)
    data = xgboost.DMatrix(matrix, matrix[:, 0] > matrix[:, 1], feature_names=names, nthread=1)
    settings = {"objective": "binary:logistic", "nthread": 1, **params}
    booster = xgboost.train(settings, data, ROUNDS)
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = "json" if path.suffix == ".json" else "ubj"
    path.write_bytes(booster.save_raw(kind))
    columns = tuple(column.tolist() for column in matrix.T)
    return Table(("0", "1", "2"), columns, len(matrix), False, (Source(len(matrix)),))
