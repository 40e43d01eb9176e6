"""What to look at before training, the most serious first."""

from collections.abc import Iterator, Sequence

from sagetree.errors import quote
from sagetree.train.profiling.facts import TableFacts

# Of a kind of finding no more are listed one by one.
MOST_OF_A_KIND = 20

# From this share of missing cells on a column says little.
MOSTLY_MISSING = 0.5

Finding = tuple[str, str]


def findings(facts: TableFacts) -> tuple[Finding, ...]:
    """Return what stands out: a word for it, and a sentence."""
    kinds = (
        ("training would end", [*_ends(facts)]),
        ("leakage?", [*_leaks(facts)]),
        ("contradiction", [*_contradictions(facts)]),
        ("duplicates", [*_duplicates(facts)]),
        ("mostly missing", [*_mostly_missing(facts)]),
        ("worth dropping", facts.of_rows.useless if facts.of_rows else ()),
        ("doubt", [note for one in facts.columns for note in one.notes]),
        ("left out", [*_left_out(facts)]),
    )
    return tuple(finding for word, said in kinds for finding in _told(word, said))


def _told(word: str, sentences: Sequence[str]) -> Iterator[Finding]:
    yield from ((word, sentence) for sentence in sentences[:MOST_OF_A_KIND])
    more = len(sentences) - MOST_OF_A_KIND
    if more > 0:
        yield word, f"{more} more of this kind"


def _ends(facts: TableFacts) -> Iterator[str]:
    yield from (one.refused for one in facts.columns if one.refused)
    if facts.of_rows is None:
        yield "there are no columns left to learn from"


def _leaks(facts: TableFacts) -> Iterator[str]:
    for leak in facts.of_rows.leaks if facts.of_rows else ():
        yield f"{leak}: list it in drop_columns, unless it is known before the label is"


def _contradictions(facts: TableFacts) -> Iterator[str]:
    count = facts.of_rows.duplicates.contradicting if facts.of_rows else None
    if count:
        yield (
            f"{count} rows are equal to a row of another label in all columns that are learnt "
            "from: no model can tell them apart"
        )


def _duplicates(facts: TableFacts) -> Iterator[str]:
    count = facts.of_rows.duplicates.repeated if facts.of_rows else 0
    if count:
        yield (
            f"{count} of {facts.rows} rows are equal to an earlier one in all columns that are "
            "learnt from"
        )


def _mostly_missing(facts: TableFacts) -> Iterator[str]:
    for one in facts.columns:
        missing = one.column.missing
        if missing > MOSTLY_MISSING * facts.rows and one.column.distinct:
            share = missing / facts.rows
            yield f"column {quote(one.column.name)} has no value in {share:.1%} of the rows"


def _left_out(facts: TableFacts) -> Iterator[str]:
    for one in facts.columns:
        if one.column.kind in ("identifier", "constant"):
            yield f"column {quote(one.column.name)}: {one.reason.removeprefix('left out: ')}"
