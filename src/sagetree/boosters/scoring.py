"""Feature matrix to scores, and scores to reasons: the one path that predicts."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.best_rounds import Rounds, best_rounds, trees_at_once
from sagetree.boosters.calibration import Calibration
from sagetree.boosters.categories import Value, category_tables
from sagetree.boosters.explainer import Explainer
from sagetree.boosters.library import (
    MARGIN,
    VALUE,
    LibraryError,
    Matrix,
    NativeBooster,
    library_version,
)
from sagetree.boosters.shap_method import ShapMethod
from sagetree.boosters.structure import find_fault
from sagetree.errors import ArtifactError

# Rows that one thread scores at a time. Fewer than twice as many go to one
# thread: handing them out would cost more than it saves.
ROWS_PER_TASK = 1000

Scores = NDArray[np.float32]

# XGBoost's messages begin with the time and a place in its own source.
PLACE = re.compile(r"^\[[\d:]+\] \S+: ")

# The values in a leaf, of the first tree: in JSON and in UBJSON.
_LEAF_SIZE = re.compile(
    rb'size_leaf_vector(?:"\s*:\s*"|S(?:L.{8}|l.{4}|I..|[iU].))(\d{1,9})', re.DOTALL
)

# The key of their values since XGBoost 3.2, in JSON and in UBJSON: a feature may be called so.
_NEW_LEAVES = re.compile(rb'"leaf_weights"\s*:\s*\[|leaf_weights\[')

# Objectives whose score is a label: an ensemble takes the most frequent one.
_VOTING = frozenset({"multi:softmax", "binary:hinge"})


@dataclass(frozen=True)
class Scorer:
    """One booster, or an ensemble that answers with its mean, that only predicts.

    `feature_count` is the width of its matrix, `outputs` the number of values
    it gives for a row, `objective` XGBoost's name of what was learnt; `threads`
    share the rows of a large matrix. Of a model of somebody's, `stored_rounds` are
    those in its file or files, and `categories` what codes mean, by feature. Scores,
    of one output, are as `calibration` makes them; margins and contributions are not.
    """

    boosters: tuple[NativeBooster, ...]
    explainers: tuple[Explainer, ...]
    feature_count: int
    outputs: int
    objective: str
    linear: bool
    threads: int = 1
    stored_rounds: tuple[int, ...] = ()
    categories: Mapping[int, tuple[Value, ...]] = field(default_factory=dict)
    calibration: Calibration | None = None

    @classmethod
    def load(
        cls,
        *models: bytes,
        threads: int = 1,
        shap: ShapMethod = "sagetree",
        name: str = "xgboost-model",
        rounds: Rounds | None = None,
        calibration: Calibration | None = None,
    ) -> "Scorer":
        """Build the boosters from XGBoost's UBJSON or JSON; `name` is the file's, for errors.

        `rounds` are those that predict of a model of somebody's; a model in a bundle
        (None) holds no others, and no categories. Never call it in a process that
        forks afterwards: the child would hang. Raises ArtifactError for bytes
        XGBoost cannot read, and for models that cannot answer together.
        """
        boosters = tuple(_load(model, name) for model in models)
        stored: tuple[int, ...] = ()
        tables: list[Mapping[int, tuple[Value, ...]]] = [{}]
        if rounds:
            with _readable(name):
                tables = [category_tables(booster) for booster in boosters]
            stored = tuple(booster.rounds for booster in boosters)
        if rounds == "best":
            for booster in boosters:
                _keep_best(booster, name)
        with _readable(name):
            found = [_traits(booster) for booster in boosters]
        if any(traits != found[0] for traits in found) or any(t != tables[0] for t in tables):
            raise ArtifactError(
                "the models of the ensemble differ in features, categories, outputs or objective",
                where=name,
                hint="Put only models of one training job together",
            )
        features, outputs, *_ = found[0]
        for booster in boosters:
            _check_names(booster, features, name)
        explainers = tuple(Explainer(booster, outputs, shap) for booster in boosters)
        return cls(boosters, explainers, *found[0], threads, stored, tables[0], calibration)

    def check_structure(self, name: str) -> None:
        """Raise ArtifactError where trees lead nowhere, or to features that are not there.

        `name` is the model's file, for the error.
        """
        for booster in self.boosters:
            try:
                fault = find_fault(booster, self.feature_count, self.outputs)
            except (LibraryError, LookupError, TypeError, ValueError) as error:
                fault = PLACE.sub("", str(error))
            if fault:
                raise ArtifactError(
                    f"the model is damaged: {fault}",
                    where=name,
                    hint="Copy it again, or save it again with Booster.save_model",
                )

    def score(self, matrix: Matrix, base_margin: Scores | None = None) -> Scores:
        """Return the predictions of each row of `matrix` (n, feature_count): float32.

        They are of shape (n), or (n, outputs) where there are several. Rows start
        from `base_margin`, of the same shape, in place of the model's base_score.
        """
        scores = self._combined(matrix, VALUE, base_margin)
        return scores if self.calibration is None else self.calibration(scores)

    def margin(self, matrix: Matrix, base_margin: Scores | None = None) -> Scores:
        """Return the predictions before transformation and calibration, as `score` does."""
        return self._combined(matrix, MARGIN, base_margin)

    def contributions(
        self, matrix: Matrix, base_margin: Scores | None = None
    ) -> NDArray[np.float32]:
        """Return exact SHAP values (n, feature_count + 1); the last column is the base value.

        With several outputs the shape is (n, outputs, feature_count + 1). They
        add up to the row's margin (of an ensemble: to the mean of its margins). A
        row's `base_margin`, as of `score`, is in its base value, as XGBoost has
        it; the model's own base_score must be neutral then.
        """
        found = [
            self._by_rows(explainer.contributions, matrix, base_margin)
            for explainer in self.explainers
        ]
        values = found[0] if len(found) == 1 else np.mean(found, axis=0)
        result: NDArray[np.float32] = values[:, 0] if values.shape[1] == 1 else values
        return result

    @property
    def rounds(self) -> tuple[int, ...]:
        """The boosting rounds that predict, of each booster."""
        return tuple(booster.rounds for booster in self.boosters)

    @property
    def explains(self) -> bool:
        """Whether there are contributions: not of every kind of trees in every XGBoost."""
        return all(explainer.is_possible for explainer in self.explainers)

    @property
    def is_explained_by_library(self) -> bool:
        """Whether contributions are computed by XGBoost, not here."""
        return any(explainer.is_librarys for explainer in self.explainers)

    @property
    def explains_at_once(self) -> bool:
        """Whether the next contributions take no preparation, as the first ones do."""
        return all(explainer.is_ready for explainer in self.explainers)

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """The stored names of the features; () where the model knows none."""
        return self.boosters[0].feature_info("feature_name")

    @cached_property
    def quantiles(self) -> tuple[float, ...]:
        """The quantiles it predicts, in the order of the outputs; () where it predicts none."""
        parameters = self.boosters[0].config()["objective"].get("quantile_loss_param")
        if not isinstance(parameters, dict):
            return ()
        return tuple(map(float, json.loads(parameters["quantile_alpha"])))

    def _combined(self, matrix: Matrix, kind: int, base_margin: Scores | None) -> Scores:
        values = [
            self._by_rows(partial(self._predict, booster, kind), matrix, base_margin)
            for booster in self.boosters
        ]
        if len(values) == 1:
            result = values[0]
        elif kind == VALUE and self.objective in _VOTING:
            result = most_frequent(np.stack(values))
        else:
            result = np.mean(values, axis=0, dtype=np.float32)
        return result[:, 0] if result.shape[1] == 1 else result

    def _by_rows(
        self,
        predict: Callable[[Matrix, Matrix | None], Matrix],
        matrix: Matrix,
        base_margin: Scores | None,
    ) -> Matrix:
        """Predict all rows; a large matrix in parts on several threads, with equal results.

        The library's own threads would also be taken for a single row, and make
        the slowest small requests ten times slower.
        """
        rows = np.ascontiguousarray(matrix, np.float32)
        if base_margin is not None:
            base_margin = np.ascontiguousarray(base_margin, np.float32).reshape(len(rows), -1)
        tasks = min(self.threads, len(rows) // ROWS_PER_TASK)
        if tasks < 2:
            return predict(rows, base_margin)
        parts = np.array_split(rows, tasks)
        margins: Iterable[Matrix | None] = (
            repeat(None) if base_margin is None else np.array_split(base_margin, tasks)
        )
        return np.concatenate(list(self._pool.map(predict, parts, margins)))

    def _predict(
        self, booster: NativeBooster, kind: int, rows: Matrix, base_margin: Matrix | None
    ) -> Matrix:
        # a linear model cannot read a matrix in place
        if self.linear or base_margin is not None:
            return booster.predict(rows, kind, base_margin)
        return booster.predict_in_place(rows, kind)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads, thread_name_prefix="score")


def _load(model: bytes, name: str) -> NativeBooster:
    # XGBoost reads on behind the end of a model that is cut off, and aborts on an empty one.
    if not (model.startswith(b"{") and model.rstrip().endswith(b"}")):
        raise _unreadable(name, "it is cut off, or is not a model in UBJSON or JSON")
    if _has_old_leaves(model):
        raise ArtifactError(
            f"its leaves have several values (multi_output_tree), and XGBoost {library_version()} "
            "cannot read those that a version before 3.2 saved",
            where=name,
            hint="Train it again with XGBoost 3.2 or newer, or without multi_strategy",
        )
    with _readable(name):
        return NativeBooster(model)


def _has_old_leaves(model: bytes) -> bool:
    """Say whether leaves of several values stand where XGBoost 3.2 and newer do not look."""
    found = _LEAF_SIZE.search(model)
    return found is not None and int(found[1]) > 1 and not _NEW_LEAVES.search(model)


def _traits(booster: NativeBooster) -> tuple[int, int, str, bool]:
    """Return feature count, outputs, objective and whether it is linear."""
    learner = booster.config()
    parameters = learner["learner_model_param"]
    classes, targets = int(str(parameters["num_class"])), int(str(parameters["num_target"]))
    objective = str(learner["objective"]["name"])
    linear = learner["gradient_booster"]["name"] == "gblinear"
    return booster.feature_count, max(classes, targets, 1), objective, linear


def _keep_best(booster: NativeBooster, name: str) -> None:
    """Forget the rounds after the best one, if it is known; a linear model's are all needed."""
    try:
        at_once = trees_at_once(booster.config()["gradient_booster"])
        if at_once is None:
            return
        best = best_rounds(booster.attribute, booster.rounds, at_once)
        if best is not None and best < booster.rounds:
            booster.keep_rounds(best)
    except (LibraryError, KeyError, ValueError) as error:
        raise ArtifactError(
            f"XGBoost cannot drop the rounds after its best one: {PLACE.sub('', str(error))}",
            where=name,
            hint="Have all rounds predict with SAGETREE_ROUNDS=all, or train it again with "
            "EarlyStopping(save_best=True)",
        ) from error


def _check_names(booster: NativeBooster, features: int, name: str) -> None:
    with _readable(name):
        stored = len(booster.feature_info("feature_name"))
    if stored not in (0, features):
        raise ArtifactError(
            f"it has {features} features and {stored} names of features",
            where=name,
            hint="Set its feature_names to one name for each feature, and save it again",
        )


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Let what is read of a model here, and is not as the library writes it, name its file."""
    try:
        yield
    except (LibraryError, LookupError, TypeError, ValueError) as error:
        raise _unreadable(name, PLACE.sub("", str(error))) from error


def _unreadable(name: str, reason: str) -> ArtifactError:
    return ArtifactError(
        f"XGBoost cannot read the model: {reason}",
        where=name,
        hint="Save it with Booster.save_model, by an XGBoost that is not newer than "
        f"{library_version()}",
    )


def most_frequent(votes: Matrix) -> Matrix:
    """Return the most frequent value over the models (models, n, 1); of a tie the least."""
    values = np.unique(votes)
    counts = (votes[..., None] == values).sum(axis=0)
    chosen: Matrix = values[counts.argmax(axis=-1)]
    return chosen
