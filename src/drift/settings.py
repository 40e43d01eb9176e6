"""What a watch for drift is given: the model, what was captured, from where on a change counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

# How likely one false alarm is in all checks of a run together, on data without drift.
FALSE_ALARMS = 0.01

# By custom a population stability index from here on is worth a look; Model Monitor's own
# distance of two distributions is judged from here on, too.
COMPARISON = 0.1

# Columns may have this share of missing cells, or of categories never seen, beyond training's.
ABSENT = 0.05

# The cells of a column that are of its kind, and those of known categories, as Model Monitor's
# constraints say it.
MATCHING = 1 - ABSENT

# From here on a change is serious.
SERIOUS_COMPARISON, SERIOUS_ABSENT = 0.25, 0.25


@dataclass(frozen=True)
class Limits:
    """From where on a change counts.

    `comparison` is of the stability index and of the distance, `kinds` and `domains` are the
    shares of cells that must be of their column's kind and of known categories; `completeness`
    has the share of cells that must be there, of the columns for which it is set.
    """

    comparison: float = COMPARISON
    kinds: float = MATCHING
    domains: float = MATCHING
    completeness: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    compares: bool = True
    evaluates: bool = True
    emits_metrics: bool = True


class TimeWindow(NamedTuple):
    """Which requests count: those from `start` up to before `end`."""

    start: datetime
    end: datetime


class Publishing(NamedTuple):
    """Which endpoint's metrics go to CloudWatch, by which schedule; a batch job has no endpoint."""

    endpoint: str
    schedule: str


@dataclass(frozen=True)
class DriftSettings:
    """What the command line, or Model Monitor, says; `model` is a path or lies on S3."""

    model: str
    captured: tuple[Path, ...]
    out: Path
    labels: Path | None = None
    window: TimeWindow | None = None
    limits: Limits = Limits()
    publishing: Publishing | None = None
