"""A person's commands on the real template, in the desk's account."""

from collections.abc import Iterator

import pytest

from local_test.cloud.account.actors import ACCOUNT, PERSON
from local_test.cloud.desk import Desk, stand
from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.template import TEMPLATES
from sagetree.cloud.commands.check import check
from sagetree.cloud.commands.delete import delete
from sagetree.cloud.commands.launch import launch
from sagetree.cloud.commands.leftovers import leftovers
from sagetree.cloud.commands.status import status
from sagetree.cloud.commands.upload import upload
from tests.cloud import strict
from tests.cloud.commands.answers import Answers, in_turn
from tests.cloud.commands.conftest import hears
from tests.cloud.toy_machine import ToyMachine

# Some ten seconds: the stack has fifty resources.
pytestmark = pytest.mark.long

IMAGE = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/sagetree:1"

ALIKE = {
    "LogicalResourceId": "JobRole",
    "ResourceType": "AWS::IAM::Role",
    "StackResourceDriftStatus": "IN_SYNC",
}


@pytest.fixture
def desk() -> Iterator[Desk]:
    with stand(ToyMachine(), strict.hold) as desk:
        yield desk


@pytest.fixture
def account(desk) -> Account:
    """The person's; moto knows no drift, so that there is none."""
    account = Account("fraud", desk.actors.session(PERSON))
    lacking = {
        ("cloudformation", "DetectStackDrift"): {"StackDriftDetectionId": "d" * 36},
        ("cloudformation", "DescribeStackDriftDetectionStatus"): {
            "DetectionStatus": "DETECTION_COMPLETE"
        },
        ("cloudformation", "DescribeStackResourceDrifts"): {"StackResourceDrifts": [ALIKE]},
    }
    for (service, operation), answer in lacking.items():
        events = account.client(service).meta.events
        events.register_first(f"before-call.{service}.{operation}", Answers(in_turn([answer])))
    return account


def test_from_launch_to_nothing_left(account, tmp_path):
    code, said = hears(lambda: launch(account, TEMPLATES, IMAGE, {}, ["queue", "watch"]))
    assert code == 0
    for name in ("fraud", "fraud-queue", "fraud-watch"):
        assert f"{name} is CREATE_COMPLETE" in said
    table = tmp_path / "claims.csv"
    table.write_text("policy_id,fraud\n1,0\n")
    assert hears(lambda: upload(account, {"claims": table}))[0] == 0
    code, said = hears(lambda: status(account))
    assert code == 0
    assert "endpoint  none yet: approve a model" in said
    _, said = hears(lambda: check(account))
    broken = [line.split(":")[0].split() for line in said if line.startswith("not ok")]
    # what moto leaves out of a template
    assert [" ".join(words[-2:]) for words in broken] == [
        "public access", "TLS only", *["is traced"] * 5,
    ]  # fmt: skip
    code, said = hears(lambda: leftovers(account))
    assert (code, said[-1]) == (0, "0 left")
    code, said = hears(lambda: delete(account, agreed=True))
    assert code == 0
    assert any("1 bucket" in line for line in said)
    code, said = hears(lambda: leftovers(account))
    assert (code, said[-1]) == (0, "0 left")
