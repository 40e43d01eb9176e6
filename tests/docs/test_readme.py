"""README is short, its links lead somewhere, and its commands do what it says they do."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.following import SECONDS, follow, search_path
from tests.docs.readme import README, ROOT, Block, blocks, write_tables
from tests.needs import needs_curl, needs_uv
from tests.programs import BIN

PAGES = (README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))

# What tests/image/test_readme.py runs.
ELSEWHERE = {
    ("sh", "needs Docker"),
    ("sh", "needs an AWS account, the AWS CLI and Docker"),
    ("python", "needs an AWS account"),
}


def test_readme_is_one_page() -> None:
    lines = README.read_text().splitlines()
    assert len(lines) <= 150
    assert [line for line in lines if len(line) > 110] == []
    for picture in ("page.png", "report.png"):
        assert (ROOT / "docs" / picture).stat().st_size < 150_000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    missing = [
        link
        for link in links
        if not link.startswith("https://") and not (page.parent / link).exists()
    ]
    assert missing == []


def test_every_page_of_the_guide_is_linked() -> None:
    links = set(re.findall(r"\(docs/guide/([a-z-]+\.md)\)", README.read_text()))
    assert links == {page.name for page in (ROOT / "docs" / "guide").iterdir()}


def test_every_block_is_run_by_a_test() -> None:
    kinds = {(block.language, block.needs) for block in blocks()}
    assert kinds == {("sh", ""), ("sh", "in a clone")} | ELSEWHERE


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readme") / "my clone"
    subprocess.run(["git", "-c", "safe.directory=*", "clone", "-q", ROOT, folder], check=True)
    return folder


def expect_what_readme_says(folder: Path, log: str) -> None:
    assert re.search(r"^AUC 0\.\d{4} \(95 % interval", log, re.MULTILINE)
    assert (folder / "sagetree-out" / "model" / "xgboost-model").is_file()
    header, *rows = (folder / "scores.csv").read_text().splitlines()
    assert "score" in header.split(",")
    assert len(rows) == 50
    assert len(re.findall(r"^0\.\d+$", log, re.MULTILINE)) == 50  # curl's answer
    assert (folder / "ml" / "model" / "xgboost-model").is_file()
    assert (folder / "ml" / "output" / "data" / "metrics.json").is_file()


@pytest.mark.long
@needs_curl
def test_the_commands_work_in_a_fresh_clone(clone: Path) -> None:
    chosen = [block for block in blocks() if (block.language, block.needs) not in ELSEWHERE]
    write_tables(clone)
    expect_what_readme_says(clone, follow(clone, chosen, search_path()))


@pytest.mark.long
@needs_curl
@needs_uv
def test_the_commands_work_with_the_wheel_in_an_empty_environment(
    clone: Path, tmp_path: Path
) -> None:
    environment = tmp_path / "environment"
    uv = str(BIN / "uv")
    wheels = ("build", "--quiet", "--wheel", "--out-dir", str(tmp_path / "wheels"), str(clone))
    subprocess.run([uv, *wheels], check=True, timeout=SECONDS)
    (wheel,) = (tmp_path / "wheels").glob("*.whl")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    install = ("pip", "install", "--quiet", "--python", environment / "bin" / "python", wheel)
    subprocess.run([uv, *install], check=True, timeout=SECONDS)
    launch = (environment / "bin" / "sagetree", "cloud", "launch", "--image", "URI", "--dry-run")
    subprocess.run(launch, check=True, timeout=SECONDS)  # the template is in the wheel
    folder = tmp_path / "my table"
    folder.mkdir()
    chosen = [block for block in blocks() if (block.language, block.needs) == ("sh", "")]
    write_tables(folder)
    expect_what_readme_says(folder, follow(folder, chosen, search_path(environment / "bin")))


@needs_curl
@pytest.mark.parametrize(
    "text",
    ["false\ntrue\n", "sagetree serve nothing\ntrue\n", "cat <nothing | cat\ntrue\n"],
)
def test_a_command_that_fails_is_noticed(text: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        follow(tmp_path, [Block("sh", "", text)], search_path())
