"""Which objective fits a label where the user names none."""

from sagetree.boosters.objectives import DEFAULT_OBJECTIVE, NUMBERS_OBJECTIVE, WORDS_OBJECTIVE
from sagetree.errors import quote
from sagetree.machine.program import LOG
from sagetree.tables.cells import to_number
from sagetree.train.columns.labels import label_column
from sagetree.train.columns.written import column_shapes
from sagetree.train.facts.facts import Facts
from sagetree.train.settings.columns import Columns

# More words than this are hardly classes: names, perhaps, or free text.
MOST_CLASSES = 20


def fitting_objective(facts: Facts, columns: Columns) -> str:
    """Return the objective of a label that may be any, and log it where it is not the usual one.

    Raises SettingsError for a label column that is not there.
    """
    if columns.label_lower_bound or columns.positive_label is not None:
        return DEFAULT_OBJECTIVE
    name = label_column(facts.table, columns)
    objective, why = _fitting(facts, name, columns)
    if objective != DEFAULT_OBJECTIVE:
        LOG.info(
            "objective is %s, because the label %s %s; set objective to learn it differently",
            objective, quote(name), why,
        )  # fmt: skip
    return objective


def _fitting(facts: Facts, name: str, columns: Columns) -> tuple[str, str]:
    """Return the objective and what it is taken for.

    Of labels that are neither numbers nor a few words, the usual objective's error says
    what to do.
    """
    numbers = facts.numbers(name)
    if numbers is not None:
        return _of_numbers(numbers.distinct)
    distinct = facts.distinct(name)
    count = distinct.distinct
    if shapes := column_shapes(distinct, columns.decimal):
        return _of_numbers(facts.shaped(distinct, shapes[0]).distinct)
    are_numbers = distinct.fits(to_number)
    if not are_numbers.any() and 2 < count <= MOST_CLASSES and 2 * count <= facts.rows:
        return WORDS_OBJECTIVE, f"is one of {count} words"
    if are_numbers.sum() > MOST_CLASSES and 2 * distinct.rows_of(are_numbers) > facts.rows:
        return NUMBERS_OBJECTIVE, "is mostly numbers"
    return DEFAULT_OBJECTIVE, ""


def _of_numbers(count: int) -> tuple[str, str]:
    if count <= 2:
        return DEFAULT_OBJECTIVE, ""
    return NUMBERS_OBJECTIVE, f"is a number of {count} values"
