"""A bundle from a booster that was trained elsewhere, such as in a user's own script.

from sagetree.export import save_booster
save_booster(booster, rows, os.environ["SM_MODEL_DIR"])
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sagetree.boosters.best_rounds import best_part
from sagetree.boosters.objectives import objective_of
from sagetree.boosters.scoring import Scorer
from sagetree.bundle.bundle import STORED_ROWS, ModelBundle, SelfCheck
from sagetree.bundle.model import Model
from sagetree.errors import ArtifactError, quote
from sagetree.features.number import Number
from sagetree.features.pipeline import FeaturePipeline
from sagetree.tables.label import AnyLabel, ClassLabel, Label, NumberLabel
from sagetree.tables.schema import Column, Schema

if TYPE_CHECKING:
    import xgboost

# Kinds of numpy's types that become numbers without being any: moments, spans and complex ones.
UNFIT = "mMc"


def save_booster(
    booster: "xgboost.Booster",
    rows: ArrayLike,
    folder: str | Path,
    *,
    label: str = "label",
    classes: Sequence[str] = (),
    all_rounds: bool = False,
) -> None:
    """Write `booster` into `folder` as a bundle that `sagetree serve` and `evaluate` take.

    `rows` (n, m) are some of those it was trained on, NaN where missing; the
    columns of a DataFrame are found by the names of the booster's features.
    `label` is the label's column, `classes` what each class is called (numbers
    if not given). Columns are called as the booster calls its features. Where it
    was stopped early the rounds up to the best one are taken, unless `all_rounds`.
    Raises ArtifactError for one with categories of XGBoost's own, for rows of another
    width, and for what is not a number.
    """
    if "c" in (booster.feature_types or ()):
        raise ArtifactError(
            "the booster has XGBoost's own categories, whose names a bundle cannot store",
            hint="Turn them into numbers, or train with sagetree train",
        )
    matrix = _matrix(rows, booster.feature_names)
    taken = booster if all_rounds else best_part(booster)
    model = bytes(taken.save_raw("ubj"))
    scorer = Scorer.load(model)
    width = scorer.feature_count
    if matrix.ndim != 2 or matrix.shape[1] != width or not len(matrix):
        raise ArtifactError(
            f"the booster has {width} features, and the rows are of shape {matrix.shape}",
            hint="Give some rows of its training matrix",
        )
    names = booster.feature_names or [f"f{index}" for index in range(width)]
    stored = matrix[:STORED_ROWS]
    bundle = ModelBundle(
        models=(model,),
        schema=Schema(
            columns=tuple(_column(name, matrix[:, i]) for i, name in enumerate(names)),
            label=_label(scorer, label, classes),
            named=booster.feature_names is not None,
            rows=len(matrix),
        ),
        features=FeaturePipeline(
            missing_values=(),
            unknown_category="missing",
            features=tuple(Number(column=name) for name in names),
        ),
        decision=None,
        selfcheck=SelfCheck(
            columns=tuple(names),
            rows=tuple(tuple(None if v != v else v for v in row) for row in stored.tolist()),
            scores=_tuples(scorer.score(stored).tolist()),
        ),
        hyperparameters={},
        data={},
        metrics={},
    )
    Model.of_bundle(bundle)
    bundle.save(Path(folder))


def _matrix(rows: ArrayLike, features: Sequence[str] | None) -> NDArray[np.float32]:
    """Return rows as the booster takes them."""
    if not hasattr(rows, "columns"):
        return _floats(rows, "")
    frame: Any = rows  # pandas' or what is like it
    by_name = {
        " ".join(map(str, name)) if isinstance(name, tuple) else str(name): name
        for name in frame.columns
    }
    if absent := [name for name in features or () if name not in by_name]:
        raise ArtifactError(
            f"the booster's feature {quote(absent[0])} is missing from the rows' columns",
            hint="Give some rows of its training matrix",
        )
    names = features or list(by_name)
    columns = [_floats(frame[by_name[name]], f"column {quote(name)}") for name in names]
    return np.column_stack(columns)


def _floats(values: Any, where: str) -> NDArray[np.float32]:  # noqa: ANN401 - pandas' or a list
    hint = "Give the numbers that the booster was trained on, NaN where missing"
    try:
        found = np.asarray(values)
        if found.dtype.kind not in UNFIT:
            return np.asarray(values, np.float32)
        problem = f"some values are of type {found.dtype}"
    except (ValueError, TypeError) as error:
        problem = f"some values are not numbers: {error}"
    raise ArtifactError(problem, where=where, hint=hint)


def _column(name: str, values: np.ndarray[tuple[int], np.dtype[np.float32]]) -> Column:
    present = values[~np.isnan(values)]
    missing, distinct = len(values) - len(present), len(np.unique(present))
    return Column(name=name, kind="number", missing=missing, distinct=distinct)


def _label(scorer: Scorer, name: str, classes: Sequence[str]) -> AnyLabel:
    objective = objective_of(scorer.objective)
    if objective.task == "binary":
        negative, positive = classes or ("0", "1")
        return Label(name=name, negative=negative, positive=positive)
    if objective.task == "multiclass":
        return ClassLabel(name=name, classes=tuple(classes or map(str, range(scorer.outputs))))
    return NumberLabel(name=name)


def _tuples(
    scores: list[float] | list[list[float]],
) -> tuple[float, ...] | tuple[tuple[float, ...], ...]:
    return tuple(tuple(s) if isinstance(s, list) else s for s in scores)  # type: ignore[return-value]
