"""Whole numbers of keys for every part and stratum, as near to the shares as can be."""

from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagetree.prepare.splitting.shares import part_ends, strata_ends

THREE = (Fraction("0.7"), Fraction("0.15"), Fraction("0.15"))


@pytest.mark.parametrize(
    ("count", "shares", "ends"),
    [
        (10, ("0.7", "0.15", "0.15"), [7, 9, 10]),
        (20, ("0.7", "0.15", "0.15"), [14, 17, 20]),
        (30, ("0.7", "0.15", "0.15"), [21, 26, 30]),
        (5, ("0.8", "0", "0.2"), [4, 4, 5]),
        (3, ("1", "0", "0"), [3, 3, 3]),
        (1, ("0.7", "0.15", "0.15"), [1, 1, 1]),
        (9, ("1/3", "1/3", "1/3"), [3, 6, 9]),
    ],
)
def test_parts_end_at_the_sum_of_shares(
    count: int, shares: tuple[str, str, str], ends: list[int]
) -> None:
    train, validation, test = map(Fraction, shares)
    assert part_ends(count, (train, validation, test)) == ends


@given(count=st.integers(0, 10**7), cuts=st.tuples(st.integers(1, 999), st.integers(0, 999)))
def test_every_key_has_its_part(count: int, cuts: tuple[int, int]) -> None:
    first, second = min(cuts) or 1, max(cuts)
    shares = (
        Fraction(first, 1000), Fraction(second - first, 1000), Fraction(1000 - second, 1000),
    )  # fmt: skip
    ends = part_ends(count, shares)
    assert ends == sorted(ends)
    assert ends[-1] == count
    sizes = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    assert all(abs(size - count * share) <= 1 for size, share in zip(sizes, shares, strict=True))


COUNTS = st.lists(st.integers(1, 60), min_size=1, max_size=40)
SPLITS = st.sampled_from(["0.7,0.15,0.15", "0.8,0.1,0.1", "0.6,0,0.4", "0.9,0.1,0", "1,0,0"])


@given(counts=COUNTS, split=SPLITS)
def test_every_stratum_is_cut_at_the_shares_within_one_key(counts: list[int], split: str) -> None:
    train, validation, test = map(Fraction, split.split(","))
    ends = strata_ends(counts, (train, validation, test))
    for count, places in zip(counts, ends, strict=True):
        assert 1 <= places[0] <= places[1] <= places[2] == count
        exact = accumulate((train, validation, test))
        cuts = zip(places, exact, strict=True)
        assert all(abs(end - count * share) <= 1 for end, share in cuts if share or end)
        assert validation or places[0] == places[1]
        assert test or places[1] == count


@given(counts=st.lists(st.integers(2, 60), min_size=1, max_size=60))
def test_rounding_many_strata_does_not_shift_the_shares_of_the_whole(counts: list[int]) -> None:
    ends = strata_ends(counts, THREE)
    for part, share in enumerate(accumulate(THREE)):
        assert abs(sum(places[part] for places in ends) - sum(counts) * share) <= 1


def test_pairs_are_not_all_cut_alike() -> None:
    """Rounded by itself each pair would be 1, 1, 0: a test without rows."""
    ends = strata_ends([2] * 100, THREE)
    assert [sum(places[part] for places in ends) for part in range(3)] == [140, 170, 200]


def test_two_strata_are_rounded_each_by_itself() -> None:
    assert strata_ends([30, 10], THREE) == [part_ends(30, THREE), part_ends(10, THREE)]


def test_train_has_something_of_every_stratum() -> None:
    thirds = (Fraction(1, 3), Fraction(1, 3), Fraction(1, 3))
    assert strata_ends([30, 1], thirds) == [[10, 20, 30], [1, 1, 1]]
