"""What a search of hyperparameters tried, and what it chose."""

from typing import Literal, TypeAlias

from pydantic import model_validator

from sagetree.tables.stored_record import StoredRecord

# A hyperparameter's value, as JSON has it.
Setting: TypeAlias = int | float | str

Settings: TypeAlias = dict[str, Setting]


class Trial(StoredRecord):
    """One setting, and the metric in each fold that it was tried on, in their groups.

    Folds of a group are boosted in step: `rounds` has for each the round that was best. A
    trial that was pruned lacks the later groups; one whose metric was no number has none.
    """

    settings: Settings
    state: Literal["complete", "pruned"]
    values: tuple[tuple[float, ...], ...]
    rounds: tuple[int, ...]

    @property
    def value(self) -> float | None:
        """The mean over the folds, None where there is none."""
        values = [value for group in self.values for value in group]
        return sum(values) / len(values) if values else None

    @property
    def best_round(self) -> int:
        """The mean of the best rounds, by the folds they are of."""
        counts = [len(group) for group in self.values]
        total = sum(n * rounds for n, rounds in zip(counts, self.rounds, strict=True))
        return max(1, round(total / sum(counts)))


class TuningHistory(StoredRecord):
    """The trials of the search that settled a model, by `metric`; `chosen` is the place of one.

    The first `defaults` of them are what holds without a search. `folds` has what the
    searches chose that the rows left out are judged by, one for each fold of theirs; it is
    empty where these rows had no part in the only search.
    """

    metric: str
    is_maximized: bool
    trials: tuple[Trial, ...]
    defaults: int
    chosen: int
    folds: tuple[Settings, ...] = ()

    @model_validator(mode="after")
    def _has_what_was_chosen(self) -> "TuningHistory":
        if not 0 <= self.chosen < len(self.trials):
            raise ValueError("the trial that was chosen is not among them")
        return self
