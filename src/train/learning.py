"""The part of a training job that its hosts walk together: from the channels to one model."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sagetree.bundle.baseline import MOST_ROWS
from sagetree.bundle.bundle import DataFingerprint
from sagetree.bundle.column_baseline import MOST_ROWS as OF_COLUMNS
from sagetree.bundle.learning_curve import TuningHistory
from sagetree.bundle.training_rows import TrainingRows
from sagetree.machine.allocator import return_freed_memory
from sagetree.machine.paths import OptMl
from sagetree.train.boosting.checkpoints import Checkpoints
from sagetree.train.boosting.plan import BoostingPlan, RunOptions
from sagetree.train.boosting.results import TrainedModels
from sagetree.train.boosting.scale import tell_scale, tell_splits, tell_yielding
from sagetree.train.boosting.strategies import fit
from sagetree.train.channels.ingest import Ingested, ingest
from sagetree.train.examples.copies import with_copies
from sagetree.train.examples.examples import Examples
from sagetree.train.examples.gathered import gathered
from sagetree.train.examples.leakage import hashes_of
from sagetree.train.examples.stored_rows import StoredRows
from sagetree.train.hosts.group import Group
from sagetree.train.settings.channel_settings import TEST, TRAIN, VALIDATION
from sagetree.train.settings.settings import TrainSettings
from sagetree.train.termination import Termination
from sagetree.train.tuning.tuned import Tuned, fit_tuned


@dataclass(frozen=True)
class Learnt:
    """What all hosts have learnt together, and of the rows of all what is kept with a model.

    `stored` are numbered in `stored_in`; `sample` are rows of train as they are served, and
    `own_sample` as they were read, with codes of categories in place of what stands for them.
    """

    plan: BoostingPlan
    trained: TrainedModels
    read: Ingested
    data: Mapping[str, DataFingerprint]
    has_checkpoints: bool
    stored: StoredRows
    stored_in: Examples
    sample: Examples
    own_sample: Examples
    known: TrainingRows
    tuning: TuningHistory | None


def learn(opt_ml: OptMl, settings: TrainSettings, termination: Termination, group: Group) -> Learnt:
    """Read the channels and boost; each host of the job does so, and all make the same model."""
    with group.settling():
        group.same(dict(settings.given), "the hyperparameters")
        group.same(sorted(settings.formats), "the channels")
        read = ingest(opt_ml, settings, group)
        settings = read.settings
        read.leakage().tell(fails=settings.fail_on_leakage)
        group.same(_sha256(read.first_model or b""), "the files of the channel model")
        data = read.fingerprints()
        read = _with_rows_of_all(group, read)
        return_freed_memory()  # of the tables, before the trees take theirs
        checkpoints = Checkpoints.of_job(settings, data) if group.is_leader else None
        options = termination.begin(checkpoints, read.first_model, group)
        read, plan, trained, tuning = _fit(read, options, checkpoints)
        train = read.examples[TRAIN]
        tell_splits(plan, train, trained.models)
        _check_alike(group, trained.models)
        served = plan.as_served(train)
        stored, stored_in = read.stored.of_all(group, served, read.schema)
        return Learnt(
            plan,
            trained,
            read,
            data,
            checkpoints is not None,
            stored,
            stored_in,
            gathered(group, served, most=MOST_ROWS),
            gathered(group, train, most=OF_COLUMNS),
            read.known_as(served),
            tuning,
        )


def _fit(read: Ingested, options: RunOptions, checkpoints: Checkpoints | None) -> Tuned:
    """Fit the models, by what the settings say or by what a search finds."""
    settings, train, classes = read.settings, read.examples[TRAIN], read.class_count
    plan = BoostingPlan.of(
        settings.boosting, read.schema, read.features, train, classes=classes, run=options
    )
    tell_scale(plan, train)
    tell_yielding(plan)
    if settings.tuning is not None:
        return fit_tuned(read, settings.tuning, options, checkpoints)
    return Tuned(read, plan, fit(plan, train, read.examples.get(VALIDATION)), None)


def _with_rows_of_all(group: Group, read: Ingested) -> Ingested:
    """Return what was read, with the rows of all hosts in the channels that are not learnt from."""
    if group.size == 1:
        return read
    examples = dict(read.examples)
    for name in (VALIDATION, TEST):
        if name in examples:
            examples[name] = gathered(group, examples[name], f"channel {name}")
    if VALIDATION in examples:
        measured = examples[VALIDATION]
        examples[VALIDATION] = with_copies(measured, hashes_of(measured).features)
    return replace(read, examples=examples)


def _check_alike(group: Group, models: Sequence[bytes]) -> None:
    """Raise RuntimeError where the hosts have not all made the same models."""
    found = group.gather([_sha256(model) for model in models])
    if any(other != found[0] for other in found):
        raise RuntimeError(f"the hosts ended with different models: {found}")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
