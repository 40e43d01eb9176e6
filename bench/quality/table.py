"""A table to judge by: its rows as they are written, its labels and its folds."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import KFold, StratifiedKFold

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

BINARY, MULTICLASS, REGRESSION = "binary", "multiclass", "regression"

OBJECTIVES = {
    BINARY: "binary:logistic",
    MULTICLASS: "multi:softprob",
    REGRESSION: "reg:squarederror",
}


class Fold(NamedTuple):
    """The rows that a contender scores after it has learnt from all others."""

    repeat: int
    number: int
    rows: IntArray

    def others(self, count: int) -> IntArray:
        """Return the rows to learn from, of `count` in all."""
        return np.setdiff1d(np.arange(count), self.rows)


@dataclass(frozen=True)
class Table:
    """A CSV file, and what meta.json beside it says about it."""

    file: Path
    task: str
    target: str
    positive: str | None
    folds: int
    repeats: int
    hyperparameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the name by which meta.json calls it."""
        return self.file.stem

    @property
    def is_judged(self) -> bool:
        """Return whether contenders and measures know its task."""
        return self.task in OBJECTIVES

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Return the rows, each cell as it is written; an empty one is missing."""
        return pd.read_csv(self.file, keep_default_na=False, na_values=[""], dtype=str)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Return the labels of a table of several classes: numbers by value, words by spelling."""
        found: list[str] = self.frame[self.target].unique().tolist()
        numbers = all(label.replace(".", "", 1).isdigit() for label in found)
        return tuple(sorted(found, key=float if numbers else None))

    @cached_property
    def labels(self) -> FloatArray:
        """Return 1 for the positive label, else 0; the class's place; or the number itself."""
        target = self.frame[self.target]
        if self.task == BINARY:
            return np.asarray(target == self.positive, dtype=np.float64)
        if self.task == MULTICLASS:
            places = {label: place for place, label in enumerate(self.classes)}
            return np.asarray(target.map(places), dtype=np.float64)
        return np.asarray(target, dtype=np.float64)

    @cached_property
    def digest(self) -> str:
        """Return what changes with the file, or with what meta.json says about its label."""
        said = [self.task, self.target, self.positive, dict(self.hyperparameters)]
        return digest_of(self.file.read_bytes(), json.dumps(said).encode())

    def split(self) -> list[Fold]:
        """Return the folds, those of the first repeat first; they are the same each time."""
        folds = []
        for repeat in range(self.repeats):
            kind = KFold if self.task == REGRESSION else StratifiedKFold
            splitter = kind(self.folds, shuffle=True, random_state=repeat)
            parts = splitter.split(self.frame, self.labels)
            folds += [Fold(repeat, number, rows) for number, (_, rows) in enumerate(parts)]
        return folds

    def to_json(self) -> dict[str, object]:
        """Return it as `from_json` takes it."""
        return {**asdict(self), "file": str(self.file)}

    @classmethod
    def from_json(cls, content: Mapping[str, object]) -> "Table":
        """Return the table that `to_json` wrote."""
        return cls(**{**content, "file": Path(str(content["file"]))})  # type: ignore[arg-type]


def read_tables(folder: Path) -> list[Table]:
    """Return the tables that meta.json in the folder names, those with the fewest cells first."""
    meta = json.loads((folder / "meta.json").read_text())
    said = sorted(meta.items(), key=lambda item: (item[1]["rows"] * item[1]["cols"], item[0]))
    return [
        Table(
            file=folder / f"{name}.csv",
            task=found["task"],
            target=found["target"],
            positive=None if found["positive"] is None else str(found["positive"]),
            folds=found["folds"],
            repeats=found["repeats"],
            hyperparameters=found.get("hp", {}),
        )
        for name, found in said
    ]


def digest_of(*parts: bytes) -> str:
    """Return sixteen hexadecimal digits that change with any of the parts."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]
