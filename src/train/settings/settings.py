"""Hyperparameters to one frozen record of settings, with every fault at once."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sagetree.boosters.objectives import DEFAULT_OBJECTIVE
from sagetree.decisions.rules import Rule
from sagetree.errors import did_you_mean, quote
from sagetree.evaluate.bias.asked import FACETS, FAVOURABLE, FacetRequest
from sagetree.formats.detection import Format
from sagetree.train.hosts.resource_config import Hosts
from sagetree.train.hyperparameters.booster_rules import (
    leaves_depth_open,
    trains_on_gpu,
)
from sagetree.train.hyperparameters.combinations import (
    check_together,
    idle_together,
    notes_together,
)
from sagetree.train.hyperparameters.constraints import Constraints
from sagetree.train.hyperparameters.foreign_names import ELSEWHERE
from sagetree.train.hyperparameters.objective_rules import metrics_of
from sagetree.train.hyperparameters.parameters import BY_NAME, OWN, UNUSED, is_given
from sagetree.train.hyperparameters.presets import (
    SAGETREE_DEPTHS,
    SAGETREE_PATIENCE,
    SAGETREE_ROUNDS,
    SAGETREE_YIELDING,
    XGBOOST_MAX_CAT_TO_ONEHOT,
    XGBOOST_ROUNDS,
    preset_of,
    rival_of,
)
from sagetree.train.hyperparameters.value_types import ParameterError
from sagetree.train.hyperparameters.xgboost_parameters import XGBOOST
from sagetree.train.settings.channel_settings import channel_notes
from sagetree.train.settings.columns import Columns, columns_of
from sagetree.train.settings.faults import Faults
from sagetree.train.settings.tuning import Tuning

# What SageMaker and its SDK add for themselves.
PLATFORM_PREFIX = "sagemaker_"

# What holds where one of our own is not given.
_DEFAULTS = {p.name: p.parse(p.default) for p in OWN if p.default}

# XGBoost's, but given it feature by feature once these are known.
_BY_COLUMN = ("monotone_constraints", "interaction_constraints", "feature_weights")


@dataclass(frozen=True)
class Boosting:
    """How rounds are made and chosen; `params` are XGBoost's own.

    `fixed_rounds` are made where there are no rows to choose them by. `metrics` are
    printed each round, `stopping_metric` is the one of them that early stopping goes
    by; with `at_greatest_f1` they call rows by the threshold of the greatest F1, else
    by 0.5. `nfold` folds choose the rounds of one model; `kfold` folds, `kfold_repeats`
    times, each give a model of an ensemble. `num_class` is None where the label
    says how many there are. `seed` is that of folds (0 to 2**32 - 1), XGBoost's own
    is among `params`. `scales_weights` makes the mean of the weights 1;
    `directs_missing` has the missing follow most rows where training has none. Among
    `depths` the job chooses; there are none where max_depth is settled. At the best of them
    it tries `rival` in the place of `params`. Rows that say little lower the params named
    `yielding`; with `eases_bins` few rows of many features lower max_bin. Nobody has set any
    of these. `calibration` says what makes scores probabilities, or who chooses it.
    """

    params: Mapping[str, Any]
    rounds: int
    patience: int | None
    nfold: int | None
    stratified: bool
    metrics: tuple[str, ...]
    stopping_metric: str
    seed: int
    fixed_rounds: int = XGBOOST_ROUNDS
    num_class: int | None = None
    kfold: int | None = None
    kfold_repeats: int = 1
    constraints: Constraints = field(default_factory=Constraints)
    external_memory: bool | None = None
    at_greatest_f1: bool = False
    scales_weights: bool = False
    directs_missing: bool = False
    depths: tuple[int, ...] = ()
    rival: Mapping[str, float] = field(default_factory=dict)
    yielding: tuple[str, ...] = ()
    eases_bins: bool = False
    calibration: str = "none"

    @property
    def objective(self) -> str:
        """XGBoost's name of what is learnt."""
        return str(self.params["objective"])


@dataclass(frozen=True)
class Checkpointing:
    """When a job saves its state, and what it leaves when it is stopped.

    A checkpoint every `rounds` rounds where given, else every `seconds`, in
    `folder`; None where none is to be made.
    """

    rounds: int | None
    seconds: int
    kept: int
    save_on_termination: bool
    folder: Path | None = None


@dataclass(frozen=True)
class TrainSettings:
    """All settings of a training job.

    `header` and `delimiter` are of CSV files, None where they are detected;
    `formats` what each channel's ContentType promises, `charsets` the charset of
    those that name another than UTF-8; `given` is what the user wrote, as text;
    `notes` are lines to log; `decision` is the rule that chooses the threshold. `bias` says
    which facets are compared, None without any; `reweighs` that what is learnt from them
    is to have no part in the label. `tuning` says what is searched, None where nothing is.
    `hosts` are those that train together.
    """

    columns: Columns
    boosting: Boosting
    header: bool | None
    delimiter: str | None
    checkpointing: Checkpointing
    fail_on_leakage: bool
    has_report: bool
    formats: Mapping[str, Format | None]
    given: Mapping[str, str]
    notes: tuple[str, ...]
    decision: Rule
    bias: FacetRequest | None = None
    reweighs: bool = False
    tuning: Tuning | None = None
    charsets: Mapping[str, str] = field(default_factory=dict)
    hosts: Hosts = field(default_factory=Hosts)

    @property
    def names_objective(self) -> bool:
        """Whether the user says what is learnt; the label decides if not."""
        return "objective" in self.given

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> "TrainSettings":
        """Return the settings that hyperparameters alone make, without channels.

        Raises SettingsError that names every fault.
        """
        faults = Faults()
        settings = cls.settle(texts, {}, faults)
        faults.check()
        assert settings is not None  # noqa: S101 - faults are why it may be
        return settings

    @classmethod
    def settle(
        cls,
        texts: Mapping[str, str],
        formats: Mapping[str, Format | None],
        faults: Faults,
        hosts: Hosts | None = None,
    ) -> "TrainSettings | None":
        """Return the settings; None where hyperparameters are among the faults that it adds."""
        given = {n: t for n, t in texts.items() if not n.startswith(PLATFORM_PREFIX)}
        failed: set[str] = set()
        found: list[str] = []
        values = _parse(given, found, failed)
        hosts = hosts or Hosts()
        check_together(values, found, failed, formats or None, hosts.count)
        faults.texts += found
        if found:
            return None
        settled = _DEFAULTS | values
        return cls(
            columns=columns_of(settled),
            boosting=_boosting(settled),
            header=settled.get("header"),
            delimiter=settled.get("delimiter"),
            checkpointing=Checkpointing(
                rounds=settled.get("checkpoint_interval"),
                seconds=settled["checkpoint_seconds"],
                kept=settled["checkpoints_kept"],
                save_on_termination=settled["save_model_on_termination"],
            ),
            fail_on_leakage=settled["fail_on_leakage"],
            has_report=settled["report"],
            formats=formats,
            given=MappingProxyType(given),
            notes=tuple(_notes(values, formats)),
            decision=settled["decision"],
            bias=_bias(settled),
            reweighs=settled["reweigh"] == "facet",
            tuning=Tuning.of(settled),
            hosts=hosts,
        )


def _bias(values: Mapping[str, Any]) -> FacetRequest | None:
    facets = values.get(FACETS, ())
    return FacetRequest(facets, values.get(FAVOURABLE)) if facets else None


def _parse(given: Mapping[str, str], faults: list[str], failed: set[str]) -> dict[str, Any]:
    """Return the values; add what is wrong to `faults`, and the names of those to `failed`."""
    values: dict[str, Any] = {}
    spelled: dict[str, str] = {}
    for spelling, text in given.items():
        parameter = BY_NAME.get(spelling)
        if parameter is None:
            known = ELSEWHERE.get(spelling)
            meant = did_you_mean(known or spelling, BY_NAME)
            faults.append(f"{quote(spelling)} is not a hyperparameter{meant}")
            continue
        if parameter.name in spelled:
            faults.append(f"{spelled[parameter.name]} and {spelling} are the same hyperparameter")
            continue
        spelled[parameter.name] = spelling
        try:
            values[parameter.name] = parameter.parse(text)
        except ParameterError as error:
            failed.add(parameter.name)
            faults.append(f"{spelling} is {quote(text)} and must be {error}")
    return values


def _notes(values: Mapping[str, Any], channels: Collection[str]) -> Iterator[str]:
    """Return what the log should say about settings that change nothing."""
    for parameter in UNUSED:
        if parameter.name in values:
            yield f"{parameter.name} has no effect: {parameter.help}"
    yield from notes_together(values, channels)
    yield from channel_notes(channels)


def _boosting(values: Mapping[str, Any]) -> Boosting:
    own, idle = values["preset"] == "sagetree", idle_together(values)
    params = _params(values, own=own)
    metrics, stopping_metric = metrics_of(values, params)
    depths = SAGETREE_DEPTHS if own and leaves_depth_open(values) else ()
    rival = rival_of(params["objective"]) if depths else {}
    return Boosting(
        params=MappingProxyType(params),
        rounds=values.get("num_round", SAGETREE_ROUNDS if own else XGBOOST_ROUNDS),
        fixed_rounds=values.get("num_round", XGBOOST_ROUNDS),
        patience=values.get("early_stopping_rounds", SAGETREE_PATIENCE if own else None),
        nfold=values.get("nfold"),
        stratified=values["stratified"],
        metrics=tuple(metrics),
        stopping_metric=stopping_metric,
        at_greatest_f1=own,
        seed=params["seed"] % 2**32,
        num_class=values.get("num_class"),
        kfold=values.get("_kfold"),
        kfold_repeats=values["_num_cv_round"],
        constraints=Constraints(
            *(None if name in idle else values.get(name) for name in _BY_COLUMN)
        ),
        external_memory=False if trains_on_gpu(values) else values.get("external_memory"),
        scales_weights=own,
        directs_missing=own,
        depths=depths,
        rival={name: value for name, value in rival.items() if name not in values},
        yielding=tuple(name for name in SAGETREE_YIELDING if own and name not in values),
        eases_bins=own and ("max_bin" not in values or "max_bin" in idle),
        calibration=values.get("calibration", "auto" if own else "none"),
    )


def _params(values: Mapping[str, Any], *, own: bool) -> dict[str, Any]:
    """Return what is handed to XGBoost: the preset, and above it what the user gave."""
    trees = values.get("booster") != "gblinear"
    params: dict[str, Any] = {}
    if own and trees:
        preset = preset_of(values.get("objective", DEFAULT_OBJECTIVE))
        params |= {name: value for name, (value, _) in preset.items()}
    elif trees:
        params["max_cat_to_onehot"] = XGBOOST_MAX_CAT_TO_ONEHOT
    without = {*_BY_COLUMN, *idle_together(values)}
    names = (p.name for p in XGBOOST if is_given(values, p.name) and p.name not in without)
    params |= {name: values[name] for name in names}
    params = {"objective": DEFAULT_OBJECTIVE, "seed": 0, **params}
    if params.get("tree_method") == "gpu_hist":
        params |= {"tree_method": "hist", "device": "cuda"}
    if "updater" in params:
        params["updater"] = ",".join(name for name in params["updater"] if name != "sync")
    for name in ("quantile_alpha", "base_score"):
        if name in params:
            numbers = params[name]
            params[name] = numbers[0] if len(numbers) == 1 else list(numbers)
    return params
