"""Files between options, and what is said about options that do not exist."""

import argparse

import pytest

from sagetree.desk.options import parse_options


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="p")
    parser.add_argument("data", nargs="*")
    parser.add_argument("--target")
    parser.add_argument("--check", action="store_true")
    return parser


@pytest.mark.parametrize(
    ("arguments", "data"),
    [
        ([], []),
        (["a", "b", "--target", "y"], ["a", "b"]),
        (["--target", "y", "a", "b"], ["a", "b"]),
        (["a", "--target", "y", "b"], ["a", "b"]),
    ],
)
def test_files_stand_anywhere(
    parser: argparse.ArgumentParser, arguments: list[str], data: list[str]
):
    assert parse_options(parser, arguments).data == data


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--targte", "y"], "--targte y"),
        (["a", "--targte", "y", "--check"], "--targte y"),
        (["a", "--chekc", "--check"], "--chekc"),
        (["--targte=y", "a"], "--targte=y"),
    ],
)
def test_an_unknown_option_is_named_with_its_value(
    parser: argparse.ArgumentParser,
    arguments: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
):
    with pytest.raises(SystemExit) as ended:
        parse_options(parser, arguments)
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"p: error: unrecognized arguments: {words}"
