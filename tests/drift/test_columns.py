"""What of a column counts as drift; and what chance does, does not."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from sagetree.drift.measures.columns import check_count, compare_column
from sagetree.drift.measures.findings import Severity
from sagetree.drift.settings import FALSE_ALARMS, Limits
from tests.drift.simulated import CATEGORIES, NUMBERS, SORTS, Floats, cells_of, draw, known_of

# Of a table with some columns, as each check may err by.
CHANCE = FALSE_ALARMS / 50


USUAL = Limits()


def found(sort: str, before: Floats, now: Floats, limits: Limits = USUAL) -> dict[str, Severity]:
    """The checks that a column fails, and how seriously."""
    known = known_of(sort, before)
    drift = compare_column(known, cells_of(sort, now, known), len(now), limits, CHANCE)
    return {finding.check: finding.severity for finding in drift.findings}


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("rows", [30, 1000])
def test_rows_like_trainings_have_not_changed(sort: str, rows: int) -> None:
    random = np.random.default_rng(3)
    assert found(sort, draw(sort, random, 3000), draw(sort, random, rows)) == {}


@pytest.mark.parametrize("sort", NUMBERS)
@pytest.mark.parametrize("rows", [100, 1000])
def test_numbers_that_are_half_as_large_again_are_found(sort: str, rows: int) -> None:
    random = np.random.default_rng(4)
    before, now = draw(sort, random, 3000), draw(sort, random, rows)
    changed = found(sort, before, now * 1.5 + np.nanstd(now))
    assert changed == {"baseline_drift_check": Severity.SERIOUS}


def test_a_shift_of_a_third_of_a_deviation_is_moderate() -> None:
    random = np.random.default_rng(5)
    before = draw("normal", random, 3000)
    changed = found("normal", before, draw("normal", random, 3000) + 0.35)
    assert changed == {"baseline_drift_check": Severity.MODERATE}


@pytest.mark.parametrize("sort", CATEGORIES)
def test_a_category_that_takes_a_third_is_found(sort: str) -> None:
    random = np.random.default_rng(6)
    before, now = draw(sort, random, 3000), draw(sort, random, 500)
    now[:170] = 1.0
    assert "baseline_drift_check" in found(sort, before, now)


@pytest.mark.parametrize("sort", CATEGORIES)
@pytest.mark.parametrize(("share", "severity"), [(0.2, Severity.MODERATE), (0.6, Severity.SERIOUS)])
def test_categories_never_seen_are_found(sort: str, share: float, severity: Severity) -> None:
    """Beyond those that a column of very many always has."""
    random = np.random.default_rng(7)
    before, now = draw(sort, random, 3000), draw(sort, random, 2000)
    now[: int(share * 2000)] = -1.0
    assert found(sort, before, now)["categorical_values_check"] is severity


@pytest.mark.parametrize(
    ("missing", "severity"),
    [(0.05, None), (0.15, Severity.MODERATE), (0.4, Severity.SERIOUS)],
)
def test_missing_cells_are_found(missing: float, severity: Severity | None) -> None:
    random = np.random.default_rng(8)
    before = draw("normal", random, 3000)
    changed = found("normal", before, draw("normal", random, 2000, missing=missing))
    assert changed == ({"completeness_check": severity} if severity else {})


def test_a_column_without_any_value_is_missing_and_no_more() -> None:
    random = np.random.default_rng(9)
    for sort in ("normal", "few"):
        changed = found(sort, draw(sort, random, 300), np.full(50, np.nan))
        assert changed == {"completeness_check": Severity.SERIOUS}


def test_limits_are_those_that_are_given() -> None:
    random = np.random.default_rng(10)
    before, now = draw("normal", random, 3000), draw("normal", random, 3000) + 0.35
    assert found("normal", before, now, Limits(comparison=0.3)) == {}
    assert found("normal", before, now, Limits(compares=False)) == {}
    demanded = Limits(completeness={"normal": 1.0})
    assert found("normal", before, before, demanded) == {"completeness_check": Severity.MODERATE}


def test_dates_are_not_judged_by_their_values() -> None:
    """Time goes on; but cells that are missing are."""
    random = np.random.default_rng(11)
    known = replace(known_of("normal", draw("normal", random, 500)), is_moment=True)
    later = draw("normal", random, 500, missing=0.5) + 9
    drift = compare_column(known, cells_of("normal", later, known), 500, Limits(), CHANCE)
    assert [finding.check for finding in drift.findings] == ["completeness_check"]
    assert drift.values is not None
    assert drift.values.distance > 0.9


# Rows of training, and captured.
SIZES = ((100, 20), (100, 2000), (1000, 30), (1000, 300), (1000, 20_000), (20_000, 50),
         (20_000, 20_000))  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize(("trained", "captured"), SIZES)
def test_without_drift_next_to_no_column_is_an_alarm(trained: int, captured: int) -> None:
    """1 % of columns would be the limit; of all columns of a table together it is 1 %, too."""
    random = np.random.default_rng(trained + captured)
    tables = 200 if max(trained, captured) <= 2000 else 40
    alarms: Counter[str] = Counter()
    alarmed = 0
    for _ in range(tables):
        known = [known_of(sort, draw(sort, random, trained)) for sort in SORTS]
        cells = [cells_of(one.name, draw(one.name, random, captured), one) for one in known]
        chance = FALSE_ALARMS / sum(map(check_count, known, cells))
        changed = [
            one.name
            for one, held in zip(known, cells, strict=True)
            if compare_column(one, held, captured, Limits(), chance).findings
        ]
        alarms.update(changed)
        alarmed += bool(changed)
    assert sum(alarms.values()) <= 0.01 * tables * len(SORTS), alarms
    # of 200 tables 2 are to be expected, and 7 less likely than one in 200
    assert alarmed <= (6 if tables == 200 else 3), alarms
