"""A report's sentences and tables as Markdown, for a model registry or a repository."""

import re
from collections.abc import Iterator, Sequence
from html import escape

from sagetree.evaluate.report.page.document import Section, TextTable

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~!])")


def markdown_page(title: str, sections: Sequence[Section]) -> str:
    """Return the whole file; what charts show is in report.html alone."""
    return "\n".join([f"# {_plain(title)}", *(line for s in sections for line in _section(s))])


def _section(section: Section) -> Iterator[str]:
    yield f"\n## {_plain(section.title)}\n"
    for sentence in section.sentences:
        yield f"{_plain(sentence)}\n"
    for figure in section.figures:
        yield f"- {_plain(figure.name)}: {_plain(figure.value)} ({_plain(figure.note)})"
    for table in section.tables:
        yield from _table(table)


def _table(table: TextTable) -> Iterator[str]:
    yield ""
    if table.caption:
        yield f"{_plain(table.caption)}\n"
    yield _line(table.columns)
    yield _line(["---", *["---:"] * (len(table.columns) - 1)], is_plain=False)
    yield from map(_line, table.rows)
    yield ""


def _line(cells: Sequence[str], *, is_plain: bool = True) -> str:
    return f"| {' | '.join(_plain(cell) if is_plain else cell for cell in cells)} |"


def _plain(text: str) -> str:
    """Return a text that Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", escape(text, quote=False))
