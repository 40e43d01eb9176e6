"""CONTRIBUTING has all sections of CI with their minutes; a run ends with their seconds."""

import re
import subprocess

import pytest

from tests.docs.readme import ROOT

RUN = (ROOT / ".ci" / "run").read_text()
MOST_MINUTES = 70


def test_contributing_has_every_section_of_ci_and_its_minutes() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text()
    (table,) = re.findall(r"^\| section \| minutes .*\n\|[-|]+\n((?:\|.*\n)+)", page, re.MULTILINE)
    rows = [[cell.strip() for cell in line.split("|")[1:3]] for line in table.splitlines()]
    sections = [name.replace("'", "") for name in re.findall(r"^section (.+)$", RUN, re.MULTILINE)]
    assert [name for name, _ in rows] == sections
    assert sum(int(minutes) for _, minutes in rows) <= MOST_MINUTES


@pytest.mark.parametrize(("last", "code"), [("true", 0), ("(exit 3)", 3)])
def test_a_run_ends_with_the_seconds_of_its_sections(last: str, code: int) -> None:
    (head,) = re.findall(r"^names=.*^trap print_table EXIT$", RUN, re.MULTILINE | re.DOTALL)
    script = f"set -euo pipefail\n{head}\nsection a, b\nsection c\n{last}"
    ended = subprocess.run(["bash", "-c", script], stdout=subprocess.PIPE, text=True, timeout=20)
    assert ended.returncode == code
    ending = "and the last one failed" if code else "all done"
    assert re.fullmatch(
        rf" +\d+ s  a, b\n +\d+ s  c\n +\d+ s  in all, {ending}\n", ended.stdout.split("\n\n")[-1]
    )
