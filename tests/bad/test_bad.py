"""Every broken channel is refused with exactly the text beside it (README.md)."""

from pathlib import Path

import pytest

from sagetree.errors import DataError
from sagetree.files.header import looks_like_header
from sagetree.files.reading import read_table
from sagetree.machine.program import run_job

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/error.txt"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_broken_input_is_refused_in_full(case: Path, tmp_path: Path) -> None:
    folder = case / "train"
    expected = (case / "error.txt").read_text().replace("{folder}", str(folder))
    with pytest.raises(DataError) as caught:
        read_table(folder, looks_like_header)
    error = caught.value
    assert f"{error}\n" == expected
    # What is wrong, where (two files are named in the message itself), and what to do.
    assert error.message
    names = [path.name for path in folder.rglob("*") if path.is_file()]
    assert error.where or sum(name in error.message for name in names) == 2
    assert error.hint

    def work() -> int:
        raise error

    # The same text is what SageMaker shows, in one line of what it shows.
    assert run_job(work, tmp_path / "failure") == 1
    assert (tmp_path / "failure").read_text() == expected
    assert len(expected) < 1024
    assert expected.count("\n") == 1


def test_there_are_cases() -> None:
    assert len(CASES) > 15
