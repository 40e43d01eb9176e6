"""`sagetree profile`: files to facts, facts to one page and a few lines."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import orjson

from sagetree.errors import PlatformError, quote
from sagetree.evaluate.bias.asked import BIAS_FILE
from sagetree.evaluate.report.page.document import present
from sagetree.evaluate.report.page.html import html_page
from sagetree.machine.program import LOG
from sagetree.train.profiling.facts import TableFacts, table_facts
from sagetree.train.profiling.findings import findings
from sagetree.train.profiling.opened import open_table
from sagetree.train.profiling.sections import SECTIONS, title

# Columns that the terminal names.
_STRONGEST = 5


class Written(NamedTuple):
    """Whether the rows of a profile have a label, and the file on facets, None without any."""

    is_labelled: bool
    bias: Path | None


def run(paths: Sequence[Path], hyperparameters: Mapping[str, str], out: Path) -> Written:
    """Write the profile of the rows of all files to `out`, and log what is in them.

    Raises UserError for what the user gave, PlatformError for a file that cannot be written.
    """
    facts = table_facts(open_table(paths, hyperparameters))
    page = html_page(title(facts), present(SECTIONS, facts))
    bias = out.with_name(BIAS_FILE) if facts.bias else None
    try:
        out.write_text(page, encoding="utf-8")
        if bias and facts.bias:
            bias.write_bytes(orjson.dumps(facts.bias.as_json(), option=orjson.OPT_INDENT_2))
    except OSError as error:
        raise PlatformError(
            f"it cannot be written: {error.strerror or error}",
            where=f"--out {out}",
            hint="Name a file in a folder of yours",
        ) from error
    LOG.info("%s", "\n".join(summary(facts)))
    return Written(facts.label is not None, bias)


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
    if facts.bias:
        yield from facts.bias.lines()
        yield from (f"facets: {note}" for note in facts.bias.notes)
    if facts.no_label:
        yield facts.no_label
