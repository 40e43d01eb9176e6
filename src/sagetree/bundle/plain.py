"""The columns of a model of XGBoost's own."""

from collections import Counter
from collections.abc import Sequence

from sagetree.boosters.categories import UNDECODABLE, Value, coded_columns
from sagetree.boosters.scoring import Scorer
from sagetree.errors import ArtifactError, quote
from sagetree.features.category import Category
from sagetree.features.number import Number
from sagetree.features.pipeline import FeaturePipeline
from sagetree.tables.cells import category_text
from sagetree.tables.schema import Column, Schema


def plain_columns(scorer: Scorer) -> tuple[Schema, FeaturePipeline]:
    """Return the columns of a model of XGBoost's own: by position, or by the names it stored.

    A column is a category where the file has its categories (XGBoost 3.1), and
    else a number, also where the number is a category's code.
    """
    stored = scorer.feature_names
    names = stored or tuple(f"f{index}" for index in range(scorer.feature_count))
    columns, features = [], []
    for place, name in enumerate(names):
        texts = _category_texts(name, scorer.categories.get(place, ()))
        columns.append(
            Column(
                name=name,
                kind="category" if texts else "number",
                missing=0,
                distinct=len(texts),
                categories=texts,
            )
        )
        features.append(Category(column=name, categories=texts) if texts else Number(column=name))
    pipeline = FeaturePipeline(
        missing_values=(), unknown_category="xgboost", features=tuple(features)
    )
    return Schema(columns=tuple(columns), label=None, named=bool(stored)), pipeline


def _category_texts(column: str, values: Sequence[Value]) -> tuple[str, ...]:
    """Return categories as cells are spelled. Raises ArtifactError for those no cell can be."""
    texts = [category_text(value) or "" for value in values]
    spelled = Counter(texts)
    for text in spelled:
        if text and UNDECODABLE not in text and spelled[text] == 1:
            continue
        meant = [quote(value) for value, other in zip(values, texts, strict=True) if other == text]
        what = "are spelled the same" if len(meant) > 1 else "is not one that a cell can hold"
        raise ArtifactError(
            f"of its categories {' and '.join(meant)} {what}",
            where=f"column {quote(column)}",
            hint="Rename them before training, in ASCII letters, or train on numbers "
            "(frame[column].cat.codes)",
        )
    return tuple(texts)


def unexplained_codes(scorer: Scorer) -> tuple[str, ...]:
    """Return the columns whose cells must be codes of categories that the file does not name."""
    names = scorer.feature_names
    return tuple(
        names[place] if names else f"f{place}"
        for place in coded_columns(scorer.boosters[0])
        if place not in scorer.categories
    )
