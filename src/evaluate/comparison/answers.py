"""What a model says of labelled rows: all that a comparison of two models needs of each."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sagetree.boosters.best_rounds import Rounds
from sagetree.boosters.objectives import Objective
from sagetree.boosters.scoring import Scores
from sagetree.bundle.archive import open_model
from sagetree.bundle.model import Model
from sagetree.bundle.training_rows import Repeats, TrainingRows, row_hashes
from sagetree.errors import DataError, SettingsError
from sagetree.evaluate.cases import Training, labelled_rows
from sagetree.evaluate.metrics.rows import Weights, check_finite, check_rows, with_weight
from sagetree.evaluate.metrics.tasks import even_threshold
from sagetree.machine.cores import usable_cores
from sagetree.tables.label import Labels
from sagetree.tables.table import Table

# What rows of a query and events in time have in common cannot be told row by row.
_NOT_COMPARED = ("ranking", "survival")


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
            return cls(model, Training.of(folder).rows)

    def answer(self, table: Table, other: Model) -> "Answers":
        """Return what it says of the rows of a table that has the columns of `other` too.

        Raises DataError or SchemaError where it cannot score them.
        """
        plan, rows = labelled_rows(without_others(table, self.model, other), self.model)
        made = self.model.matrix(rows.inputs)
        scores = self.model.scorer.score(made.values, rows.roles.base_margin)
        hashes = row_hashes(made.values, rows.labels)
        repeats = self.known.repeats(hashes.rows) if self.known else None
        return Answers(
            self.model, rows.labels, scores, rows.roles.weight, plan.label.classes, repeats
        )


class Answers(NamedTuple):
    """The labels (n) of rows as a model reads them, its scores (n) or (n, k), and their weights.

    `classes` are the label's, where it has some; `repeats` says how many are rows of training.
    """

    model: Model
    labels: Labels
    scores: Scores
    weights: Weights
    classes: tuple[str, ...] = ()
    repeats: Repeats | None = None

    @property
    def objective(self) -> Objective:
        """What the model learnt."""
        return self.model.objective

    @property
    def threshold(self) -> float:
        """The score from which the model, as it is served, calls rows positive."""
        decision = self.model.decision
        return decision.threshold if decision else even_threshold(self.objective)

    def that_count(self, weights: Weights) -> "Answers":
        """Return the answers for the rows that count, and how much: one of weight 0 is no row."""
        if weights is None:
            return self._replace(weights=None)
        labels, scores, counts = with_weight(weights, self.labels, self.scores, weights)
        return self._replace(labels=labels, scores=scores, weights=counts)


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


def check_comparable(champion: Answers, challenger: Answers, where: str) -> None:
    """Refuse models, or rows, of which no difference can be told.

    Raises SettingsError for models of different kinds, DataError for rows that they read
    differently or that say nothing, ArtifactError for scores that are not finite.
    """
    names = champion.objective.name, challenger.objective.name
    tasks = champion.objective.task, challenger.objective.task
    if tasks[0] != tasks[1] or tasks[0] in _NOT_COMPARED:
        raise SettingsError(
            f"the champion's objective is {names[0]}, the challenger's {names[1]}",
            where="comparison",
            hint="Compare two models of one kind: of two classes, of several, of numbers, or of "
            "quantiles",
        )
    quantiles = champion.model.scorer.quantiles, challenger.model.scorer.quantiles
    shapes = champion.scores.shape[1:], challenger.scores.shape[1:]
    if quantiles[0] != quantiles[1] or (tasks[0] in ("binary", "regression") and any(shapes)):
        raise SettingsError(
            "the models predict different quantiles, or several labels",
            where="comparison",
            hint="Compare two models of the same quantiles, or of one label each",
        )
    if champion.classes != challenger.classes or not np.array_equal(
        champion.labels, challenger.labels
    ):
        raise DataError(
            "the champion and the challenger do not read the same labels in these rows",
            where=where,
            hint="Compare two models of one label, with the same positive value or classes",
        )
    for answers in (champion, challenger):
        check = check_rows if tasks[0] == "binary" else check_finite
        check(answers.labels, answers.scores, where)
