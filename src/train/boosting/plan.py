"""How a job boosts, settled before its first round: the record that every strategy reads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from sagetree.boosters.directions import send_missing_to_most
from sagetree.boosters.objectives import Objective, objective_of
from sagetree.errors import SettingsError
from sagetree.features.category import Category
from sagetree.features.pipeline import FeaturePipeline
from sagetree.tables.schema import Schema
from sagetree.train.boosting.by_rows import (
    bins_of_wide,
    boosters_at_once,
    max_bin,
    mean_weight,
    threads_of,
    yielding,
)
from sagetree.train.boosting.dmatrix import DMatrixBuilder
from sagetree.train.boosting.folds import Splitter
from sagetree.train.boosting.rounds import CheckpointStore, evaluate_rows
from sagetree.train.examples.examples import Examples, Matrix
from sagetree.train.examples.gathered import total_rows
from sagetree.train.examples.target_statistics import Tables, TargetEncoder
from sagetree.train.hosts.group import ONE, Group
from sagetree.train.hyperparameters.eval_metrics import RoundMetrics
from sagetree.train.settings.settings import Boosting

# Objectives where a row at the share p of positives has the hessian p (1 - p).
_LOGISTIC = frozenset({"binary:logistic", "binary:logitraw", "reg:logistic"})

# Objectives whose leaves are quantiles of the labels in them, and not sums of gradients.
_ADAPTIVE = frozenset({"reg:absoluteerror", "reg:quantileerror"})


@dataclass(frozen=True)
class RunOptions:
    """What a job adds to its settings: hosts, a model to continue, checkpoints, a way to stop.

    The trees of `initial_model` come before all rounds. `checkpoints` gives those
    of a phase of this many boosters. `is_stopped` ends a phase early, and
    `check_stopped` is then given its rounds and raises if no model is to be left. The hosts
    of a `group` all get the same from these, and each has its own part of the rows to learn
    from.
    """

    initial_model: bytes | None = None
    checkpoints: Callable[[str, int], CheckpointStore | None] = lambda _phase, _boosters: None
    is_stopped: Callable[[], bool] = lambda: False
    check_stopped: Callable[[int], None] = lambda _rounds: None
    group: Group = ONE


@dataclass(frozen=True)
class BoostingPlan:
    """Everything boosting depends on beside the rows; `params` are XGBoost's.

    `features` are what the model is served with. Rows of `train` and of other channels
    hold codes where these have statistics of the label: `encoder` puts them there, in rows
    that are learnt from without their own labels; `statistics` are those of all of train.
    `chosen` are those of XGBoost's parameters that the job has chosen, none as long as it
    has not. Rounds of `at_once` boosters are made at a time.
    `complete` says which features (m) have a value in every row, if the missing are to
    follow most rows there.
    """

    settings: Boosting
    objective: Objective
    metrics: RoundMetrics
    params: Mapping[str, Any]
    splitter: Splitter
    matrices: DMatrixBuilder
    features: FeaturePipeline
    encoder: TargetEncoder
    statistics: Tables
    run: RunOptions = RunOptions()
    chosen: Mapping[str, float] = field(default_factory=dict)
    at_once: int = 1
    complete: NDArray[np.bool_] | None = None

    @classmethod
    def of(
        cls,
        settings: Boosting,
        schema: Schema,
        features: FeaturePipeline,
        train: Examples,
        *,
        classes: int = 0,
        run: RunOptions | None = None,
    ) -> "BoostingPlan":
        """Return the plan for rows of `train`; `classes` is 0 for a label that has none.

        Raises SettingsError where base margins are not one for each output.
        """
        run = run or RunOptions()
        objective = objective_of(settings.objective)
        metrics = RoundMetrics.of(
            settings.metrics, objective, at_greatest_f1=settings.at_greatest_f1
        )
        encoder = TargetEncoder.of(features, classes, run.group)
        statistics = encoder.fit(train)
        names = schema.label.classes if schema.label else ()
        features = encoder.served(features, statistics, names)
        params: dict[str, Any] = {
            **settings.params,
            **settings.constraints.params(schema, features),
            **metrics.params,
            "objective": objective.name,
        }
        if objective.task == "multiclass":
            params["num_class"] = classes
        if objective.name in _LOGISTIC:
            params |= yielding(settings, train, params, run.group)
        if train.roles.base_margin is not None:
            _check_margins(train.roles.base_margin, params)
            # rows start from their margins alone, in training as in serving
            params["base_score"] = objective.neutral
        at_once = boosters_at_once(params, train, run.group)
        params.setdefault("nthread", threads_of(train, run.group))
        params |= bins_of_wide(settings, params, total_rows(run.group, train), train.width)
        nfold = settings.kfold or settings.nfold
        return cls(
            settings=settings,
            objective=objective,
            metrics=metrics,
            params=params,
            splitter=Splitter(objective, nfold, settings.stratified, settings.seed),
            matrices=_matrices(settings, features, train, params, run.group),
            features=features,
            encoder=encoder,
            statistics=statistics,
            run=run,
            at_once=at_once,
        )

    def as_served(self, rows: Examples) -> Examples:
        """Return a channel's rows with the features that serving makes of them."""
        return self.encoder.encode(rows, self.statistics)

    def choosing(self, chosen: Mapping[str, float]) -> "BoostingPlan":
        """Return the plan with parameters of XGBoost's that were chosen; with none it is itself."""
        return replace(self, chosen=chosen, params={**self.params, **chosen}) if chosen else self

    def on_rows(self, rows: Examples) -> "BoostingPlan":
        """Return the plan for the rows that models are made of."""
        if not self.settings.directs_missing:
            return self
        lacking = ~self.as_served(rows).are_complete()
        return replace(self, complete=~self.group.greatest(lacking.view(np.uint8)).view(np.bool_))

    def lacks_directions(self, rows: Examples) -> bool:
        """Say whether rows lack values that no row learnt from lacks."""
        if self.complete is None:
            return False
        return bool((self.complete & ~self.as_served(rows).are_complete()).any())

    def evaluate(
        self, booster: xgboost.Booster, evals: Sequence[tuple[xgboost.DMatrix, str]], number: int
    ) -> dict[tuple[str, str], float]:
        """Return (rows, metric) -> value after a round; `evals` are rows and their names."""
        return evaluate_rows(booster, evals, number, self.metrics.custom_metric, self.group)

    def directed(self, model: bytes) -> bytes:
        """Return a model (UBJSON) as it is to serve: with a way for what it never saw missing."""
        return model if self.complete is None else send_missing_to_most(model, self.complete)

    @property
    def rival(self) -> Mapping[str, float]:
        """What is to be tried in the place of the preset's, if it makes a difference."""
        counts = (
            len(feature.categories)
            for feature in self.features.features
            if isinstance(feature, Category) and "c" in feature.feature_types
        )
        rival = self.settings.rival
        return rival if max(counts, default=0) >= rival.get("max_cat_to_onehot", 0) else {}

    @property
    def group(self) -> Group:
        """The hosts of the job."""
        return self.run.group

    @property
    def has_leaves_of_hosts(self) -> bool:
        """Whether XGBoost gives each leaf the mean of what the hosts find, each of its own rows."""
        return self.group.size > 1 and self.objective.name in _ADAPTIVE

    @property
    def needs_rows_on_each_host(self) -> bool:
        """Whether a host without rows makes another model, or XGBoost aborts there."""
        aborts = self.group.size > 1 and self.objective.name == "rank:map"
        return aborts or self.has_leaves_of_hosts

    @property
    def threads(self) -> int:
        """The threads XGBoost uses."""
        return int(self.params["nthread"])


def _check_margins(margin: Matrix, params: Mapping[str, Any]) -> None:
    quantiles = np.size(params.get("quantile_alpha", 0.5))
    outputs = params.get("num_class", quantiles)
    columns = 1 if margin.ndim == 1 else margin.shape[1]
    if columns != outputs:
        raise SettingsError(
            f"base_margin_column names {columns} column{'s' if columns > 1 else ''}, and the "
            f"model has {outputs} output{'s' if outputs > 1 else ''}",
            hint="Name one for each",
        )


def _matrices(
    settings: Boosting,
    features: FeaturePipeline,
    train: Examples,
    params: Mapping[str, Any],
    group: Group,
) -> DMatrixBuilder:
    objective = objective_of(settings.objective)
    weight = train.roles.learning_weight
    return DMatrixBuilder(
        names=features.safe_names,
        types=features.types,
        feature_weights=settings.constraints.feature_weights(features),
        threads=params["nthread"],
        queries=objective.task == "ranking",
        bounds=objective.name == "survival:aft",
        max_bin=max_bin(params),
        weight_unit=1.0
        if weight is None or not settings.scales_weights
        else mean_weight(weight, group),
        group=group,
    )
