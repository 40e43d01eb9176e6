"""Schema to fitted transforms."""

from typing import assert_never

from sagetree.errors import SettingsError, quote
from sagetree.features.category import Category, OneHot, Ordinal
from sagetree.features.mixed import Mixed
from sagetree.features.moment import Moment
from sagetree.features.number import Boolean, Number, RuledNumber
from sagetree.features.pipeline import AnyFeature, FeaturePipeline
from sagetree.features.statistics import ManyCategories
from sagetree.machine.program import LOG
from sagetree.tables.label import ClassLabel
from sagetree.tables.schema import Column, Schema
from sagetree.train.columns.labels import Goal
from sagetree.train.columns.listing import shortened
from sagetree.train.hyperparameters.presets import FEW_CATEGORIES
from sagetree.train.settings.columns import Columns

# Each class has a statistic of its own; more of them would make a table of one column.
MOST_CLASSES = 10

_OF_MEANS = ("binary", "multiclass", "regression", "quantile")


def fit_features(schema: Schema, settings: Columns, goal: Goal) -> FeaturePipeline:
    """Return the transforms of the schema's input columns, in its order.

    Raises SettingsError where encoding=target is asked for, and there is no mean label to take.
    """
    why_not = _why_no_statistics(schema, goal)
    if why_not and settings.encoding == "target":
        raise SettingsError(
            f"encoding=target uses mean labels, and {why_not}",
            hint="Set encoding=native or onehot, or leave it out",
        )
    return FeaturePipeline(
        missing_values=settings.missing_values,
        unknown_category=settings.unknown_category,
        features=tuple(
            _feature(column, _encoding(column, settings, takes_means=not why_not))
            for column in schema.columns
            if column.is_input
        ),
    )


def with_few_native(features: FeaturePipeline) -> FeaturePipeline:
    """Return the features as they are where no encoding is searched: codes for few categories."""
    found: tuple[AnyFeature, ...] = tuple(
        Category(column=feature.column, categories=feature.categories)
        if type(feature) is ManyCategories and len(feature.categories) <= FEW_CATEGORIES
        else feature
        for feature in features.features
    )
    return FeaturePipeline(  # a copy would keep what was made of the others
        missing_values=features.missing_values,
        unknown_category=features.unknown_category,
        features=found,
    )


def tell_mean_labels(features: FeaturePipeline) -> None:
    """Log the columns for whose categories this job finds mean labels, if any."""
    names = [quote(f.column) for f in features.features if isinstance(f, ManyCategories)]
    if names:
        LOG.info("The categories of %s are encoded as mean labels of other rows", shortened(names))


def _why_no_statistics(schema: Schema, goal: Goal) -> str | None:
    """Return why means of the label say nothing of rows, if they do not."""
    if goal.objective.task not in _OF_MEANS:
        return f"the objective is {goal.objective.name}"
    if schema.base_margins:
        return "the meaning of a label depends on its row's base margin"
    if isinstance(schema.label, ClassLabel) and len(schema.label.classes) > MOST_CLASSES:
        return f"the label has more than {MOST_CLASSES} classes"
    return None


def _encoding(column: Column, settings: Columns, *, takes_means: bool) -> str:
    if column.kind == "mixed":
        return settings.word_encoding
    may = settings.searches_encoding or (
        settings.encodes_many and len(column.categories) > FEW_CATEGORIES
    )
    return "target" if may and takes_means else settings.encoding


def _feature(column: Column, encoding: str) -> AnyFeature:
    name, categories = column.name, column.categories
    match column.kind:
        case "number":
            return _number(column)
        case "boolean":
            return Boolean(column=name)
        case "datetime":
            return Moment(column=name, order=column.date_order)
        case "ordinal":
            return Ordinal(column=name, categories=categories)
        case "category":
            return _category(column, encoding)
        case "mixed":
            return Mixed(column=name, number=_number(column), words=_category(column, encoding))
        case (
            "identifier"
            | "constant"
            | "dropped"
            | "weight"
            | "base_margin"
            | "group"
            | "time"
            | "event"
        ):
            raise ValueError(f"a column of kind {column.kind} feeds no feature")
        case _:
            assert_never(column.kind)


def _category(column: Column, encoding: str) -> Category:
    categorical = {"native": Category, "onehot": OneHot, "target": ManyCategories}[encoding]
    return categorical(column=column.name, categories=column.categories)


def _number(column: Column) -> Number | RuledNumber:
    if column.shift is None:
        if column.written is None:
            return Number(column=column.name)
        return RuledNumber(column=column.name, written=column.written)
    return RuledNumber(column=column.name, shift=column.shift, written=column.written)
