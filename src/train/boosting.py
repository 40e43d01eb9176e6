"""Feature matrix to booster: how many rounds, chosen on rows that were left out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit

from sagetree.cores import usable_cores
from sagetree.errors import DataError, SettingsError
from sagetree.features.pipeline import FeaturePipeline
from sagetree.label import Labels
from sagetree.program import LOG
from train.metrics import is_maximized
from train.progress import Progress, last_values, metric_line
from train.settings import DEFAULT_FOLDS, Boosting

# From here on one hold-out says as much as folds, in a fifth of the time.
HOLD_OUT_ROWS = 200_000
HOLD_OUT_SHARE = 0.1

# With fewer cells a round is so short that threads wait for each other longer
# than they work: one of them is up to five times faster (5000 rows, 30 columns).
THREADED_CELLS = 1_000_000

# What XGBoost puts before its messages: the time and a line of its source.
_XGBOOST_PLACE = re.compile(r"^\[[0-9:]+\] \S+:\d+: (Check failed: .*?: )?")

Matrix = NDArray[np.float32]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Rounds:
    """How many rounds were found best, and how the rows left out fared.

    `labels` and `scores` are of the rows left out (n); `metrics` holds the
    value of each metric at the best round, `deviations` its standard deviation
    over folds (empty without folds); `rows` says in words which rows these are.
    """

    best: int
    labels: Labels
    scores: Matrix
    metrics: Mapping[str, float]
    deviations: Mapping[str, float]
    rows: str


@dataclass(frozen=True)
class Examples:
    """Rows to learn from or to choose on: features (n, m) and labels (n)."""

    matrix: Matrix
    labels: Labels


class Fitter:
    """Fits boosters with fixed settings on matrices of one pipeline."""

    def __init__(self, settings: Boosting, features: FeaturePipeline) -> None:
        self.settings = settings
        self.names = list(features.safe_names)
        self.types = list(features.types)
        self.feature_weights = settings.constraints.feature_weights(features)
        self.params: dict[str, Any] = {
            **settings.params,
            **settings.constraints.params(features),
            "eval_metric": list(settings.metrics),
        }

    def fit(self, train: Examples, validation: Examples | None) -> tuple[xgboost.Booster, Rounds]:
        """Return the booster, cut at its best round, and how that round was chosen.

        With validation rows they choose the rounds; else cross-validation does,
        or from 200 000 rows on a hold-out, and all rows are fitted afterwards.
        """
        self.params.setdefault("nthread", _threads(train))
        try:
            if validation is not None:
                return self._fit_watched(train, validation, "the validation channel")
            if self.settings.nfold or len(train.labels) <= HOLD_OUT_ROWS:
                rounds = self._cross_validate(train)
            else:
                rounds = self._hold_out(train)
            return self._fit_all(train, rounds.best), rounds
        except xgboost.core.XGBoostError as error:
            reason = _XGBOOST_PLACE.sub("", str(error).strip()).splitlines()[0]
            raise SettingsError(
                f"XGBoost refuses the training: {reason}",
                hint="Change the hyperparameter it names",
            ) from error

    def _data(self, examples: Examples) -> xgboost.DMatrix:
        return xgboost.DMatrix(
            examples.matrix,
            examples.labels,
            feature_names=self.names,
            feature_types=self.types,
            feature_weights=self.feature_weights,
            enable_categorical=True,
            nthread=self.params["nthread"],
        )

    def _stopping(self, rows: str) -> list[xgboost.callback.TrainingCallback]:
        if not self.settings.patience:
            return []
        return [
            xgboost.callback.EarlyStopping(
                rounds=self.settings.patience,
                metric_name=self.settings.stopping_metric,
                data_name=rows,
                maximize=is_maximized(self.settings.stopping_metric),
            )
        ]

    def _fit_all(self, train: Examples, rounds: int) -> xgboost.Booster:
        LOG.info("Fitting all %d rows for %d rounds", len(train.labels), rounds)
        return xgboost.train(self.params, self._data(train), rounds)

    def _fit_watched(
        self, train: Examples, watched: Examples, rows: str
    ) -> tuple[xgboost.Booster, Rounds]:
        history: dict[str, Any] = {}
        data = self._data(watched)
        limit = self.settings.rounds
        booster = xgboost.train(
            self.params,
            own := self._data(train),
            limit,
            evals=[(own, "train"), (data, "validation")],
            evals_result=history,
            verbose_eval=False,
            callbacks=[Progress(limit), *self._stopping("validation")],
        )
        best = booster.best_iteration + 1 if self.settings.patience else limit
        booster = booster[:best]
        metrics = last_values(
            {r: {m: v[:best] for m, v in ms.items()} for r, ms in history.items()}
        )
        scores = booster.predict(data)
        _tell_choice(best, metrics, rows)
        return booster, Rounds(best, watched.labels, scores, metrics, {}, rows)

    def _hold_out(self, train: Examples) -> Rounds:
        split = StratifiedShuffleSplit(1, test_size=HOLD_OUT_SHARE, random_state=self.settings.seed)
        inside, outside = next(split.split(train.labels, train.labels))
        rows = f"a hold-out of {HOLD_OUT_SHARE:.0%} of train"
        return self._fit_watched(_take(train, inside), _take(train, outside), rows)[1]

    def _cross_validate(self, train: Examples) -> Rounds:
        folds = self._folds(train.labels)
        left_out = _Folds()
        limit = self.settings.rounds
        history: Any = xgboost.cv(
            self.params,
            self._data(train),
            limit,
            folds=folds,
            as_pandas=False,
            seed=self.settings.seed,
            callbacks=[Progress(limit), *self._stopping("test"), left_out],
        )
        best = left_out.folds[0].bst.best_iteration + 1 if self.settings.patience else limit
        at_best = {_key(key): float(values[best - 1]) for key, values in history.items()}
        metrics = {key: v for (key, kind), v in at_best.items() if kind == "mean"}
        deviations = {key: v for (key, kind), v in at_best.items() if kind == "std"}
        scores = np.empty(len(train.labels), np.float32)
        for (_, outside), fold in zip(folds, left_out.folds, strict=True):
            scores[outside] = fold.bst.predict(fold.dtest, iteration_range=(0, best))
        rows = f"the rows left out by {len(folds)}-fold cross-validation"
        _tell_choice(best, metrics, rows)
        return Rounds(best, train.labels, scores, metrics, deviations, rows)

    def _folds(self, labels: Labels) -> list[tuple[Rows, Rows]]:
        """Return (rows inside, rows left out) of each fold.

        Not stratified, these are the folds xgboost.cv makes for the same seed.
        """
        rarest = int(np.bincount(labels.astype(np.intp), minlength=2).min())
        nfold = self.settings.nfold or max(2, min(DEFAULT_FOLDS, rarest))
        if rarest < nfold:
            raise DataError(
                f"the rarer label has {rarest} rows, too few for {nfold} folds",
                where="channel train",
                hint="Add rows of it, lower nfold, or give a validation channel",
            )
        if self.settings.stratified:
            split = StratifiedKFold(nfold, shuffle=True, random_state=self.settings.seed)
            return list(split.split(labels, labels))
        order = np.random.RandomState(self.settings.seed).permutation(len(labels))
        outside = np.array_split(order, nfold)
        if any(len(set(labels[rows].tolist())) < 2 for rows in outside):
            raise DataError(
                "a fold has rows of one label only",
                where="channel train",
                hint="Set stratified=true, or another seed",
            )
        inside = [np.concatenate([*outside[:k], *outside[k + 1 :]]) for k in range(nfold)]
        return list(zip(inside, outside, strict=True))


class _Folds(xgboost.callback.TrainingCallback):
    """Keeps the boosters and rows of each fold, which xgboost.cv does not return."""

    def after_training(self, model: Any) -> Any:  # noqa: ANN401
        self.folds = model.cvfolds
        return model


def _threads(train: Examples) -> int:
    return usable_cores() if train.matrix.size >= THREADED_CELLS else 1


def _take(examples: Examples, rows: Rows) -> Examples:
    return Examples(examples.matrix[rows], examples.labels[rows])


def _key(key: str) -> tuple[str, str]:
    """Split xgboost.cv's `test-auc-mean` into our name and the statistic."""
    rows, rest = key.split("-", 1)
    metric, statistic = rest.rsplit("-", 1)
    return f"{'validation' if rows == 'test' else rows}-{metric}", statistic


def _tell_choice(best: int, metrics: Mapping[str, float], rows: str) -> None:
    LOG.info("Best round, metrics named validation on %s:", rows)
    LOG.info(metric_line(best - 1, metrics))
