"""Pages for people do without the turns of phrase that docs/words.md replaces."""

import re
from pathlib import Path

import pytest

from docs.book.contents import pages
from tests.docs.readme import ROOT

# "There is no X" is plain, and so is "is no longer"; "X is no Y" is not.
REPLACED = re.compile(
    r"(?<!there )\b(?:is|are) no (?!longer|more|less|better|worse)\w+"
    r"|\b(?:so many|rows left out|told|looked at|looked for|of which|for want of)\b",
    re.IGNORECASE,
)

# The one names them; the other is made from the texts of the code.
EXCEPT = {Path("docs/words.md"), Path("container/hyperparameters.md")}


@pytest.mark.parametrize("page", [page for page in pages() if page not in EXCEPT], ids=str)
def test_a_page_has_no_phrase_that_words_md_replaces(page: Path) -> None:
    text = " ".join((ROOT / page).read_text("utf-8").split())
    assert REPLACED.findall(text) == []
