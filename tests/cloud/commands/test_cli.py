"""The command line of sagetree cloud: options that all commands have, and how they end."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagetree.cloud.account.members import MEMBERS
from sagetree.cloud.cli import main

# Any CSV file.
TABLE = Path(__file__).parents[3] / "local_test" / "payloads" / "claims.csv"
COMMANDS = (
    "launch", "upload", "run", "status", "approve", "shift", "shadow", "rollback", "erase",
    "delete", "leftovers", "ingest", "batch", "drift", "check", "redrive",
)  # fmt: skip
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagetree:0.2.0-amd64"


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """A program takes signals for itself; the suite has them back."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def test_help_names_every_command_and_their_order(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert text.startswith("usage: sagetree cloud [-h] COMMAND ...\n")
    assert re.findall(r"^    (\w+)", text, re.MULTILINE) == [*COMMANDS]
    assert "sagetree cloud launch --image " in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_the_options_of_all(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert text.startswith(f"usage: sagetree cloud {command} ")
    assert all(option in text for option in ("--stack", "--region", "--profile", "--dry-run"))


@pytest.mark.parametrize(
    ("arguments", "calls"),
    [
        (["launch", "--image", IMAGE, "--parameter", "LogDays=7"], 2),
        (["launch", "--image", IMAGE, "--with", "queue,watch"], 7),
        (["launch", "--image", IMAGE, "--with", "queue", "--with", "watch"], 7),
        (["upload", str(TABLE)], 2),
        (["shift", "10", "--package", "3"], 3),
        (["shadow", "off"], 2),
        (["rollback"], 3),
        (["run", "--parameter", "MinimumAuc=0.8"], 3),
        (["status"], 6),
        (["approve", "3"], 2),
        (["erase", "7"], 12),
        (["delete"], 2 * len(MEMBERS)),
        (["leftovers"], 20 + len(MEMBERS)),
        (["check"], 16 + 2 * len(MEMBERS)),
    ],
)
def test_a_dry_run_needs_no_account_and_names_region_and_profile(arguments, calls, capsys):
    options = ["--stack", "fraud", "--region", "eu-west-1", "--profile", "mine", "--dry-run"]
    assert main([*arguments, *options]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("+ ")]
    assert len(said) == calls
    assert all(line.rstrip(")").endswith(" --region eu-west-1 --profile mine") for line in said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["status", "--stack", "my_stack", "--dry-run"],
            "FAILED: --stack is 'my_stack'. Use letters, digits and hyphens, a letter first",
        ),
        (
            ["launch", "--stack", "Fraud", "--image", IMAGE, "--dry-run"],
            "FAILED: --stack Fraud: the stack's name has capital letters: SageMaker checks "
            "permissions by ARNs in lower case. Call it fraud. Name another one",
        ),
        (
            ["launch", "--stack", "fraud-", "--image", IMAGE, "--dry-run"],
            "FAILED: --stack fraud-: the stack's name ends with a hyphen: SageMaker does not "
            "accept such a name for an endpoint. Name another one",
        ),
        (
            ["launch", "--stack", "ssm2", "--image", IMAGE, "--dry-run"],
            "FAILED: --stack ssm2: the stack's name begins with ssm: Parameter Store reserves "
            "such parameter names for AWS. Name another one",
        ),
        (
            ["run", "--parameter", "MinimumAuc", "--dry-run"],
            "FAILED: --parameter is 'MinimumAuc'. Write --parameter NAME=VALUE",
        ),
        (
            ["run", "--parameter", "A=1", "--parameter", "A=2", "--dry-run"],
            "FAILED: --parameter A is given twice. Give it once",
        ),
        (
            ["upload", "nothing.csv", "--dry-run"],
            "FAILED: nothing.csv: the file does not exist. Name a file or a folder",
        ),
    ],
)
def test_a_wrong_call_is_one_sentence(arguments, said, capsys):
    assert main(arguments) == 1
    assert capsys.readouterr().out == f"{said}\n"


@pytest.mark.parametrize("version", ["0", "-1", "latest", "1.5"])
def test_a_version_is_a_number(version, capsys):
    with pytest.raises(SystemExit):
        main(["approve", "--dry-run", "--", version])
    assert f"'{version}' is not a whole number from 1" in capsys.readouterr().err


def test_an_interruption_says_that_aws_goes_on(monkeypatch, capsys):
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("boto3.Session", lambda **_: interrupt("while AWS is asked"))
    assert main(["status"]) == 1
    assert capsys.readouterr().out == (
        "FAILED: Interrupted. What was started in AWS goes on: see 'sagetree cloud status'\n"
    )
