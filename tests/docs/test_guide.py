"""Each command of the guide that needs neither Docker nor an account does what its page says."""

import re
from pathlib import Path

import pytest

from docs.book.contents import pages
from tests.docs.following import follow, search_path
from tests.docs.guide_tables import write_guide_tables
from tests.docs.readme import ROOT, Block, blocks
from tests.needs import needs_curl
from tests.programs import BIN

GUIDE = sorted((ROOT / "docs" / "guide").glob("*.md"))

# What a page takes for granted: it stands on another page, which comes before.
BEFORE = {
    "bias": "sagetree train claims.csv --target fraud",
    # an exit code from 3 on says how much has drifted
    "drift": "sagetree() {\n"
    'command sagetree "$@" || { code=$?; [ $1 = drift -a $code -ge 3 ]; }\n'
    "}\n"
    "sagetree train claims.csv --target fraud\n"
    "tar -C sagetree-out/model -czf model.tar.gz .",
    "evaluate": "sagetree train claims.csv --target fraud\n"
    "sagetree train claims.csv --target fraud --set max_depth=2 --out new-out",
    "predict": "sagetree train claims.csv --target fraud",
    "prepare": "mkdir -p processing/input && cp claims.csv customers.csv processing/input\n"
    # what SageMaker has at /opt/ml
    "sagetree() {\n"
    'case "$*" in *.csv*) command sagetree "$@" ;;\n'
    '*) SAGEMAKER_BASE_DIR=$PWD command sagetree "$@" ;; esac\n'
    "}",
    "serve": "sagetree train claims.csv --target fraud",
}

# Searches of seconds in place of minutes.
SHORTER = (("tune=30 ", "tune=3 "), ("tune=20m", "tune=3s"))


def local(page: Path) -> list[str]:
    """The commands of a page that need nothing but the programs, a block each."""
    return [block.text for block in blocks(page) if (block.language, block.needs) == ("sh", "")]


# Pages whose blocks other tests run: tests/docs/test_readme.py, tests/local_test/test_examples.py.
RUN_ELSEWHERE = {Path("README.md"), Path("local_test/examples/README.md")}

COMMAND = re.compile(
    r"^ {4}(?:\$ )?(?:aws|curl|docker|eval|make|pip|python|sagetree|\./\w+)\b.*$", re.M
)


@pytest.mark.parametrize(
    "page", [page for page in pages() if page not in RUN_ELSEWHERE], ids=lambda page: str(page)
)
def test_no_command_of_the_book_goes_without_a_test(page: Path) -> None:
    """One that stands on a page of the guide is run below; any other says what it needs."""
    needless = [
        block.text
        for block in blocks(ROOT / page)
        if block.language in ("sh", "python") and not block.needs and ROOT / page not in GUIDE
    ]
    assert needless == []
    outside = re.sub(r"^```.*?^```$", "", (ROOT / page).read_text(), flags=re.M | re.DOTALL)
    assert COMMAND.findall(outside) == []


def test_other_blocks_say_what_they_need() -> None:
    needs = {
        block.needs
        for page in GUIDE
        for block in blocks(page)
        if block.language in ("sh", "python")
    }
    assert needs == {
        "", "in a clone", "needs Docker", "needs an AWS account",
        "needs an AWS account, the AWS CLI and Docker",
    }  # fmt: skip


@pytest.mark.long
@needs_curl
@pytest.mark.parametrize(
    "page", [page for page in GUIDE if local(page)], ids=lambda page: page.stem
)
def test_the_commands_of_a_page_work(page: Path, tmp_path: Path) -> None:
    write_guide_tables(tmp_path)
    text = "\n".join([BEFORE.get(page.stem, ""), *local(page)])
    for long, short in SHORTER:
        text = text.replace(long, short)
    follow(tmp_path, [Block("sh", "", text)], search_path(BIN))
