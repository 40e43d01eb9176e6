"""A report as one HTML file: no script, no font, no picture from elsewhere."""

from collections.abc import Sequence
from html import escape

from sagetree.evaluate.report.page.document import Chart, KeyFigure, Section, TextTable
from sagetree.evaluate.report.page.drawing import svg_of
from sagetree.evaluate.report.page.marks import SCALE_COLOURS

_STYLE = """
:root { color-scheme: light dark; --page: #ffffff; --ink: #1b1f24; --muted: #57606a;
  --grid: #d8dee4; --panel: #f6f8fa; --one: #1f6fc5; --two: #c2500a; --three: #1a7f4b;
  --four: #8250a8; }
@media (prefers-color-scheme: dark) { :root { --page: #14181d; --ink: #e6e9ed; --muted: #a3adb8;
  --grid: #343c45; --panel: #1d232a; --one: #6cb0f5; --two: #f2955a; --three: #5cc58d;
  --four: #c39be6; } }
@media print { :root { color-scheme: light; --page: #ffffff; --ink: #000000; --muted: #444444;
  --grid: #cccccc; --panel: #ffffff; --one: #1f6fc5; --two: #c2500a; --three: #1a7f4b;
  --four: #8250a8; }
  nav, details { display: none; } figure, table, .key { break-inside: avoid; }
  h2 { break-after: avoid; } body { font-size: 10pt; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.25rem 1rem 3rem; max-width: 68rem; background: var(--page);
  color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .5rem 0; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .5rem; padding-top: 1rem;
  border-top: 1px solid var(--grid); }
p { max-width: 46rem; margin: .5rem 0; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; list-style: none; }
a { color: var(--one); }
.keys { display: grid; gap: .75rem; margin: 1rem 0; padding: 0;
  grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); }
.key { background: var(--panel); border: 1px solid var(--grid); border-radius: .5rem;
  padding: .75rem 1rem; }
.key dt { font-size: .9rem; color: var(--muted); }
.key dd { margin: 0; font-size: 1.6rem; font-weight: 600; line-height: 1.3; }
.key dd + dd { font-size: .85rem; font-weight: 400; color: var(--muted); }
.charts { display: grid; gap: 1.5rem; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr)); }
figure { margin: 1rem 0 0; min-width: 0; }
figcaption { font-weight: 600; }
figure p { font-size: .9rem; color: var(--muted); margin: .25rem 0; }
svg text { font-size: 12px; fill: var(--ink); }
svg { display: block; width: 100%; height: auto; max-width: 36rem; }
summary { cursor: pointer; color: var(--one); padding: .35rem 0; font-size: .9rem; }
.scroll { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--muted); padding: .25rem 0; }
th, td { padding: .3rem .75rem .3rem 0; text-align: right; vertical-align: top;
  border-bottom: 1px solid var(--grid); white-space: nowrap; }
th:first-child { text-align: left; min-width: min(9rem, 40vw); max-width: 24rem;
  white-space: normal; overflow-wrap: anywhere; }
tbody th { font-weight: 400; }
.words th:last-child, .words td:last-child { text-align: left; white-space: normal;
  min-width: min(18rem, 45vw); max-width: 40rem; overflow-wrap: anywhere; }
"""


def html_page(title: str, sections: Sequence[Section]) -> str:
    """Return the whole file."""
    links = "".join(f'<li><a href="#{s.name}">{escape(s.title)}</a></li>' for s in sections)
    body = "\n".join(map(_section, sections))
    colours = "".join(f"--{name}: {colour}; " for name, colour in SCALE_COLOURS.items())
    style = f"{_STYLE}:root {{ {colours}}}"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f'<header><h1>{escape(title)}</h1>\n<nav aria-label="Contents"><ul>{links}</ul></nav>'
        f"</header>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _section(section: Section) -> str:
    sentences = "\n".join(f"<p>{escape(sentence)}</p>" for sentence in section.sentences)
    keys = "".join(map(_key, section.figures))
    charts = "\n".join(
        _figure(chart, f"{section.name}-{number}") for number, chart in enumerate(section.charts)
    )
    tables = "\n".join(map(_table, section.tables))
    return (
        f'<section id="{section.name}" aria-labelledby="{section.name}-head">\n'
        f'<h2 id="{section.name}-head">{escape(section.title)}</h2>\n{sentences}\n'
        + (f'<dl class="keys">{keys}</dl>\n' if keys else "")
        + tables
        + (f'<div class="charts">{charts}</div>' if charts else "")
        + "\n</section>"
    )


def _key(figure: KeyFigure) -> str:
    return (
        f'<div class="key"><dt>{escape(figure.name)}</dt><dd>{escape(figure.value)}</dd>'
        f"<dd>{escape(figure.note)}</dd></div>"
    )


def _figure(chart: Chart, name: str) -> str:
    return (
        f"<figure><figcaption>{escape(chart.title)}</figcaption>\n"
        f"<p>{escape(chart.description)}</p>\n{svg_of(chart, name)}\n"
        f"<details><summary>The numbers: {escape(chart.title)}</summary>{_table(chart.table)}"
        "</details></figure>"
    )


def _table(table: TextTable) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.columns)
    rows = "\n".join(map(_row, table.rows))
    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    label = escape(table.caption or ", ".join(table.columns))
    style = ' class="words"' if table.ends_in_words else ""
    # a table that is wider than a phone is scrolled, by keys too
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="Table: {label}"><table{style}>'
        f"{caption}<thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>"
    )


def _row(cells: Sequence[str]) -> str:
    first, *others = cells
    rest = "".join(f"<td>{escape(cell)}</td>" for cell in others)
    return f'<tr><th scope="row">{escape(first)}</th>{rest}</tr>'
