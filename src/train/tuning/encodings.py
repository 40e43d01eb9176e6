"""The job's rows and plan by each encoding that a search may choose.

Channels are read once, with a code for every category. What is native takes these codes as
they are, and those of categories not listed as missing; mean labels take their statistics.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sagetree.bundle.learning_curve import Settings
from sagetree.features.category import Category
from sagetree.features.pipeline import FeaturePipeline
from sagetree.features.statistics import ManyCategories
from sagetree.train.boosting.plan import BoostingPlan, RunOptions
from sagetree.train.channels.ingest import Ingested
from sagetree.train.columns.features import with_few_native
from sagetree.train.examples.examples import Examples
from sagetree.train.examples.matrix import without_codes
from sagetree.train.hyperparameters.searching import ENCODING
from sagetree.train.settings.channel_settings import TRAIN

NATIVE, TARGET = "native", "target"


@dataclass(frozen=True)
class Encoded:
    """What was read, by one encoding, and the plan for it."""

    read: Ingested
    plan: BoostingPlan

    @property
    def train(self) -> Examples:
        """The rows that are learnt from."""
        return self.read.examples[TRAIN]

    def planned(self, settings: Settings) -> BoostingPlan:
        """Return the plan with settings that were tried or chosen."""
        params = {name: value for name, value in settings.items() if name != ENCODING}
        settled = replace(self.plan.settings, depths=(), rival={}, yielding=())
        return replace(self.plan, settings=settled, params={**self.plan.params, **params})


def encodings_of(read: Ingested, run: RunOptions) -> Mapping[str, Encoded]:
    """Return each encoding that makes a difference; the first is what holds without a search."""
    native = with_few_native(read.features) if read.settings.columns.searches_encoding else None
    if native is None or native == read.features:
        return {NATIVE: _encoded(read, run)}
    return {NATIVE: _encoded(_as(native, read), run), TARGET: _encoded(read, run)}


def _encoded(read: Ingested, run: RunOptions) -> Encoded:
    train, classes = read.examples[TRAIN], read.class_count
    boosting = read.settings.boosting
    plan = BoostingPlan.of(boosting, read.schema, read.features, train, classes=classes, run=run)
    return Encoded(read, plan)


def _as(native: FeaturePipeline, read: Ingested) -> Ingested:
    """Return what was read with native features in the place of some codes."""
    unlisted = {
        place: len(feature.categories)
        for place, owner in enumerate(read.features.owners)
        if type(feature := read.features.features[owner]) is ManyCategories
        and type(native.features[owner]) is Category
    }
    examples = {name: _with(rows, unlisted) for name, rows in read.examples.items()}
    return replace(read, features=native, examples=examples)


def _with(rows: Examples, unlisted: Mapping[int, int]) -> Examples:
    source = without_codes(rows.source, unlisted)
    return rows if source is rows.source else replace(rows, source=source)
