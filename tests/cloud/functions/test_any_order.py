"""Whatever happens in whatever order, and again: what is wanted is served, or somebody is alerted.

Packages are approved and rejected, events come late and twice, a person shifts and goes back,
changes of the endpoint fail, calls are cut off. At the end all of it comes to rest.
"""

import time
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sagetree.cloud.deployment.errors import Refused
from sagetree.cloud.functions import deploy
from sagetree.cloud.names import versions_in
from tests.cloud.account import STACK, Account, refused
from tests.cloud.endpoints import CHANGING
from tests.cloud.functions.conftest import ENDPOINT_EVENT, approval, settings_of

INSTANCE = settings_of("instance")

# How often the endpoint is changed for what is wanted, and more.
ROUNDS = 30

# Calls that SageMaker or Parameter Store may not answer.
CUT_OFF = (
    "CreateEndpointConfig", "DescribeModelPackage", "GetParameters", "PutParameter",
    "UpdateEndpoint", "UpdateEndpointWeightsAndCapacities",
)  # fmt: skip

SHARES = (0, 10, 60, 100)


class Life:
    """A stack with a first package in service, and what happens to it.

    Each thing that happens is given a number, and how a change ends that it begins: "well",
    "badly", or "later".
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self.arns: list[str] = []
        self.coming: list[Mapping[str, Any]] = []
        self.came: list[Mapping[str, Any]] = []
        self.told_before_failure = 0
        self.has_failed = False
        self.only_approvals = True
        account.begin()
        self.register_approved(0, "later")
        self.deliver(0, "well")

    # --- what happens

    def register_approved(self, number: int, ends: str) -> None:
        self.arns.append(self.account.register())
        self.coming.append(approval(self.arns[-1]))
        if number % 2:
            self.deliver(-1, ends)

    def register_waiting(self, number: int, ends: str) -> None:
        self.arns.append(self.account.register("PendingManualApproval"))

    def approve(self, number: int, ends: str) -> None:
        self.account.approve(self._one(number))
        self.coming.append(approval(self._one(number)))
        if number % 2:
            self.deliver(-1, ends)

    def reject(self, number: int, ends: str) -> None:
        self.only_approvals = False
        self.account.approve(self._one(number), "Rejected")
        self.coming.append(approval(self._one(number), "Rejected"))
        if number % 2:
            self.deliver(-1, ends)

    def deliver(self, number: int, ends: str) -> None:
        if self.coming:
            event = self.coming.pop(number % len(self.coming))
            self.came.append(event)
            self.hand(event)
        self.end_changes(ends)

    def deliver_again(self, number: int, ends: str) -> None:
        self.hand(self.came[number % len(self.came)])
        self.end_changes(ends)

    def tell_of_endpoint(self, number: int, ends: str) -> None:
        self.hand(ENDPOINT_EVENT)
        self.end_changes(ends)

    def shift(self, number: int, ends: str) -> None:
        self.ask({"shift": SHARES[number % 4]}, ends)

    def shift_to(self, number: int, ends: str) -> None:
        self.ask({"shift": SHARES[number % 4], "package": self._one(number // 4)}, ends)

    def shadow(self, number: int, ends: str) -> None:
        self.ask({"shadow": self._one(number)}, ends)

    def roll_back(self, number: int, ends: str) -> None:
        self.ask({"rollback": self.account.parameter("wanted-package")}, ends)

    def cut_off(self, number: int, ends: str) -> None:
        cut = refused("slow down", "ThrottlingException")
        self.account.answer(CUT_OFF[number % 6], *[lambda: None] * (number // 6), cut)

    # --- how

    def _one(self, number: int) -> str:
        return self.arns[number % len(self.arns)]

    def ask(self, event: Mapping[str, Any], ends: str) -> None:
        """Hand over what a person asks for: twice, and it may come again."""
        self.only_approvals = False
        self.came.append(event)
        for _ in range(2):
            self.hand(event)
        self.end_changes(ends)

    def hand(self, event: Mapping[str, Any]) -> None:
        """Hand an event to the function; one that it fails at comes again."""
        self.account.calls.clear()
        try:
            answer = deploy.handler(event, self.account.clients, INSTANCE, time.time() + 600)
        except Refused:
            return
        except ClientError:
            self.coming.append(event)
            return
        if answer["action"] == "created":
            self.account.endpoint_is("Creating")

    def end_changes(self, how: str) -> None:
        """End what the endpoint is at, and what follows from it."""
        for _ in range(ROUNDS):
            endpoint = self.account.endpoint
            if how == "later" or endpoint is None or endpoint.endpoint_status not in CHANGING:
                return
            if how == "badly":
                self.has_failed = True
                self.told_before_failure = len(self.account.told)
            if endpoint.endpoint_status == "Creating":
                self.account.endpoint_is("Failed" if how == "badly" else "InService")
            else:
                self.account.settle(fails=how == "badly")
            self.hand(ENDPOINT_EVENT)
        raise AssertionError("it changes for ever")

    def come_to_rest(self) -> None:
        self.account.answers.clear()
        for _ in range(ROUNDS):
            events, self.coming = self.coming, []
            for event in events:
                self.hand(event)
                self.came.append(event)
            self.end_changes("well")
            if not self.coming:
                return
        raise AssertionError("it does not come to rest")

    # --- what there is

    def wishes(self) -> tuple[str, str]:
        challenger = self.account.parameter("challenger").removesuffix(" asked")
        return self.account.parameter("wanted-package"), challenger

    def is_as_wanted(self) -> bool:
        account = self.account
        if account.endpoint is None or account.endpoint.endpoint_status != "InService":
            return False
        wanted, challenger = self.wishes()
        share, _, beside = challenger.partition(" ")
        versions = {"main": wanted.rpartition("/")[2]}
        if beside and self.approvals()[beside][0] == "Approved":
            versions["challenger"] = beside.rpartition("/")[2]
        models = account.endpoints.models()
        if {name: str(versions_in(STACK, model)) for name, model in models.items()} != versions:
            return False
        is_shadow = "challenger" not in account.endpoints.weights
        if "challenger" not in versions or share == "shadow":
            return is_shadow
        return account.endpoints.weights["challenger"] == float(share)

    def approvals(self) -> dict[str, tuple[str, Any]]:
        """The status of each package, and since when."""
        found = {}
        for arn in self.arns:
            told = self.account.clients["sagemaker"].describe_model_package(ModelPackageName=arn)
            when = told.get("LastModifiedTime", told["CreationTime"])
            found[arn] = (told["ModelApprovalStatus"], when)
        return found


STEPS = (
    Life.register_approved, Life.register_approved, Life.register_waiting, Life.approve,
    Life.approve, Life.reject, Life.deliver, Life.deliver_again, Life.tell_of_endpoint, Life.shift,
    Life.shift_to, Life.shift_to, Life.shadow, Life.roll_back, Life.roll_back, Life.cut_off,
)  # fmt: skip


def check(life: Life) -> None:
    if not life.is_as_wanted():
        assert life.has_failed, life.wishes()
        assert len(life.account.told) > life.told_before_failure, life.wishes()


@pytest.mark.long
# a failure is not made smaller, which takes minutes
@settings(
    max_examples=30, deadline=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(STEPS),
            st.integers(0, 15),
            st.sampled_from(["well", "well", "badly", "later"]),
        ),
        min_size=10,
        max_size=30,
    ),
    last=st.sampled_from(["well", "badly"]),
)
def test_what_is_wanted_is_served_or_somebody_is_told(
    account: Account, steps: Any, last: str
) -> None:
    life = Life(account)
    for step, number, ends in steps:
        step(life, number, ends)
    life.register_approved(1, last)
    life.come_to_rest()
    check(life)
    wishes = life.wishes()
    if life.only_approvals:
        approvals = life.approvals()
        approved = {arn: when for arn, (how, when) in approvals.items() if how == "Approved"}
        assert wishes == (max(approved, key=lambda arn: approved[arn]), "none")
    for event in [event for event in life.came if "detail" in event]:
        life.hand(event)
    assert life.wishes() == wishes
    life.come_to_rest()
    check(life)
