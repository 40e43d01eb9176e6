"""What the command line of `prepare` says, checked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from sagetree.errors import SettingsError, quote

PARTS = ("train", "validation", "test")
FORMATS = ("parquet", "csv")
ENGINES = ("duckdb", "spark")

# What no default could know: it comes first in each part, where training takes it from,
# and says which parts lack what.
REQUIRED = {"label": "the column to predict"}

# What an empty value (an unset variable, mostly) must not switch off without a word.
_NAMES = ("sql", "flow", "key", "split_by_time")

# What chooses among the records of one key.
_OF_RECORDS = ("event_time", "deleted")

DEFAULTS = {
    "event_time": "event_time",
    "deleted": "is_deleted",
    "split": "0.7,0.15,0.15",
    "seed": "0",
    "format": "parquet",
    "memory_limit": "1GB",
    "engine": "duckdb",
}

# What Spark does not use, or does differently: with the reason.
_NOT_ON_SPARK = {
    "flow": "its steps run on DuckDB alone",
    "memory_limit": "Spark's own settings bound its memory",
    "format": "Spark writes Parquet alone",
}

_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kmgt]?)(i?)b", re.IGNORECASE)

Format = Literal["parquet", "csv"]
Engine = Literal["duckdb", "spark"]
Shares = tuple[Fraction, Fraction, Fraction]


@dataclass(frozen=True)
class PrepareSettings:
    """How tables are joined and split; `shares` are of train, validation and test.

    `addresses` are tables, and `out` a folder, that Spark reaches itself.
    Without `sql` the tables are taken as they are, without `key` rows are split
    one by one, without `split_by_time` by the seed.
    """

    sql: Path | None
    key: str | None
    label: str
    positive_label: str | None
    event_time: str
    deleted: str
    split_by_time: str | None
    shares: Shares
    seed: int
    format: Format
    memory_limit: int
    flows: tuple[Path, ...] = ()
    engine: Engine = "duckdb"
    addresses: tuple[str, ...] = ()
    out: str | None = None


def read_settings(given: Mapping[str, str], flows: Sequence[str] = ()) -> PrepareSettings:
    """Return the settings, DEFAULTS where nothing is given; `flows` name files.

    Raises SettingsError for options that are missing or go without what they
    need, and for a value that is none.
    """
    missing = [name for name in REQUIRED if not given.get(name)]
    if missing:
        hint = ", ".join(f"{REQUIRED[name]} with --{name}" for name in missing)
        where = ", ".join(f"--{name}" for name in missing)
        raise SettingsError("not given", where=where, hint=f"Name {hint}")
    _check_names({**given, "flow": "" if "" in flows else "given"})
    values = {**DEFAULTS, **given}
    engine = _engine(values["engine"])
    if engine == "spark":
        _check_on_spark([*given, *(["flow"] if flows else [])], values["format"])
    return PrepareSettings(
        sql=Path(values["sql"]) if "sql" in values else None,
        key=values.get("key"),
        label=values["label"],
        positive_label=values.get("positive_label"),
        event_time=values["event_time"],
        deleted=values["deleted"],
        split_by_time=values.get("split_by_time"),
        shares=_shares(values["split"]),
        seed=_whole_number(values["seed"]),
        format=_format(values["format"]),
        memory_limit=_bytes(values["memory_limit"]),
        flows=tuple(map(Path, flows)),
        engine=engine,
    )


def _check_names(given: Mapping[str, str]) -> None:
    for name in _NAMES:
        if given.get(name) == "":
            hint = "Give it a value, or leave the option out"
            raise SettingsError("the value is empty", where=_flag(name), hint=hint)
    for name in _OF_RECORDS:
        if name in given and "key" not in given:
            raise SettingsError(
                "without a key no record can be the latest of several",
                where=_flag(name),
                hint="Name the key with --key, or leave the option out",
            )


def _check_on_spark(given: Sequence[str], format: str) -> None:  # noqa: A002
    for name, reason in _NOT_ON_SPARK.items():
        if name in given and not (name == "format" and format == "parquet"):
            raise SettingsError(
                f"it cannot be combined with --engine spark: {reason}",
                where=_flag(name),
                hint="Leave it out, or use DuckDB",
            )


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _shares(text: str) -> Shares:
    """Return exact numbers: 0.7 + 0.15 is 0.85 here, and 0.85 of 10 is cut at 8.5."""
    try:
        train, validation, test = map(Fraction, text.split(","))
    except (ValueError, ZeroDivisionError) as error:
        hint = "Write the shares of train, validation and test, such as 0.7,0.15,0.15"
        raise SettingsError(
            f"{quote(text)} is not three numbers", where="--split", hint=hint
        ) from error
    if not train > 0 or min(validation, test) < 0 or train + validation + test != 1:
        raise SettingsError(
            f"the shares {quote(text)} do not add up to a whole",
            where="--split",
            hint="The shares must add up to 1, none below 0, and train's above 0",
        )
    return train, validation, test


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise SettingsError(
            f"{quote(text)} is not a whole number", where="--seed", hint="Give one such as 0"
        ) from error


def _format(text: str) -> Format:
    for known in ("parquet", "csv"):
        if text == known:
            return known
    hint = f"Give {' or '.join(FORMATS)}"
    raise SettingsError(f"{quote(text)} is not a supported format", where="--format", hint=hint)


def _engine(text: str) -> Engine:
    for known in ENGINES:
        if text == known:
            return "spark" if known == "spark" else "duckdb"
    hint = f"Give {' or '.join(ENGINES)}"
    raise SettingsError(f"{quote(text)} is not a supported engine", where="--engine", hint=hint)


def _bytes(text: str) -> int:
    size = _SIZE.fullmatch(text.strip())
    if not size:
        raise SettingsError(
            f"{quote(text)} is not a size", where="--memory-limit", hint="Give one such as 1GB"
        )
    number, unit, binary = size.groups()
    base = 1024 if binary else 1000
    return int(Fraction(number) * base ** " kmgt".index(unit.lower() or " "))
