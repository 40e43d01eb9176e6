"""Feature matrix to boosters: how many rounds, chosen on rows that were left out."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xgboost

from sagetree.boosters.objectives import Objective
from sagetree.boosters.scoring import Scores
from sagetree.errors import SettingsError
from sagetree.features.pipeline import FeaturePipeline
from sagetree.machine.cores import usable_cores
from sagetree.machine.memory import return_freed_memory
from sagetree.machine.program import LOG
from sagetree.train.boosting.fitted import Course, Cut, Fitted, Rounds, saved, together
from sagetree.train.boosting.folds import Fold, Splitter, rows_left_out
from sagetree.train.boosting.layout import Layout
from sagetree.train.boosting.progress import Progress, metric_line
from sagetree.train.boosting.rounds import TRAIN as TRAIN_ROWS
from sagetree.train.boosting.rounds import Boosted, Part, Stopping, boost, evaluate_rows
from sagetree.train.examples.examples import Examples, LeftOut
from sagetree.train.hyperparameters.eval_metrics import RoundMetrics, is_maximized
from sagetree.train.settings.settings import Boosting

# From here on one hold-out says as much as folds, in a fifth of the time.
HOLD_OUT_ROWS = 200_000
HOLD_OUT_SHARE = 0.1

# With fewer cells a round is so short that threads wait for each other longer
# than they work: one of them is up to five times faster (5000 rows, 30 columns).
THREADED_CELLS = 1_000_000

# XGBoost's own default.
MAX_BIN = 256

# What XGBoost puts before its messages: the time and a line of its source.
_XGBOOST_PLACE = re.compile(r"^\[[0-9:]+\] \S+:\d+: (Check failed: .*?: )?")


class Fitter:
    """Fits boosters with fixed settings on matrices of one pipeline."""

    def __init__(
        self,
        settings: Boosting,
        features: FeaturePipeline,
        objective: Objective,
        classes: int,
        course: Course | None = None,
    ) -> None:
        """Take the settings; `classes` is the number of them, 0 for other labels."""
        self.settings = settings
        self.features = features
        self.objective = objective
        self.course = course or Course()
        self.metrics = RoundMetrics.of(settings.metrics, objective)
        self.params: dict[str, Any] = {
            **settings.params,
            **settings.constraints.params(features),
            **self.metrics.params,
            "objective": objective.name,
        }
        if objective.task == "multiclass":
            self.params["num_class"] = classes
        nfold = settings.kfold or settings.nfold
        self.splitter = Splitter(objective, nfold, settings.stratified, settings.seed)

    def fit(self, train: Examples, validation: Examples | None) -> Fitted:
        """Fit one model, or one for each of `kfold` folds.

        With validation rows they choose the rounds; else cross-validation does,
        or from 200 000 rows on a hold-out, and all rows are fitted afterwards. Where
        nothing stops early the hold-out only measures, and its model is kept.
        Where that was stopped, the boosters that chose the rounds are the model.
        An ensemble is fitted on the folds of both. Raises SettingsError for what
        XGBoost refuses.
        """
        self._check_margins(train)
        self.params.setdefault("nthread", _threads(train))
        self.layout = Layout(
            names=self.features.safe_names,
            types=self.features.types,
            feature_weights=self.settings.constraints.feature_weights(self.features),
            threads=self.params["nthread"],
            queries=self.objective.task == "ranking",
            bounds=self.objective.name == "survival:aft",
            max_bin=_max_bin(self.params),
        )
        try:
            if self.settings.kfold:
                return self._fit_ensemble(train if validation is None else train.joined(validation))
            if validation is not None:
                return self._fit_watched(train, validation, "watched", "the validation channel")
            if self.settings.nfold or train.rows <= HOLD_OUT_ROWS:
                chosen = self._cross_validate(train)
            else:
                chosen = self._hold_out(train)
                if not self.settings.patience:  # the rounds are given, not chosen
                    return chosen
            return self._fit_all(train, chosen)
        except xgboost.core.XGBoostError as error:
            if "bad_alloc" in str(error):
                raise MemoryError from error
            line = str(error).strip().splitlines()[0]
            reason = _XGBOOST_PLACE.sub("", line) or line
            raise SettingsError(
                f"XGBoost refuses the training: {reason}",
                hint="Change the hyperparameter it names",
            ) from error

    def _check_margins(self, train: Examples) -> None:
        margin = train.roles.base_margin
        quantiles = np.size(self.params.get("quantile_alpha", 0.5))
        outputs = self.params.get("num_class", quantiles)
        columns = 1 if margin is None or margin.ndim == 1 else margin.shape[1]
        if margin is not None and columns != outputs:
            raise SettingsError(
                f"base_margin_column names {columns} column{'s' if columns > 1 else ''}, and the "
                f"model has {outputs} output{'s' if outputs > 1 else ''}",
                hint="Name one for each",
            )

    def _fit_all(self, train: Examples, chosen: Fitted) -> Fitted:
        """Return the model of all rows; where it is stopped before its end, what was chosen."""
        rounds = chosen.rounds.best[0]
        if not self.course.is_stopped():
            LOG.info("Fitting all %d rows for %d rounds", train.rows, rounds)
            boosted = self._boost("all-rows", [Part(self.layout.data(train))], rounds)
            if not boosted.stopped:
                return Fitted(saved(boosted.boosters), chosen.rounds)
        LOG.warning("Stopped by SIGTERM: the model is what chose the rounds, fitted on fewer rows")
        return chosen

    def _fit_watched(self, train: Examples, watched: Examples, phase: str, rows: str) -> Fitted:
        part = self._part(train, watched)
        cut = self._cut(phase, [part], self._watch(phase, [part]))
        scores = self._predict(cut.boosters[0], part, watched)
        metrics = cut.means()
        _tell_choice(cut.best, metrics, rows)
        rounds = Rounds((cut.best,), LeftOut.of(watched), scores, metrics, {}, rows)
        return Fitted(saved(cut.boosters), rounds)

    def _hold_out(self, train: Examples) -> Fitted:
        inside, outside = self.splitter.hold_out(train, HOLD_OUT_SHARE)
        rows = f"a hold-out of {HOLD_OUT_SHARE:.0%} of train"
        return self._fit_watched(train.take(inside), train.take(outside), "hold-out", rows)

    def _cross_validate(self, train: Examples) -> Fitted:
        folds = self.splitter.split(train)
        parts = self._parts(train, folds)
        cut = self._cut("folds", parts, self._watch("folds", parts))
        scores = self._scores(cut, parts, train, folds)
        rows = f"the rows left out by {len(folds)}-fold cross-validation"
        metrics = cut.means()
        _tell_choice(cut.best, metrics, rows)
        left_out = LeftOut.of(train, rows_left_out(folds))
        rounds = Rounds((cut.best,), left_out, scores, metrics, cut.deviations(), rows)
        return Fitted(saved(cut.boosters), rounds)

    def _fit_ensemble(self, rows: Examples) -> Fitted:
        """Fit a model on each fold of each repeat; no row is scored by one that has seen it."""
        cuts: list[Cut] = []
        scores: list[Scores] = []
        for repeat in range(self.settings.kfold_repeats):
            folds = self.splitter.split(rows, repeat=repeat)
            parts = self._parts(rows, folds)
            boosted = self._watch(f"folds-{repeat}", parts)
            if cuts and boosted.stopped:  # the repeats before it are whole
                self.course.check_stopped(cuts[0].best)
                break
            cuts.append(self._cut(f"folds-{repeat}", parts, boosted))
            scores.append(self._scores(cuts[-1], parts, rows, folds))
        every = Cut.joined(cuts)
        said = f"the rows left out by {len(folds)}-fold cross-validation"
        if len(cuts) > 1:
            said += f", repeated {len(cuts)} times"
        metrics = every.means()
        _tell_choice(every.best, metrics, said)
        rounds = Rounds(
            best=tuple(cut.best for cut in cuts for _ in cut.boosters),
            left_out=LeftOut.of(rows, rows_left_out(folds)),
            scores=together(scores, self.objective),
            metrics=metrics,
            deviations=every.deviations(),
            rows=said,
            repeats=tuple(scores),
        )
        return Fitted(saved(every.boosters), rounds)

    def _parts(self, rows: Examples, folds: Sequence[Fold]) -> list[Part]:
        return [self._part(rows.take(inside), rows.take(outside)) for inside, outside in folds]

    def _scores(
        self, cut: Cut, parts: Sequence[Part], rows: Examples, folds: Sequence[Fold]
    ) -> Scores:
        """Return the scores of all rows left out, in their order."""
        at_zero = rows.roles.base_margin is None
        found = [
            self._predict(booster, part, None if at_zero else rows.take(outside))
            for booster, part, (_, outside) in zip(cut.boosters, parts, folds, strict=True)
        ]
        order = np.argsort(np.concatenate([outside for _, outside in folds]))
        scores: Scores = np.concatenate(found)[order]
        return scores

    def _part(self, train: Examples, watched: Examples) -> Part:
        """Return rows to learn from and to watch; many of the former are measured at the end."""
        data = self.layout.data(train)
        every_round = train.rows <= HOLD_OUT_ROWS
        return Part(data, self.layout.data(watched, like=data), watches_train=every_round)

    def _predict(self, booster: xgboost.Booster, part: Part, examples: Examples | None) -> Scores:
        """Return what serving would answer for the rows left out.

        It knows of no margin to start from: `examples` are these rows where
        they have one.
        """
        data = part.validation
        if examples is not None and examples.roles.base_margin is not None:
            data = self.layout.data(examples.without_margin())
        scores: Scores = booster.predict(data)
        return scores

    def _watch(self, phase: str, parts: Sequence[Part]) -> Boosted:
        """Boost on each part, all in step, until the mean over the rows left out gets no better."""
        limit, patience = self.settings.rounds, self.settings.patience
        metric = self.settings.stopping_metric
        stopping = Stopping(metric, is_maximized(metric), patience) if patience else None
        return self._boost(phase, parts, limit, stopping)

    def _cut(self, phase: str, parts: Sequence[Part], boosted: Boosted) -> Cut:
        """Return the boosters without the rounds after the best one."""
        is_linear = self.params.get("booster") == "gblinear"  # it cannot be cut, only made again
        best = boosted.rounds if is_linear and boosted.stopped else boosted.best
        if boosted.stopped:
            self.course.check_stopped(boosted.rounds)
        later = len(boosted.history["validation"][self.settings.stopping_metric]) - best
        if later and is_linear:
            boosted, later = self._boost(phase, parts, best), 0
        boosters = tuple(_without_last(booster, later) for booster in boosted.boosters)
        history = {
            f"{rows}-{name}": series[best - 1]
            for rows, metrics in boosted.history.items()
            for name, series in metrics.items()
        }
        return Cut(boosters, best, self._of_train(boosters, parts, best) | history)

    def _of_train(
        self, boosters: Sequence[xgboost.Booster], parts: Sequence[Part], best: int
    ) -> dict[str, list[float]]:
        """Return the metrics of the rows learnt from, where rounds did not measure them."""
        found: dict[str, list[float]] = {}
        for booster, part in zip(boosters, parts, strict=True):
            if not part.watches_train:
                return_freed_memory()  # of the rounds: the metrics of many rows need as much
                own = [(part.train, TRAIN_ROWS)]
                values = evaluate_rows(booster, own, best - 1, self.metrics.custom_metric)
                for (rows, name), value in values.items():
                    found.setdefault(f"{rows}-{name}", []).append(value)
        return found

    def _boost(
        self, phase: str, parts: Sequence[Part], limit: int, stopping: Stopping | None = None
    ) -> Boosted:
        course = self.course
        watched = parts[0].validation is not None
        return boost(
            self.params,
            parts,
            limit,
            first=course.first,
            stopping=stopping,
            custom_metric=self.metrics.custom_metric,
            callbacks=[*([Progress(limit)] if watched else []), *course.callbacks],
            keeper=course.keeper(phase, len(parts)),
            is_stopped=course.is_stopped,
        )


def _without_last(booster: xgboost.Booster, rounds: int) -> xgboost.Booster:
    return booster[: booster.num_boosted_rounds() - rounds] if rounds else booster


def _threads(train: Examples) -> int:
    return usable_cores() if train.rows * train.width >= THREADED_CELLS else 1


def _max_bin(params: Mapping[str, Any]) -> int | None:
    """Return the number of quantiles, None where trees are not grown by histograms."""
    by_histogram = params.get("tree_method", "auto") in ("auto", "hist", "gpu_hist")
    of_trees = params.get("booster", "gbtree") in ("gbtree", "dart")
    others = {"updater", "process_type"} & params.keys()
    return int(params.get("max_bin", MAX_BIN)) if by_histogram and of_trees and not others else None


def _tell_choice(best: int, metrics: Mapping[str, float], rows: str) -> None:
    LOG.info("Best round, metrics named validation on %s:", rows)
    LOG.info(metric_line(best - 1, metrics))
