"""make test-quick: which tests are nearest to a change, and how many are run in the time."""

import re
import subprocess
from pathlib import Path

import pytest

from make.quick import changed, mirror_of, module_of, nearest, run

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("path", "module", "mirror"),
    [
        ("src/serve/walk.py", "sagetree.serve.walk", "tests/serve/test_walk.py"),
        ("src/sagetree/errors.py", "sagetree.errors", "tests/sagetree/test_errors.py"),
        ("src/sagetree/bundle/old/__init__.py", "sagetree.bundle.old",
         "tests/sagetree/bundle/test_old.py"),
        ("local_test/demo.py", "local_test.demo", "tests/local_test/test_demo.py"),
        ("make/quick.py", "make.quick", "tests/make/test_quick.py"),
    ],
)  # fmt: skip
def test_modules_and_their_own_tests(path: str, module: str, mirror: str) -> None:
    assert (ROOT / path).is_file()
    assert (module_of(path), mirror_of(path).as_posix()) == (module, mirror)


@pytest.mark.parametrize(
    ("paths", "first", "among"),
    [
        (["src/train/columns/kinds.py"], ["tests/train/columns/test_kinds.py"],
         {"tests/train/columns/test_roles.py"}),
        # what imports a module comes before its room
        (["src/sagetree/export.py"], ["tests/sagetree/test_export.py"],
         {"tests/sagetree/test_cli.py"}),
        (["tests/make/test_quick.py", "src/serve/attributes.py"], ["tests/make/test_quick.py"],
         {"tests/serve/test_negotiation.py"}),
        # no module: its room
        (["src/serve/page/page.html"], [], {"tests/serve/page/test_page.py"}),
        (["tests/bad/ragged-row/error.txt"], [], {"tests/bad/test_bad.py"}),
        # a helper of tests
        (["tests/serve/asking.py"], [], {"tests/serve/scripts/test_defaults.py"}),
        (["README.md", "docs/words.md"], [], set()),
    ],
    ids=["module", "importers", "test", "data", "case", "helper", "prose"],
)  # fmt: skip
def test_the_nearest_tests_come_first(paths: list[str], first: list[str], among: set[str]) -> None:
    found = [file.as_posix() for file in nearest(paths, ROOT)]
    assert found[: len(first)] == first
    assert among <= set(found)
    assert len(found) == len(set(found))
    assert bool(found) == bool(first or among)


def repository(folder: Path) -> Path:
    """A checkout with a passing test, a failing one and one that takes for ever."""
    tests = folder / "tests"
    tests.mkdir()
    (tests / "test_a.py").write_text("def test_a(): pass\n")
    (tests / "test_b.py").write_text("def test_b(): assert 1 == 2\n")
    (tests / "test_c.py").write_text("import time\ndef test_c(): time.sleep(60)\n")
    return folder


def test_changes_are_those_since_the_last_commit(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        user = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
        subprocess.run(["git", *user, *words], cwd=tmp_path, check=True, capture_output=True)

    root = repository(tmp_path)
    git("init")
    git("add", ".")
    git("commit", "-m", "x")
    assert changed(root) == []
    (root / "tests" / "test_a.py").write_text("")
    (root / "tests" / "test_b.py").unlink()
    (root / "größe x.py").write_text("")
    git("mv", "tests/test_c.py", "tests/test_d.py")
    assert changed(root) == ["größe x.py", "tests/test_a.py", "tests/test_d.py"]


def test_what_the_time_does_not_suffice_for_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([Path("tests/test_c.py")], repository(tmp_path), 0.2) == 0
    assert capsys.readouterr().out == (
        "0.2 s are over: 1 of 1 files were not run: tests/test_c.py\n"
    )


@pytest.mark.long  # it starts pytest
def test_a_failing_test_is_shown_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = repository(tmp_path)
    assert run([Path("tests/test_b.py")], root, 60) == 1
    output = capsys.readouterr().out
    assert output.startswith("tests/test_b.py\nF")
    assert "def test_b(): assert 1 == 2\n" in output


@pytest.mark.long
def test_of_passing_tests_the_last_line_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([Path("tests/test_a.py")], repository(tmp_path), 60) == 0
    assert re.fullmatch(r"tests/test_a.py: 1 passed in [\d.]+s\n", capsys.readouterr().out)
