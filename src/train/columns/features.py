"""Schema to fitted transforms."""

from typing import assert_never

from sagetree.features.category import Category, OneHot, Ordinal
from sagetree.features.mixed import Mixed
from sagetree.features.moment import Moment
from sagetree.features.number import Boolean, Number, RuledNumber
from sagetree.features.pipeline import AnyFeature, FeaturePipeline
from sagetree.tables.schema import Column, Schema
from sagetree.train.settings.settings import Columns


def fit_features(schema: Schema, settings: Columns) -> FeaturePipeline:
    """Return the transforms of the schema's input columns, in its order."""
    return FeaturePipeline(
        missing_values=settings.missing_values,
        unknown_category=settings.unknown_category,
        features=tuple(
            _feature(column, settings.encoding) for column in schema.columns if column.is_input
        ),
    )


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


def _category(column: Column, encoding: str) -> Category | OneHot:
    categorical = OneHot if encoding == "onehot" else Category
    return categorical(column=column.name, categories=column.categories)


def _number(column: Column) -> Number | RuledNumber:
    if column.shift is None:
        if column.written is None:
            return Number(column=column.name)
        return RuledNumber(column=column.name, written=column.written)
    return RuledNumber(column=column.name, shift=column.shift, written=column.written)
