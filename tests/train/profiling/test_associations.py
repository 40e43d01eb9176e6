"""How columns go together, against pandas and the plain formulas."""

import numpy as np
import pandas as pd
import pytest

from sagetree.evaluate.report.columns import CodedColumn
from sagetree.train.profiling.associations import (
    CRAMER,
    ETA,
    PEARSON,
    Ranked,
    associations,
    pair_of,
)

RANDOM = np.random.default_rng(3)
ROWS = 400


def number(name: str, values: np.ndarray, missing: float = 0.0) -> CodedColumn:
    values = values.astype(float).round(1)
    values[RANDOM.random(len(values)) < missing] = np.nan
    return CodedColumn(name, "number", values)


def category(
    name: str, codes: np.ndarray, missing: float = 0.0, kind: str = "category"
) -> CodedColumn:
    codes = codes.astype(float)
    codes[RANDOM.random(len(codes)) < missing] = np.nan
    return CodedColumn(name, kind, codes, tuple(f"c{n}" for n in range(int(np.nanmax(codes)) + 1)))


X = RANDOM.normal(size=ROWS)
FIRST, SECOND = number("x", X, 0.2), number("y", X**3 + RANDOM.normal(size=ROWS), 0.1)
LETTER = category("letter", np.digitize(X, [-1, 0, 1]), 0.1)
OTHER = category("other", (np.digitize(X, [-0.5, 0.5]) + RANDOM.integers(0, 2, ROWS)) % 3, 0.1)
YES = category("yes", X + RANDOM.normal(size=ROWS) > 0, kind="boolean")


def of(first: CodedColumn, second: CodedColumn) -> tuple[str, float, float | None, int]:
    pair = pair_of(Ranked(first), Ranked(second))
    assert pair is not None
    return pair.measure, pair.value, pair.spearman, pair.rows


@pytest.mark.parametrize("second", [SECOND, YES])
def test_numbers_have_pandas_correlations(second: CodedColumn) -> None:
    a, b = pd.Series(FIRST.values), pd.Series(second.values)
    measure, value, spearman, rows = of(FIRST, second)
    assert (measure, rows) == (PEARSON, int((a.notna() & b.notna()).sum()))
    assert value == pytest.approx(a.corr(b))
    assert spearman == pytest.approx(a.corr(b, method="spearman"))


# together with more cells than are counted in a table
WIDE = category("wide", RANDOM.integers(0, 1500, 5000))
WIDE_TOO = category("wide too", np.asarray(WIDE.values) // 1.25)


@pytest.mark.parametrize(("one", "other"), [(LETTER, OTHER), (YES, LETTER), (WIDE, WIDE_TOO)])
def test_categories_have_cramers_v_less_chance(one: CodedColumn, other: CodedColumn) -> None:
    counts = pd.crosstab(pd.Series(one.values), pd.Series(other.values)).to_numpy()
    rows, (r, k) = counts.sum(), counts.shape
    expected = counts.sum(1, keepdims=True) * counts.sum(0, keepdims=True) / rows
    phi = ((counts - expected) ** 2 / expected).sum() / rows
    phi = max(0, phi - (r - 1) * (k - 1) / (rows - 1))
    least = min(r - (r - 1) ** 2 / (rows - 1), k - (k - 1) ** 2 / (rows - 1))
    found = of(one, other)
    assert (found[0], found[2:]) == (CRAMER, (None, rows))
    assert found[1] == pytest.approx((phi / (least - 1)) ** 0.5)
    assert found[1] > 0.1


def test_a_category_and_a_number_have_eta_less_chance() -> None:
    frame = pd.DataFrame({"letter": LETTER.values, "x": FIRST.values}).dropna()
    groups = frame.groupby("letter").x
    within = ((frame.x - groups.transform("mean")) ** 2).sum()
    whole = ((frame.x - frame.x.mean()) ** 2).sum()
    share = 1 - within / whole * (len(frame) - 1) / (len(frame) - groups.ngroups)
    for found in (of(LETTER, FIRST), of(FIRST, LETTER)):
        assert (found[0], found[2:]) == (ETA, (None, len(frame)))
        assert found[1] == pytest.approx(share**0.5)


def test_many_categories_do_not_go_with_everything() -> None:
    random = np.random.default_rng(8)
    many = CodedColumn("many", "category", random.integers(0, 300, 5000) * 1.0, ("c",) * 300)
    alone = CodedColumn("alone", "category", np.arange(5000.0), ("c",) * 5000)
    number = CodedColumn("x", "number", random.normal(size=5000))
    letter = CodedColumn("letter", "category", random.integers(0, 3, 5000) * 1.0, ("c",) * 3)
    for column in (many, alone):
        for second in (number, letter):
            assert of(column, second)[1] < 0.15
    assert of(LETTER, LETTER)[1] == pytest.approx(1, abs=0.01)


def test_what_does_not_vary_is_left_out_and_the_strongest_pair_is_first() -> None:
    constant = number("constant", np.ones(ROWS))
    empty = number("empty", np.full(ROWS, np.nan))
    pairs = associations([FIRST, constant, empty, SECOND, LETTER])
    assert {(pair.first, pair.second) for pair in pairs} == {
        ("x", "y"), ("x", "letter"), ("y", "letter"),
    }  # fmt: skip
    strengths = [pair.strength for pair in pairs]
    assert strengths == sorted(strengths, reverse=True)
