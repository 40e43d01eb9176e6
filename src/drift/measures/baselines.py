"""What training's rows held, column by column, also of bundles that say less of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt

from sagetree.bundle.baseline import Baseline, Histogram
from sagetree.bundle.bundle import COLUMNS_FILE, ModelBundle
from sagetree.bundle.column_baseline import ColumnBaseline, words_of
from sagetree.errors import ArtifactError
from sagetree.features.category import Category, OneHot
from sagetree.features.number import Boolean, Number, RuledNumber
from sagetree.features.pipeline import AnyFeature
from sagetree.features.statistics import ClassShares, TargetMean

# What is allowed for chance in the share of categories never seen, in standard deviations.
_DEVIATIONS = 4


@dataclass(frozen=True)
class KnownColumn:
    """What is known of a column in training.

    `numbers` and `counts` (by category) are of some of its rows; None where the bundle does not
    say. `missing` is the share of all rows.
    """

    name: str
    kind: str
    is_moment: bool
    missing: float | None
    numbers: Histogram | None
    counts: Mapping[str, int] | None
    are_whole: bool = False
    least: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether there is anything to compare values with."""
        return self.numbers is not None or self.counts is not None

    def unseen_share(self, chance: float) -> float | None:
        """Return the share of cells that may well be of categories training's rows lack.

        As many as the categories that a single row has (Good and Turing), and what chance adds:
        where rows have the same categories again and again, next to none.
        """
        if self.counts is None or not (rows := sum(self.counts.values())):
            return None
        once, twice = (sum(count == n for count in self.counts.values()) for n in (1, 2))
        spread = _DEVIATIONS * sqrt(once + 2 * twice)
        return min(1.0, (once + spread - log(chance)) / rows)


def known_columns(bundle: ModelBundle) -> tuple[KnownColumn, ...]:
    """Return what a bundle knows of its input columns, in the model's order.

    Raises ArtifactError where it knows nothing, and for columns that are not the model's.
    """
    features = bundle.features.features
    if bundle.columns is None and bundle.baseline is None:
        raise ArtifactError(
            "the model does not store what its training rows were like",
            hint="Train it again with this sagetree",
        )
    if bundle.columns is None and bundle.baseline is not None:
        found: Sequence[ColumnBaseline] = _of_features(bundle, bundle.baseline)
    else:
        found = bundle.columns.columns if bundle.columns else ()
    if [each.column for each in found] != [feature.column for feature in features]:
        hint = "Copy the artifact again, or train again"
        raise ArtifactError("its columns are not the model's", where=COLUMNS_FILE, hint=hint)
    shares = _missing_shares(bundle)
    kinds = {column.name: column.kind for column in bundle.schema.columns}
    return tuple(
        KnownColumn(
            feature.column,
            kinds[feature.column],
            kinds[feature.column] == "datetime",
            shares.get(feature.column),
            one.numbers,
            None if one.counts is None else dict(zip(words_of(feature), one.counts, strict=True)),
            one.are_whole,
            one.least,
        )
        for feature, one in zip(features, found, strict=True)
    )


def _missing_shares(bundle: ModelBundle) -> Mapping[str, float]:
    rows = bundle.schema.rows
    return {c.name: c.missing / rows for c in bundle.schema.columns if c.is_input} if rows else {}


def _of_features(bundle: ModelBundle, baseline: Baseline) -> list[ColumnBaseline]:
    """Return what histograms of features say about columns, as bundles had them alone."""
    parts = zip(bundle.features.features, bundle.features.parts, strict=True)
    return [_of_feature(feature, baseline.features[part]) for feature, part in parts]


def _of_feature(feature: AnyFeature, histograms: Sequence[Histogram]) -> ColumnBaseline:
    first = histograms[0]
    match feature:
        case Number() | RuledNumber():
            return ColumnBaseline(column=feature.column, numbers=first)
        case OneHot():
            counts = tuple(_ones(each) for each in histograms)
            return ColumnBaseline(column=feature.column, counts=counts)
        case TargetMean() | ClassShares():
            return ColumnBaseline(column=feature.column)
        case Category() | Boolean() if len(first.counts) == len(words_of(feature)) + 1:
            return ColumnBaseline(column=feature.column, counts=first.counts[:-1])
        case _:
            return ColumnBaseline(column=feature.column)


def _ones(histogram: Histogram) -> int:
    """Return how many rows have an indicator; all may be equal."""
    return sum(
        count
        for low, count in zip((-1.0, *histogram.edges), histogram.counts[:-1], strict=True)
        if low >= 0
    )
