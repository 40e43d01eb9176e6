"""/opt/ml/input/config to one frozen record of settings, with every fault at once."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson

from sagetree.errors import SettingsError, quote
from sagetree.paths import OptMl
from sagetree.reading import Format
from train.parameter import ParameterError, plain_text
from train.parameters import BY_NAME, METRICS, PARAMETERS
from train.presets import SAGETREE, SAGETREE_PATIENCE, SAGETREE_ROUNDS, XGBOOST_ROUNDS

DEFAULT_FOLDS = 5

# What SageMaker and its SDK add for themselves.
PLATFORM_PREFIX = "sagemaker_"
TUNING_METRIC = "_tuning_objective_metric"

TRAIN = "train"
VALIDATION = "validation"

CSV_TYPES = frozenset({"csv", "text/csv"})
PARQUET_TYPES = frozenset({"parquet", "application/x-parquet"})


@dataclass(frozen=True)
class Columns:
    """What the user says about columns."""

    target: str | None
    positive_label: str | None
    dropped: tuple[str, ...]
    kinds: Mapping[str, str]
    orders: Mapping[str, tuple[str, ...]]
    missing_values: tuple[str, ...]
    unknown_category: str
    encoding: str


@dataclass(frozen=True)
class Boosting:
    """How rounds are made and chosen; `params` are XGBoost's own."""

    params: Mapping[str, Any]
    rounds: int
    patience: int | None
    nfold: int | None
    stratified: bool
    metrics: tuple[str, ...]
    seed: int


@dataclass(frozen=True)
class TrainSettings:
    """Everything a training job was told; `given` is what the user wrote, as text."""

    columns: Columns
    boosting: Boosting
    header: bool | None
    formats: Mapping[str, Format | None]
    given: Mapping[str, str]

    @classmethod
    def read(cls, opt_ml: OptMl, overrides: Mapping[str, str]) -> "TrainSettings":
        """Return the settings in `opt_ml`, hyperparameters replaced by `overrides`.

        Raises SettingsError that names every fault.
        """
        raw = _read_json(opt_ml.config / "hyperparameters.json")
        texts = {name: plain_text(value) for name, value in raw.items()} | dict(overrides)
        faults: list[str] = []
        formats = _formats(opt_ml, faults)
        return cls._of(texts, formats, faults)

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> "TrainSettings":
        """Return the settings that hyperparameters alone make, without channels."""
        return cls._of(texts, {}, [])

    @classmethod
    def _of(
        cls, texts: Mapping[str, str], formats: Mapping[str, Format | None], faults: list[str]
    ) -> "TrainSettings":
        given = {n: t for n, t in texts.items() if not n.startswith(PLATFORM_PREFIX)}
        values = _parse(given, faults)
        _check_together(values, faults)
        if faults:
            raise SettingsError("; ".join(faults), hint=_hint(len(faults)))
        return cls(
            columns=_columns(values),
            boosting=_boosting(values),
            header=values.get("header"),
            formats=formats,
            given=MappingProxyType(given),
        )


def _hint(faults: int) -> str:
    return "Correct it" if faults == 1 else f"Correct all {faults}"


def _read_json(path: Path) -> Mapping[str, Any]:
    """Return the object in a config file; one that is absent is empty."""
    try:
        value = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except orjson.JSONDecodeError as error:
        raise SettingsError(
            f"it is no JSON: {error}", where=path.name, hint="Write an object"
        ) from error
    if not isinstance(value, dict):
        raise SettingsError("it holds no JSON object", where=path.name, hint="Write an object")
    return value


def _parse(given: Mapping[str, str], faults: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    spelled: dict[str, str] = {}
    for spelling, text in given.items():
        if spelling == TUNING_METRIC:
            values[TUNING_METRIC] = text.removeprefix("validation:")
            continue
        parameter = BY_NAME.get(spelling)
        if parameter is None:
            faults.append(f"{quote(spelling)} is no hyperparameter{_nearest(spelling)}")
            continue
        if parameter.name in spelled:
            faults.append(f"{spelled[parameter.name]} and {spelling} are the same hyperparameter")
            continue
        spelled[parameter.name] = spelling
        try:
            values[parameter.name] = parameter.parse(text)
        except ParameterError as error:
            faults.append(f"{spelling} is {quote(text)} and must be {error}")
    return values


def _nearest(spelling: str) -> str:
    close = difflib.get_close_matches(spelling, BY_NAME, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _check_together(values: Mapping[str, Any], faults: list[str]) -> None:
    metrics = [*values.get("eval_metric", ()), *filter(None, [values.get(TUNING_METRIC)])]
    faults.extend(
        f"eval_metric {quote(name)} is no metric of a binary label: "
        f"take {', '.join(METRICS)} or error@t"
        for name in metrics
        if name.split("@")[0] not in METRICS
    )
    lists = {
        "drop_columns": values.get("drop_columns", ()),
        "categorical_columns": values.get("categorical_columns", ()),
        "ordinal_columns": values.get("ordinal_columns", {}),
        "column_types": values.get("column_types", {}),
    }
    seen: dict[str, str] = {}
    for setting, columns in lists.items():
        for column in columns:
            if column in seen:
                faults.append(f"column {quote(column)} is in {seen[column]} and in {setting}")
            seen.setdefault(column, setting)
            if column == values.get("target"):
                faults.append(f"column {quote(column)} is the target and in {setting}")


def _formats(opt_ml: OptMl, faults: list[str]) -> dict[str, Format | None]:
    """Return each channel and what its ContentType promises.

    Without an inputdataconfig.json the channels are the folders under
    input/data, as in the classic test_dir.
    """
    config = _read_json(opt_ml.config / "inputdataconfig.json")
    if not config and opt_ml.data.is_dir():
        config = {p.name: {} for p in sorted(opt_ml.data.iterdir()) if not p.name.startswith(".")}
    formats = {}
    for channel, description in config.items():
        content_type = ""
        if isinstance(description, dict):
            content_type = str(description.get("ContentType") or "")
            if description.get("TrainingInputMode") == "Pipe":
                faults.append(f"channel {quote(channel)} is in Pipe mode: use File or FastFile")
        try:
            formats[channel] = _format(content_type)
        except ValueError as error:
            if channel in (TRAIN, VALIDATION):
                faults.append(f"channel {quote(channel)} has {error}")
    if TRAIN not in config:
        found = ", ".join(map(quote, config)) or "none"
        faults.append(f"there is no channel 'train' (channels: {found})")
    return formats


def _format(content_type: str) -> Format | None:
    media_type = content_type.split(";")[0].strip().lower()
    if media_type in CSV_TYPES:
        return "csv"
    if media_type in PARQUET_TYPES:
        return "parquet"
    if media_type:
        raise ValueError(
            f"the ContentType {quote(content_type)}: take text/csv or application/x-parquet"
        )
    return None


def _columns(values: Mapping[str, Any]) -> Columns:
    orders = {
        name: tuple(map(plain_text, order))
        for name, order in values.get("ordinal_columns", {}).items()
    }
    kinds = dict(values.get("column_types", {}))
    kinds |= dict.fromkeys(values.get("categorical_columns", ()), "category")
    kinds |= dict.fromkeys(orders, "ordinal")
    return Columns(
        target=values.get("target"),
        positive_label=values.get("positive_label"),
        dropped=values.get("drop_columns", ()),
        kinds=MappingProxyType(kinds),
        orders=MappingProxyType(orders),
        missing_values=values.get("missing_values", ()),
        unknown_category=values.get("unknown_category", "missing"),
        encoding=values.get("encoding", "native"),
    )


def _boosting(values: Mapping[str, Any]) -> Boosting:
    own = values.get("preset", "sagetree") == "sagetree"
    seed = values.get("seed", 0)
    params = {name: value for name, (value, _) in SAGETREE.items()} if own else {}
    params |= {p.name: values[p.name] for p in PARAMETERS if p.xgboost and p.name in values}
    params = {"objective": "binary:logistic", **params, "seed": seed}
    metrics = list(values.get("eval_metric", ("auc",)))
    tuned = values.get(TUNING_METRIC)
    if tuned and tuned not in metrics:
        metrics.append(tuned)
    return Boosting(
        params=MappingProxyType(params),
        rounds=values.get("num_round", SAGETREE_ROUNDS if own else XGBOOST_ROUNDS),
        patience=values.get("early_stopping_rounds", SAGETREE_PATIENCE if own else None),
        nfold=values.get("nfold"),
        stratified=values.get("stratified", True),
        metrics=tuple(metrics),
        seed=seed,
    )
