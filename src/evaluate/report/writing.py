"""The files of a report: report.html, model_card.md and model_card.json say the same."""

from pathlib import Path

import orjson

from sagetree.evaluate.report.facts import ReportFacts
from sagetree.evaluate.report.page.document import present
from sagetree.evaluate.report.page.html import html_page
from sagetree.evaluate.report.page.markdown import markdown_page
from sagetree.evaluate.report.sections import SECTIONS, title
from sagetree.evaluate.report.subject import Subject

REPORT_FILE, CARD_FILE, FACTS_FILE = "report.html", "model_card.md", "model_card.json"


def write_report(folder: Path, subject: Subject, *, with_card: bool = True) -> None:
    """Write report.html into a folder that is there, and with it the model card."""
    facts = ReportFacts.of(subject)
    name, parts = title(facts), present(SECTIONS, facts)
    files = {REPORT_FILE: html_page(name, parts).encode()}
    if with_card:
        files[CARD_FILE] = markdown_page(name, parts).encode()
        files[FACTS_FILE] = orjson.dumps(facts.as_json(), option=orjson.OPT_INDENT_2)
    for file, content in files.items():
        (folder / file).write_bytes(content)
