"""The label of the joined rows: two values, several classes, or numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sagetree.errors import DataError, SettingsError, quote
from sagetree.machine.program import LOG
from sagetree.prepare.database import Database, identifier
from sagetree.prepare.joining import JOINED, joined_column
from sagetree.prepare.kinds import is_numeric, present
from sagetree.tables.cells import category_text
from sagetree.tables.positive import find_positive

VALUES_SHOWN = 5

# Numbers of more values are not classes, nor are words that mostly occur once.
# Training draws the line for words without an objective here too.
MOST_CLASSES = 20

Counts = Sequence[tuple[object, int]]


@dataclass(frozen=True)
class JoinedLabel:
    """The label column and its classes, as the database has them.

    Of two values the positive one is the last, of more the rarest; a label of
    numbers has none. `are_words` says that training can only take them for classes.
    """

    column: str
    classes: tuple[object, ...]
    are_words: bool = True

    @property
    def is_binary(self) -> bool:
        """Whether the label has two values."""
        return len(self.classes) == 2


def read_label(db: Database, column: str, declared: str | None = None) -> JoinedLabel:
    """Return the label of the joined rows; the positive value is the declared one, else found.

    Raises SettingsError for a label that is not a column, or does not hold
    `declared` as one of two values; DataError for one that is missing somewhere,
    is the same everywhere, or is text that differs in most rows.
    """
    name, kind = joined_column(db, column, "--label")
    where = f"column {quote(name)}"
    missing = db.count(f"{JOINED} WHERE {present(identifier(name), kind)} IS NULL")
    if missing:
        hint = "Fill it in, or remove the rows with a query (--sql)"
        raise DataError(f"the label is missing from {missing} rows", where=where, hint=hint)
    # Of numbers it is enough to know that they are too many for classes.
    limit = f"LIMIT {MOST_CLASSES + 1}" if is_numeric(kind) and declared is None else ""
    values = db.rows(
        f"SELECT {identifier(name)}, count(*) FROM {JOINED} GROUP BY 1 ORDER BY 2 DESC, 1 {limit}"
    )
    if len(values) == 1:
        raise DataError(
            f"the label has 1 value ({_shown(values)}), and two are needed",
            where=where,
            hint="Name the label with --label, or make two values of it with a query (--sql)",
        )
    if len(values) > 2 and declared is not None:
        raise SettingsError(
            f"column {quote(name)} has {len(values)} values, and none is the positive one",
            where="--positive-label",
            hint="Leave it out; it is for a label of two values",
        )
    return _label(name, values, declared, are_words=not is_numeric(kind))


def _label(name: str, values: Counts, declared: str | None, *, are_words: bool) -> JoinedLabel:
    if len(values) > MOST_CLASSES and not are_words:
        return JoinedLabel(name, (), are_words)
    if len(values) > MOST_CLASSES and 2 * len(values) > sum(count for _, count in values):
        raise _no_classes(name, values)
    texts: dict[str, object] = {}
    for value, _ in values:
        text = category_text(str(value)) or ""
        if text in texts:
            raise _same(name, value, texts[text])
        texts[text] = value
    if len(values) > 2:
        return JoinedLabel(name, (*texts.values(),), are_words)
    positive = _positive(name, dict(zip(texts, (n for _, n in values), strict=True)), declared)
    (negative,) = texts.keys() - {positive}
    return JoinedLabel(name, (texts[negative], texts[positive]), are_words)


def _positive(name: str, counts: Mapping[str, int], declared: str | None) -> str:
    if declared is None:
        found = find_positive(counts)
        if found.by_order:
            LOG.warning("Warning: %s", found.doubt(name, "--positive-label"))
        return found.value
    positive = category_text(declared)
    if positive not in counts:
        raise SettingsError(
            f"{quote(declared)} is not a value of column {quote(name)}, which holds "
            f"{' and '.join(map(quote, reversed([*counts])))}",
            where="--positive-label",
            hint="Use one of the two",
        )
    return str(positive)


def _same(name: str, one: object, other: object) -> DataError:
    """Return the error for two values that training, which reads their text, cannot tell apart."""
    return DataError(
        f"training takes the values {quote(one)} and {quote(other)} of the label for the same "
        "value",
        where=f"column {quote(name)}",
        hint="Make two values of them with a query (--sql)",
    )


def _shown(values: Counts) -> str:
    return ", ".join(f"{quote(value)} in {count} rows" for value, count in values[:VALUES_SHOWN])


def _no_classes(name: str, values: Counts) -> DataError:
    rows = sum(count for _, count in values)
    return DataError(
        f"the label is text with {len(values)} values in {rows} rows ({_shown(values)}, ...), "
        "which are neither classes nor plain numbers",
        where=f"column {quote(name)}",
        hint="Name the label with --label, or make classes or numbers of it with a query (--sql)",
    )
