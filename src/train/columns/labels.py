"""The label a training job learns: which column it is, and what its cells may be."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from sagetree.boosters.objectives import Objective
from sagetree.errors import DataError, SettingsError, did_you_mean, quote, quote_all
from sagetree.machine.program import LOG
from sagetree.tables.cells import Cell, NumberShape, category_text, to_number, whole_number
from sagetree.tables.encoding import spelled_numbers
from sagetree.tables.index_names import first_column, is_key_name
from sagetree.tables.label import (
    AnyLabel,
    ClassLabel,
    EventLabel,
    IntervalLabel,
    Label,
    Labels,
    NumberLabel,
)
from sagetree.tables.label_range import LabelRange
from sagetree.tables.positive import Positive, find_positive, in_order
from sagetree.tables.table import Table
from sagetree.train.columns.written import check_one, column_shapes
from sagetree.train.facts.distinct import Distinct
from sagetree.train.facts.facts import Facts
from sagetree.train.settings.columns import Columns

# More values are not listed in a message.
VALUES_SHOWN = 3

# With fewer rows a label may well be another number in each.
FEWEST_KEYS = 20


@dataclass(frozen=True)
class Goal:
    """What is to be learnt: the objective, whether the user named it, and its bounds.

    `num_class` is how many classes there are, None where the label says it.
    """

    objective: Objective
    given: bool = True
    num_class: int | None = None
    exponential_gain: bool = True

    @property
    def is_ranking(self) -> bool:
        """Whether rows are compared within their group only."""
        return self.objective.task == "ranking"

    @property
    def allowed(self) -> LabelRange:
        """Which numbers a numeric label may be."""
        allowed = self.objective.labels or LabelRange()
        if self.is_ranking and allowed.high is None and self.exponential_gain:
            return allowed.model_copy(update={"high": MOST_RELEVANT})
        return allowed


# XGBoost's limit of a label that stands in an exponent (2^31 is the gain); see ndcg_exp_gain.
MOST_RELEVANT = 31.0


def find_label(
    facts: Facts, columns: Columns, goal: Goal, learnt: AnyLabel | None = None
) -> AnyLabel:
    """Return the label: the columns named, else the first one.

    `learnt` is the label of an earlier model, whose positive value stays what it is.

    Raises SettingsError for one that is not there, DataError for values the
    objective cannot learn.
    """
    if columns.label_lower_bound and columns.label_upper_bound:
        return _interval(facts.table, columns.label_lower_bound, columns.label_upper_bound)
    name = label_column(facts.table, columns)
    if not columns.target:
        _check_is_no_key(facts, name)
    if goal.objective.task == "binary":
        return _binary(facts, name, columns, goal, learnt)
    if goal.objective.task == "multiclass":
        return _classes(facts, name, goal)
    if columns.event is not None and columns.event != name:  # a role that is checked later
        return _event(facts, name, columns.event, columns, goal)
    return NumberLabel(name=name, allowed=goal.allowed, written=_shape(facts, name, columns))


def label_column(table: Table, columns: Columns) -> str:
    """Return the name of the label's column. Raises SettingsError for one that is not there."""
    name = columns.target or first_column(table.names, table.index_columns)
    if columns.target and not table.named:
        raise SettingsError(
            f"target is {quote(name)}, but the files of the channel have no header",
            hint="Add one, or leave target out and put the label into the first column",
        )
    _check_column(table, "target", name)
    return name


def _shape(facts: Facts, name: str, columns: Columns) -> NumberShape | None:
    """Return how a label's numbers are written, None where they are plain ones."""
    if facts.numbers(name) is not None:
        return None
    distinct = facts.distinct(name)
    shapes = column_shapes(distinct, columns.decimal)
    check_one(facts.table, distinct, shapes)
    return shapes[0] if shapes else None


def _check_is_no_key(facts: Facts, name: str) -> None:
    """Raise DataError for a first column that is called as keys are, and is one."""
    if not is_key_name(name) or facts.rows < FEWEST_KEYS:
        return
    numbers = facts.numbers(name)
    if numbers is None:
        distinct = facts.distinct(name)
        if not distinct.all_fit(to_number):
            return
        numbers = facts.shaped(distinct, None)
    is_whole = bool((numbers.values == np.floor(numbers.values)).all())
    if is_whole and numbers.is_unique and not numbers.missing:
        raise DataError(
            "the first column is taken for the label, but it only numbers rows: its values are "
            "whole numbers, each of them once",
            where=f"column {quote(name)}",
            hint="Name the label column with target",
        )


def _check_column(table: Table, setting: str, name: str) -> None:
    if name not in table.names:
        raise SettingsError(
            f"{setting} is {quote(name)}, which is not a column{did_you_mean(name, table.names)}",
            hint=f"The columns are {quote_all(table.names)}",
        )


def _interval(table: Table, lower: str, upper: str) -> IntervalLabel:
    _check_column(table, "label_lower_bound", lower)
    _check_column(table, "label_upper_bound", upper)
    return IntervalLabel(lower=lower, upper=upper)


@dataclass(frozen=True)
class _Values:
    """The distinct spellings of a label, the least first, and the rows of each."""

    texts: tuple[str, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, distinct: Distinct) -> "_Values":
        counts: dict[str, int] = {}
        for text, count in zip(distinct.texts, distinct.counts.tolist(), strict=True):
            if text is not None and count:
                counts[text] = counts.get(text, 0) + count
        texts = in_order(counts)
        return cls(tuple(texts), tuple(counts[text] for text in texts))

    def as_two_numbers(self) -> "_Values":
        """Return the two numbers that more than two texts spell, such as 1, True and 0."""
        numbers = spelled_numbers(self.texts)
        if len(self.texts) <= 2 or len({*numbers.values()}) != 2:
            return self
        counts = dict.fromkeys(sorted({*numbers.values()}), 0)
        for text, count in zip(self.texts, self.counts, strict=True):
            counts[numbers[text]] += count
        return _Values(tuple(str(category_text(n)) for n in counts), tuple(counts.values()))

    @property
    def shown(self) -> str:
        """The first values, for a message."""
        more = ", ..." if len(self.texts) > VALUES_SHOWN else ""
        return ", ".join(map(quote, self.texts[:VALUES_SHOWN])) + more


def _refuse_surplus(
    facts: Facts, name: str, most: int, error: Callable[[str], DataError]
) -> NoReturn:
    """Raise `error` of the place of the first value that is one too many, in the order of rows."""
    surplus = facts.texts_by_row(name)[most]
    facts.refuse(name, lambda cell: category_text(cell) == surplus, lambda place, _: error(place))


def _binary(
    facts: Facts, name: str, columns: Columns, goal: Goal, learnt: AnyLabel | None
) -> Label:
    distinct = facts.distinct(name)
    values = _Values.of(distinct).as_two_numbers()
    where = f"column {quote(name)}"
    hint = f"Name the label column with target; it is {quote(name)} now"
    if len(values.texts) > 2:
        if not goal.given:
            hint += (
                ". Or set objective: multi:softprob for classes, reg:squarederror for numbers, "
                "or another one"
            )
        what = f"the label has {distinct.distinct} values ({values.shown}), and two are needed"
        _refuse_surplus(
            facts, name, 2, lambda place: DataError(what, where=f"{place}, {where}", hint=hint)
        )
    if len(values.texts) < 2:
        raise _too_few(values, where, hint)
    positive = _positive(values, columns, name, learnt)
    label = Label(name=name, negative=positive.negative, positive=positive.value)
    is_probable = goal.objective.score == "probability"
    scores = f"; scores are {label.probability}" if is_probable else ""
    LOG.info("Positive label: %s (%s)%s", quote(label.positive), positive.why, scores)
    if positive.by_order:
        LOG.warning("Warning: %s", positive.doubt(name, "positive_label"))
    return label


def _too_few(values: _Values, where: str, hint: str) -> DataError:
    found = f"is {quote(values.texts[0])} in every row" if values.texts else "is empty in every row"
    return DataError(f"the label {found}; two values are needed", where=where, hint=hint)


def _positive(values: _Values, columns: Columns, name: str, learnt: AnyLabel | None) -> Positive:
    texts = values.texts
    if columns.positive_label is None:
        if isinstance(learnt, Label) and set(learnt.classes) == set(texts):
            return Positive(learnt.positive, learnt.negative, "as the earlier model has it")
        return find_positive(dict(zip(texts, values.counts, strict=True)))
    positive = _spelled_alike(str(category_text(columns.positive_label)), texts)
    if positive not in texts:
        raise SettingsError(
            f"positive_label is {quote(columns.positive_label)}, "
            f"but column {quote(name)} holds {' and '.join(map(quote, texts))}",
            hint="Use one of the two",
        )
    (negative,) = set(texts) - {positive}
    return Positive(positive, negative, "positive_label says so")


def _spelled_alike(text: str, texts: Sequence[str]) -> str:
    """Return the one of `texts` that spells the same number, `text` itself if there is none."""
    numbers = spelled_numbers((text, *texts))
    alike = (other for other in texts if numbers and numbers[other] == numbers[text])
    return text if text in texts else next(alike, text)


def _classes(facts: Facts, name: str, goal: Goal) -> ClassLabel:
    """Return the classes: numbers 0..k-1 stay themselves, other values are numbered in order."""
    values = _Values.of(facts.whole(name))
    where, count = f"column {quote(name)}", goal.num_class
    hint = f"Name the label column with target; it is {quote(name)} now"
    if len(values.texts) < 2:
        raise _too_few(values, where, hint)
    if len(values.texts) == facts.rows:
        what = f"the label has {facts.rows} classes ({values.shown}) in {facts.rows} rows"
        raise DataError(f"{what}: no two rows are alike", where=where, hint=hint)
    numbers = [number for number in map(whole_number, values.texts) if number is not None]
    if count is None or len(numbers) < len(values.texts):
        if count is not None and len(values.texts) != count:
            _refuse_count(facts, name, values, count)
        return ClassLabel(name=name, classes=values.texts)
    for text, number in zip(values.texts, numbers, strict=True):
        if number >= count:
            _refuse_number(facts, name, text, count)
    return ClassLabel(name=name, classes=tuple(map(str, range(count))))


def _refuse_count(facts: Facts, name: str, values: _Values, count: int) -> NoReturn:
    found = len(values.texts)

    def error(place: str) -> DataError:
        return DataError(
            f"the label has {found} values ({values.shown}) where num_class is {count}",
            where=f"{place}, column {quote(name)}",
            hint="Correct num_class, or leave it out",
        )

    _refuse_surplus(facts, name, count if found > count else found - 1, error)


def _refuse_number(facts: Facts, name: str, text: str, count: int) -> NoReturn:
    def error(place: str, _: Cell) -> DataError:
        return DataError(
            f"the label is {quote(text)} where num_class is {count}",
            where=f"{place}, column {quote(name)}",
            hint=f"Number the classes from 0 to {count - 1}, or leave num_class out to have "
            "them numbered",
        )

    facts.refuse(name, lambda cell: category_text(cell) == text, error)


# What an event's cells are where event_value does not say it.
_HAPPENED = ("1", "true")
_CENSORED = ("0", "false")


def _event(facts: Facts, name: str, event: str, columns: Columns, goal: Goal) -> EventLabel:
    _check_column(facts.table, "event_column", event)
    values = _Values.of(facts.whole(event))
    where = f"column {quote(event)}"
    happened: tuple[str, ...] = _HAPPENED
    censored: tuple[str, ...] = _CENSORED
    if columns.event_values:
        happened = tuple(category_text(value) or "" for value in columns.event_values)
        absent = [text for text in happened if text not in values.texts]
        if absent:
            raise SettingsError(
                f"event_value is {quote(absent[0])}, but column {quote(event)} holds "
                f"{values.shown}",
                hint="Name values that it holds",
            )
        censored = tuple(text for text in values.texts if text not in happened)
    elif not set(values.texts) <= {*happened, *censored}:
        raise DataError(
            f"its values ({values.shown}) are not 1 and 0, or true and false",
            where=where,
            hint="Name the ones that mean that the event happened with event_value",
        )
    if not set(values.texts) & set(happened):
        raise DataError(
            "no row has its event",
            where=where,
            hint="Give rows whose event happened, or name its values with event_value",
        )
    bounds = goal.objective.score != "hazard"
    return EventLabel(name=name, event=event, happened=happened, censored=censored, bounds=bounds)


def warn_of_uncensored(goal: Goal, labels: Labels) -> None:
    """Log a warning where survival is learnt from rows that all have their event."""
    censored = labels[:, 0] != labels[:, 1] if labels.ndim == 2 else labels < 0
    if goal.objective.task == "survival" and not censored.any():
        LOG.warning(
            "Warning: no row is censored: every time counts as that of an event. If some rows "
            "were only last seen then, mark them with event_column"
        )
