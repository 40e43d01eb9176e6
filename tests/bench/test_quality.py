"""The judge as a program."""

import subprocess
import sys

import pytest

from bench.quality.environment import install_peers
from tests.bench.tables import cancer, diabetes, write_tables
from tests.needs import needs_uv


def judge(*words):
    return subprocess.run(
        [sys.executable, "-m", "bench.quality", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=900,
    )


@pytest.mark.long
def test_a_folder_without_its_description(tmp_path):
    found = judge("--tables", tmp_path)
    assert found.returncode == 2
    assert f"error: {tmp_path} has no meta.json, which says what its tables are\n" in found.stderr


@pytest.mark.long
def test_names_that_are_not_there(tmp_path):
    write_tables(tmp_path, cancer=cancer())
    found = judge("--tables", tmp_path, "--only", "cancer", "iris")
    assert found.returncode == 2
    assert f"error: {tmp_path / 'meta.json'} has no table iris\n" in found.stderr
    found = judge("--tables", tmp_path, "--contenders", "sagetree", "svm")
    assert found.returncode == 2
    assert "error: there is no contender svm, but sagetree, catboost, " in found.stderr


@needs_uv
@pytest.mark.long
def test_two_tables_with_all_peers(tmp_path):
    try:
        install_peers()
    except subprocess.CalledProcessError as error:
        pytest.skip(f"needs the peers' packages from PyPI: {error}")
    write_tables(tmp_path, cancer=cancer(), diabetes=diabetes())
    words = ("--tables", tmp_path, "--folds", "2", "--results", tmp_path / "results")
    first = judge(*words, "--peers")
    assert first.returncode == 0, first.stderr
    assert len(first.stderr.splitlines()) == 2 * 7
    assert "lacks" not in first.stdout
    assert "| binary | log loss | 1 |" in first.stdout
    again = judge(*words, "--peers")
    assert again.stderr == ""
    assert again.stdout == first.stdout
