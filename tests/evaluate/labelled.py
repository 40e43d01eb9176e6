"""Labelled scores for tests: any Hypothesis can think of, and larger ones that look real."""

import numpy as np
from hypothesis import strategies as st

from sagetree.boosters.scoring import Scores
from sagetree.tables.label import Labels

Labelled = tuple[Labels, Scores]

# Few values, so that ties are common; 0 and 1 are what a saturated sigmoid gives.
_TIED = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.7, 1.0])
_ANY = st.floats(0, 1, width=32)


@st.composite
def labelled(draw: st.DrawFn, most: int = 30, least_per_label: int = 1) -> Labelled:
    """Draw labels that have both values and float32 scores in 0..1."""
    both = [0, 1] * least_per_label
    labels = draw(st.permutations(both + draw(st.lists(st.integers(0, 1), max_size=most))))
    values = draw(st.sampled_from([_TIED, _ANY]))
    scores = draw(st.lists(values, min_size=len(labels), max_size=len(labels)))
    return np.array(labels, np.int8), np.array(scores, np.float32)


def realistic(rows: int, share: float, seed: int = 0) -> Labelled:
    """Return rows with a `share` of positive ones, with scores of some skill."""
    random = np.random.default_rng(seed)
    labels = (random.random(rows) < share).astype(np.int8)
    labels[:2] = 0, 1
    margins = random.normal(size=rows) + 1.2 * labels - 3
    return labels, (1 / (1 + np.exp(-margins))).astype(np.float32)
