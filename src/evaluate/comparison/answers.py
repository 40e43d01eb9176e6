"""What a model says about labelled rows: all that a comparison of two models needs of each."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sagetree.boosters.best_rounds import Rounds
from sagetree.boosters.objectives import Objective
from sagetree.boosters.scoring import Scores
from sagetree.bundle.archive import open_model
from sagetree.bundle.copies import Rows, find_copies
from sagetree.bundle.model import Model
from sagetree.bundle.training_rows import Hashes, Repeats, TrainingRows, row_hashes
from sagetree.decisions.curve import priced
from sagetree.decisions.rules import LeastCost
from sagetree.errors import DataError, SettingsError, UserError
from sagetree.evaluate.cases import TrainingRecord, labelled_rows
from sagetree.evaluate.metrics.rows import Weights, check_finite, check_rows, with_weight
from sagetree.evaluate.metrics.tasks import even_threshold, event_bounds
from sagetree.evaluate.metrics.weighted import Floats
from sagetree.features.plan import LabelledRows, TablePlan
from sagetree.machine.cores import usable_cores
from sagetree.tables.label import Labels
from sagetree.tables.roles import NO_ROLES, RowRoles
from sagetree.tables.table import Table

# Tasks whose models give a row one score.
_OF_ONE_SCORE = ("binary", "regression", "ranking", "survival")


class Costs(NamedTuple):
    """What it costs to miss a positive row, and to call a negative one positive, in each row (n).

    `rule` is the decision that says so, as it is written.
    """

    miss: Floats
    alarm: Floats
    rule: str

    @classmethod
    def of(cls, rule: LeastCost, labels: Labels, roles: RowRoles = NO_ROLES) -> "Costs":
        """Return the costs of rows with labels (n); `roles` have the amounts of columns."""
        ones = np.ones(len(labels))
        return cls(
            priced(rule.miss, ones, roles.miss), priced(rule.alarm, ones, roles.alarm), str(rule)
        )


@dataclass(frozen=True)
class Contender:
    """A loaded model, and the rows it was trained on if it knows them."""

    model: Model
    known: TrainingRows | None

    @classmethod
    def load(cls, path: Path, rounds: Rounds) -> "Contender":
        """Load it from a folder or an archive. Raises ArtifactError where that cannot be."""
        with open_model(path) as folder:
            model = Model.load(folder, threads=usable_cores(), rounds=rounds, distrust=True)
            return cls(model, TrainingRecord.of(folder).rows)

    def answer(self, table: Table, other: Model) -> "Answers":
        """Return what it says about the rows of a table that has the columns of `other` too.

        Raises DataError or SchemaError where it cannot score them.
        """
        plan, rows = labelled_rows(without_others(table, self.model, other), self.model)
        made = self.model.matrix(rows.inputs)
        scores = self.model.scorer.score(made.values, rows.roles.base_margin)
        hashes = row_hashes(made.values, rows.labels)
        repeats = self.known.repeats(hashes.rows) if self.known else None
        copies = find_copies(hashes.features, rows.labels, lambda some: made.values[some])
        alike = Alike(hashes.features, copies is not None)
        return Answers.of(self.model, plan, rows, scores, alike)._replace(repeats=repeats)


class Alike(NamedTuple):
    """The hashes of rows' features (n) as a model has them, and whether it finds copies there."""

    hashes: Hashes
    has_copies: bool


class Answers(NamedTuple):
    """The labels (n) of rows as a model reads them, its scores (n) or (n, k), and their weights.

    `alike` says which rows are equal, `classes` are the label's, where it has some; `groups`
    (n) says which rows are ranked together, `costs` what the model's decision says about mistakes,
    None where they say nothing; `repeats` how many rows are rows of training.
    """

    model: Model
    labels: Labels
    scores: Scores
    weights: Weights
    alike: Alike
    classes: tuple[str, ...] = ()
    groups: NDArray[np.intp] | None = None
    costs: Costs | None = None
    repeats: Repeats | None = None

    @classmethod
    def of(
        cls, model: Model, plan: TablePlan, rows: LabelledRows, scores: Scores, alike: Alike
    ) -> "Answers":
        """Return what a model says about the rows that its plan made."""
        labels, roles = rows.labels, rows.roles
        rule = model.decision.parsed_rule if model.decision else None
        costs = Costs.of(rule, labels, roles) if isinstance(rule, LeastCost) else None
        return cls(
            model, labels, scores, roles.weight, alike, plan.label.classes, roles.groups, costs
        )

    @property
    def objective(self) -> Objective:
        """What the model learnt."""
        return self.model.objective

    @property
    def threshold(self) -> float:
        """The score from which the model, as it is served, calls rows positive."""
        decision = self.model.decision
        return decision.threshold if decision else even_threshold(self.objective)

    @property
    def together(self) -> NDArray[np.intp]:
        """The group of each row (n), one of all where none are known."""
        return np.zeros(len(self.labels), np.intp) if self.groups is None else self.groups

    def that_count(self, weights: Weights) -> "Answers":
        """Return the answers for the rows that count, and how much: a weight of 0 is not a row."""
        if weights is None:
            return self._replace(weights=None)
        labels, scores, counts = with_weight(weights, self.labels, self.scores, weights)
        found = self._replace(labels=labels, scores=scores, weights=counts)
        if self.groups is not None:
            (groups,) = with_weight(weights, self.groups)
            found = found._replace(groups=groups)
        if self.costs is not None:
            miss, alarm = with_weight(weights, self.costs.miss, self.costs.alarm)
            found = found._replace(costs=Costs(miss, alarm, self.costs.rule))
        return found


@contextmanager
def naming(contender: str) -> Iterator[None]:
    """Let errors of rows that one of two models cannot score say which one it is."""
    try:
        yield
    except UserError as error:
        error.where = ", ".join(filter(None, [contender, error.where]))
        raise


def without_others(table: Table, model: Model, other: Model) -> Table:
    """Return a table with names without the columns that only the other model has.

    A model that knows no names takes all columns in their order.
    """
    if not (table.named and model.schema.named):
        return table
    label = model.schema.label or other.schema.label
    own = {*model.schema.all_names, *(label.columns if label else ())}
    for name in set(other.schema.all_names) & set(table.names) - own:
        table = table.without(name)
    return table


def copies_of_both(champion: Answers, challenger: Answers) -> Rows | None:
    """Return a number for each row (n) that copies share, None where neither model finds any.

    Rows are copies where they are equal for both models, which may know different columns.
    """
    if not (champion.alike.has_copies or challenger.alike.has_copies):
        return None
    first, second = (
        np.unique(each.alike.hashes, return_inverse=True)[1] for each in (champion, challenger)
    )
    return first * len(second) + second


def check_comparable(champion: Answers, challenger: Answers, where: str) -> None:
    """Refuse models, or rows, whose difference cannot be measured.

    Raises SettingsError for models of different kinds, DataError for rows that they read
    differently or that say nothing, ArtifactError for scores that are not finite.
    """
    names = champion.objective.name, challenger.objective.name
    tasks = champion.objective.task, challenger.objective.task
    if tasks[0] != tasks[1]:
        raise SettingsError(
            f"the champion's objective is {names[0]}, the challenger's {names[1]}",
            where="comparison",
            hint="Compare two models of one kind: of two classes, of several, of numbers, of "
            "quantiles, of ranks, or of times",
        )
    quantiles = champion.model.scorer.quantiles, challenger.model.scorer.quantiles
    shapes = champion.scores.shape[1:], challenger.scores.shape[1:]
    if quantiles[0] != quantiles[1] or (tasks[0] in _OF_ONE_SCORE and any(shapes)):
        raise SettingsError(
            "the models predict different quantiles, or several labels",
            where="comparison",
            hint="Compare two models of the same quantiles, or of one label each",
        )
    if champion.classes != challenger.classes or not _have_one_truth(champion, challenger):
        raise DataError(
            "the champion and the challenger do not read the same labels in these rows",
            where=where,
            hint="Compare two models of one label, with the same positive value or classes",
        )
    if not np.array_equal(champion.together, challenger.together):
        raise DataError(
            "the champion and the challenger do not rank the same rows together",
            where=where,
            hint="Compare two models of one group column",
        )
    for answers in (champion, challenger):
        check = check_rows if tasks[0] == "binary" else check_finite
        check(answers.labels, answers.scores, where)


def _have_one_truth(champion: Answers, challenger: Answers) -> bool:
    """Say whether labels are the same; of events, whose times may be written in two ways, these."""
    if challenger.objective.task != "survival":
        return np.array_equal(champion.labels, challenger.labels)
    bounds = (
        event_bounds(each.objective, each.labels.astype(np.float64))
        for each in (champion, challenger)
    )
    return all(np.array_equal(*pair) for pair in zip(*bounds, strict=True))
