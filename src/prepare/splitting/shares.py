"""Where each part ends, exactly: shares of counts to whole numbers."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate

from sagetree.prepare.settings import Shares


def part_ends(count: int, shares: Shares) -> list[int]:
    """Return where each part of `count` keys ends: at the sum of shares, rounded.

    >>> part_ends(10, (Fraction("0.7"), Fraction("0.15"), Fraction("0.15")))
    [7, 9, 10]
    """
    return [int(count * end + Fraction(1, 2)) for end in accumulate(shares)]


def strata_ends(counts: Sequence[int], shares: Shares) -> list[list[int]]:
    """Return where each part ends in each stratum, given with its number of keys.

    Train has something of every stratum. Rounding many small strata alike would shift the
    shares of the whole, so where a part of the whole would end more than one key away,
    strata that were rounded by about a half are rounded the other way.

    >>> strata_ends([2] * 4, (Fraction("0.7"), Fraction("0.15"), Fraction("0.15")))
    [[2, 2, 2], [2, 2, 2], [1, 1, 2], [1, 2, 2]]
    """
    first, second, _ = accumulate(shares)
    rounded = [part_ends(count, shares) for count in counts]
    train = [max(1, ends[0]) for ends in rounded]
    _balance(train, counts, first, [1] * len(counts))
    both = [max(begin, ends[1]) for begin, ends in zip(train, rounded, strict=True)]
    if shares[1]:
        _balance(both, counts, second, train)
    else:
        both = train
    return [[*ends] for ends in zip(train, both, counts, strict=True)]


def _balance(
    ends: list[int], counts: Sequence[int], share: Fraction, lowest: Sequence[int]
) -> None:
    """Move ends by one, none below `lowest`, until their sum is the share of all counts."""
    surplus = sum(ends) - sum(counts) * share
    if abs(surplus) <= 1:
        return
    step = -1 if surplus > 0 else 1

    def shift(stratum: int) -> Fraction:
        return abs(ends[stratum] + step - counts[stratum] * share)

    movable = [
        stratum
        for stratum, end in enumerate(ends)
        if lowest[stratum] <= end + step <= counts[stratum] and shift(stratum) < 1
    ]
    for stratum in sorted(movable, key=shift)[: int(abs(surplus) + Fraction(1, 2))]:
        ends[stratum] += step
