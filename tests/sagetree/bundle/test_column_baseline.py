"""Columns as a bundle keeps them: numbers in many bins, categories by themselves."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from sagetree.bundle.bundle import COLUMNS_FILE, ModelBundle
from sagetree.bundle.column_baseline import BINS, ColumnBaseline, ColumnBaselines
from sagetree.features.category import Category, OneHot
from sagetree.features.mixed import Mixed
from sagetree.features.moment import Moment
from sagetree.features.number import Boolean, Number, RuledNumber
from sagetree.tables.schema import Shift
from tests.sagetree.models import table_of
from tests.serve.artifacts import FEATURES, INPUTS, make_bundle
from tests.serve.rows import records

NAN = np.nan


def test_numbers_have_fifty_bins_in_their_own_units() -> None:
    values = np.random.default_rng(0).normal(size=5000).astype(np.float32)
    values[:100] = NAN
    feature = RuledNumber(column="n", shift=Shift(offset=100.0, scale=2.0))
    found = ColumnBaseline.measure(feature, feature.restore(values[:, None]))
    assert found.numbers is not None
    assert len(found.numbers.counts) == BINS + 1
    assert found.numbers.counts[-1] == 100
    assert max(found.numbers.counts[:-1]) - min(found.numbers.counts[:-1]) <= 2
    assert found.least == np.nanmin(values.astype(np.float64)) * 2 + 100
    assert (found.counts, found.are_whole) == (None, False)


def test_categories_are_counted_whatever_the_model_is_given() -> None:
    codes = np.array([0, 2, 2, NAN, 2], np.float32)[:, None]
    words = ("a", "b", "c")
    plain = ColumnBaseline.measure(Category(column="x", categories=words), codes)
    one_hot = OneHot(column="x", categories=words)
    as_indicators = one_hot.expand(codes[:, 0].astype(np.float64))
    assert plain.counts == ColumnBaseline.measure(one_hot, as_indicators).counts == (1, 0, 3)
    boolean = ColumnBaseline.measure(Boolean(column="x"), np.array([[0], [1], [1], [NAN]]))
    assert (boolean.counts, boolean.numbers) == ((1, 2), None)


def test_a_mixed_column_has_both_and_a_date_its_days() -> None:
    feature = Mixed(
        column="m", number=Number(column="m"), words=Category(column="m", categories=("x", "y"))
    )
    found = ColumnBaseline.measure(feature, np.array([[7, NAN], [NAN, 1], [NAN, NAN], [8, NAN]]))
    assert found.counts == (0, 1)
    assert found.numbers is not None
    assert found.numbers.counts == (1, 1, 2)
    assert found.are_whole
    moment = Moment(column="d")
    days = moment.expand(np.array([0.0, 86400.0]))
    assert ColumnBaseline.measure(moment, days).numbers is not None


def test_a_bundle_keeps_them(tmp_path: Path) -> None:
    bundle = make_bundle(1)
    rows = records(50)
    table = table_of({name: [row[name] for row in rows] for name in INPUTS})
    columns = ColumnBaselines.measure(FEATURES, FEATURES.transform(table).values)
    assert replace(bundle, columns=columns).save(tmp_path).files[COLUMNS_FILE]
    assert ModelBundle.load(tmp_path).columns == columns
