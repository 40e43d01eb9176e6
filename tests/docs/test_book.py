"""The book is made of this checkout, its links lead somewhere, and its reference is complete."""

import re
from pathlib import Path

import pytest

from docs.book import reference
from docs.book.__main__ import main
from docs.book.contents import CHAPTERS, MADE, pages
from docs.book.errors import CASES, errors_page
from docs.book.links import broken_links
from sagetree.serve.routes.many_models import handlers_of
from sagetree.serve.variables import VARIABLES
from tests.docs.readme import ROOT
from tests.serve.artifacts import holder_for, make_bundle, settings_for, site_of


def test_every_page_of_the_guide_is_in_the_book() -> None:
    listed = {page for _, entries in CHAPTERS for _, page in entries}
    found = {str(page.relative_to(ROOT)) for page in (ROOT / "docs" / "guide").glob("*.md")}
    assert found <= listed
    assert [page for page in pages() if not (ROOT / page).is_file()] == []


def test_the_paths_are_those_that_the_server_answers(tmp_path: Path) -> None:
    folder = tmp_path / "ml" / "model"
    make_bundle(1).save(folder)
    settings = settings_for(folder)
    site = site_of(settings, holder_for(folder, settings))
    listed = {route[:2] for route in (*reference.ONE_MODEL, *reference.OPEN_INFERENCE)}
    assert listed == set(site.handlers)
    many = handlers_of(settings, None, None, None)  # type: ignore[arg-type,var-annotated]
    assert {route[:2] for route in reference.MANY_MODELS} == set(many)


def test_the_files_are_those_that_a_bundle_lists(tmp_path: Path) -> None:
    page = reference.bundle_page()
    manifest = make_bundle(1).save(tmp_path / "model")
    assert [name for name in manifest.files if f"## {name}" not in page] == []


def test_every_variable_and_every_error_has_its_line() -> None:
    page = reference.variables_page()
    assert [variable.name for variable in VARIABLES if f"`{variable.name}`" not in page] == []
    cases = list(CASES.glob("**/error.txt"))
    errors = errors_page()
    assert len(re.findall("^### ", errors, re.MULTILINE)) == len(cases) > 100
    assert re.findall(r"\{(?:folder|root)\}", errors) == []
    assert "```" not in errors  # a block of code would not wrap


def test_chapters_come_in_the_order_of_a_newcomer() -> None:
    assert [title for title, _ in CHAPTERS] == [
        "First steps", "Your own data", "The programs", "SageMaker", "Switching",
        "The workshop", "Running it", "Reference", "Cost", "Inside",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("page", "broken"),
    [
        ('<p id="here"></p><a href="#here">x</a><a href="b.html#there">x</a>', []),
        ('<a href="c.html">x</a>', ["c.html"]),
        ('<a href="b.html#nowhere">x</a>', ["b.html#nowhere"]),
        ('<script src="https://example.org/x.js"></script>', ["https://example.org/x.js"]),
        ('<img src="x.png">', ["x.png"]),
    ],
)
def test_links_that_lead_nowhere_are_found(page: str, broken: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(page)
    (tmp_path / "b.html").write_text('<h2 id="there">x</h2><a href="https://example.org">x</a>')
    assert broken_links(tmp_path) == [("a.html", link) for link in broken]


@pytest.mark.long
def test_the_book_is_made(tmp_path: Path) -> None:
    pytest.importorskip("zensical", reason="zensical is not installed (make docs does it)")
    assert main(["--out", str(tmp_path / "site")]) == 0
    text = (tmp_path / "site" / "docs" / "guide" / "train.html").read_text()
    assert "several hosts" in text
    assert (tmp_path / "site" / MADE / "commands.html").is_file()
