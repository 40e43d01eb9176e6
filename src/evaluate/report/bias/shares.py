"""How often labels or predictions favour a facet and the others, and how certain that is."""

from typing import NamedTuple

from sagetree.evaluate.bias.analysis import FacetBias
from sagetree.evaluate.metrics.interval import Interval, share_interval


class FavourableShare(NamedTuple):
    """A share of some rows, and its 95 % interval."""

    rows: int
    value: float
    interval: Interval

    @classmethod
    def of(cls, count: int, rows: int) -> "FavourableShare":
        """Return the share of rows: at least one."""
        share = count / rows
        return cls(rows, share, share_interval(share, rows))


class FavourableShares(NamedTuple):
    """A facet's share of favourable outcomes, and that of the other rows."""

    facet: FavourableShare
    others: FavourableShare

    @property
    def difference(self) -> float:
        """The others' share less the facet's, as Clarify's DPL and DPPL."""
        return self.others.value - self.facet.value

    @property
    def interval(self) -> Interval:
        """Newcombe's 95 % interval of the difference (Statistics in Medicine 17, 1998)."""
        (low, high), (other_low, other_high) = self.facet.interval, self.others.interval
        share, other = self.facet.value, self.others.value
        below = ((other - other_low) ** 2 + (high - share) ** 2) ** 0.5
        above = ((other_high - other) ** 2 + (share - low) ** 2) ** 0.5
        return self.difference - below, self.difference + above


def label_shares(facet: FacetBias) -> FavourableShares | None:
    """Return the shares of favourable labels, None where there is nothing to compare."""
    inside, outside = facet.inside, facet.outside
    if not (inside.rows and outside.rows):
        return None
    return FavourableShares(
        FavourableShare.of(inside.labelled, inside.rows),
        FavourableShare.of(outside.labelled, outside.rows),
    )


def prediction_shares(facet: FacetBias) -> FavourableShares | None:
    """Return the shares of favourable predictions, None where there is nothing to compare."""
    inside, outside = facet.inside, facet.outside
    if not (inside.rows and outside.rows) or None in (inside.predicted, outside.predicted):
        return None
    return FavourableShares(
        FavourableShare.of(inside.predicted or 0, inside.rows),
        FavourableShare.of(outside.predicted or 0, outside.rows),
    )
