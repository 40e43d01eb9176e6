"""Processing jobs of several hosts: one alone would do a part of the work, unasked."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from sagetree.errors import SettingsError
from sagetree.evaluate.cli import main as evaluate
from sagetree.machine.paths import OptMl
from sagetree.machine.processing import check_one_host
from sagetree.prepare.cli import main as prepare

TWO = '{"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]}'


def configured(root: Path, text: str) -> OptMl:
    (root / "config").mkdir()
    (root / "config" / "resourceconfig.json").write_text(text)
    return OptMl(root)


@pytest.mark.parametrize(
    ("program", "arguments", "reason"),
    [
        (
            prepare,
            ["--label", "y"],
            "each would join and split only the rows that it has itself. "
            "Set its instance count to 1, or let them share the work with --engine spark",
        ),
        (
            evaluate,
            [],
            "each would judge the model by only the rows that it has itself. "
            "Set its instance count to 1",
        ),
    ],
)
def test_several_hosts_are_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    program: Callable[[Sequence[str]], int],
    arguments: list[str],
    reason: str,
) -> None:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    opt_ml = configured(tmp_path, TWO)
    assert program(arguments) == 1
    assert opt_ml.message.read_text() == f"the job has 2 hosts, but {reason}\n"


@pytest.mark.parametrize("text", ['{"hosts": ["algo-1"]}', "{", "[]", '{"hosts": "algo-1"}'])
def test_what_names_no_second_host_says_nothing(tmp_path: Path, text: str) -> None:
    check_one_host(configured(tmp_path, text), "it is not asked")


def test_without_the_file_there_is_one_host(tmp_path: Path) -> None:
    check_one_host(OptMl(tmp_path), "it is not asked")


def test_a_second_host_is_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        check_one_host(configured(tmp_path, TWO), "one is enough")
