"""`sagetree profile`: files to facts, facts to one page and a few lines."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sagetree.errors import PlatformError, quote
from sagetree.evaluate.report.page.html import html_page
from sagetree.machine.program import LOG
from sagetree.train.profiling.facts import TableFacts, table_facts
from sagetree.train.profiling.findings import findings
from sagetree.train.profiling.opened import open_table
from sagetree.train.profiling.sections import sections, title

# Columns that the terminal names.
_STRONGEST = 5


def run(paths: Sequence[Path], hyperparameters: Mapping[str, str], out: Path) -> bool:
    """Write the profile of the rows of all files to `out`, and log what is in them.

    Returns whether they have a label.

    Raises UserError for what the user gave, PlatformError for a file that cannot be written.
    """
    facts = table_facts(open_table(paths, hyperparameters))
    page = html_page(title(facts), sections(facts))
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise PlatformError(
            f"it cannot be written: {error.strerror or error}",
            where=f"--out {out}",
            hint="Name a file in a folder of yours",
        ) from error
    LOG.info("%s", "\n".join(summary(facts)))
    return facts.label is not None


def summary(facts: TableFacts) -> Iterator[str]:
    """Yield what a table holds, a line each."""
    kinds = Counter(one.kind for one in facts.columns)
    listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    counted = f": {listed}" if listed else ""
    label = f", label {facts.label.column.name}" if facts.label else ""
    yield f"{facts.rows} rows{label}; {len(facts.columns)} columns{counted}"
    cells = facts.rows * len(facts.columns)
    yield f"missing: {facts.missing} of {cells} cells"
    if facts.with_label:
        names = ", ".join(quote(pair.second) for pair in facts.with_label[:_STRONGEST])
        yield f"goes with the label: {names}"
    for word, sentence in findings(facts):
        yield f"{word}: {sentence}"
    if facts.no_label:
        yield facts.no_label
