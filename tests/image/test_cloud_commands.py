"""What `sagetree cloud` prints for typing, given to the AWS CLI on a moto server."""

import re
from collections.abc import Iterator

import pytest

from sagetree.cloud.account.members import SIBLINGS
from tests.image.cloud import Cloud
from tests.programs import SAGETREE

pytestmark = pytest.mark.docker

COMMANDS = (
    (
        *("launch", "--image", "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagetree:1-amd64"),
        *("--with", ",".join(SIBLINGS)),
        *("--parameter", "EndpointKind=instance", "--parameter", "DomainName=score.example.com"),
    ),
    ("run", "--parameter", "MinimumAuc=0.8"),
    ("approve",),
    ("approve", "3"),
    ("status",),
    ("delete",),
    ("leftovers",),
    ("check",),
)

# What an answer would have put into the shell's variables.
ARN = "arn:aws:sagemaker:us-east-1:123456789012"
ANSWERS = {
    "BUCKET": "fraud-bucket",
    "LOG_GROUP": "/aws/lambda/fraud-score",
    "ROLE": "fraud-role",
    "FUNCTION": "fraud-score",
    "API": "abc",
    "ALARM": "fraud-score-errors",
    "AUTHORIZER_ID": "a1b2c3",
    "PIPELINE_EXECUTION_ARN": f"{ARN}:pipeline/fraud/execution/abcdefghijkl",
    "MODEL_PACKAGE_ARN": f"{ARN}:model-package/fraud/1",
}

# The AWS CLI's words for a line that it does not take; of one it takes, the stack is missing.
NOT_TAKEN = re.compile(r"usage: aws|Unknown options|Parameter validation failed|Invalid JSON")


def typed(cloud: Cloud) -> Iterator[str]:
    """Yield each line once."""
    said = set()
    for command in COMMANDS:
        code, log = cloud.run(SAGETREE, "cloud", *command, "--stack", "fraud", "--dry-run")
        assert code == 0, log
        for line in log.splitlines():
            # a wait would wait
            if line.startswith("+ ") and " wait " not in line and line not in said:
                said.add(line)
                yield re.sub(r"^[A-Z_]+=\$\((.*)\)$", r"\1", line.removeprefix("+ "))


def test_the_aws_cli_takes_every_line(cloud: Cloud) -> None:
    lines = list(typed(cloud))
    assert len(lines) > 40
    refused = []
    for line in lines:
        _, text = cloud.run("bash", "-c", line, **ANSWERS)
        if NOT_TAKEN.search(text):
            refused.append((line, text))
    assert refused == []


def test_a_line_that_is_not_taken_is_noticed(cloud: Cloud) -> None:
    for line in ("aws s3api head-bucket --name x", "aws sagemaker list-models --max-results 0"):
        _, text = cloud.run("bash", "-c", line)
        assert NOT_TAKEN.search(text), text
