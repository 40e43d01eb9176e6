"""Whatever happens in whatever order, and again: what is wanted is served, or somebody is told.

A machine approves, rejects, delivers events late and twice, shifts, goes back, lets changes of the
endpoint fail and calls be cut off. At the end SageMaker comes to rest, and all events with it.
"""

import time
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from sagetree.cloud.deployment.errors import Refused
from sagetree.cloud.functions import deploy
from sagetree.cloud.names import NONE, versions_in
from tests.cloud.account import STACK, Account, refused
from tests.cloud.endpoints import CHANGING
from tests.cloud.functions.conftest import ENDPOINT_EVENT, approval, settings_of

INSTANCE = settings_of("instance")

# Rounds in which everything has come to rest: the endpoint is changed three times at most for a
# wish, and there are as many wishes as events.
ROUNDS = 60

numbers = st.integers(0, 9)


class Stack(RuleBasedStateMachine):
    account: ClassVar[Account]

    def __init__(self) -> None:
        super().__init__()
        self.account.begin()
        self.arns: list[str] = []
        self.coming: list[Mapping[str, Any]] = []
        self.came: list[Mapping[str, Any]] = []
        self.told_before_failure = 0
        self.has_failed = False
        self.only_approvals = True

    # --- what happens

    @rule()
    def a_package_is_approved(self) -> None:
        self.arns.append(self.account.register())
        self.coming.append(approval(self.arns[-1]))

    @rule()
    def a_package_waits_for_its_approval(self) -> None:
        self.arns.append(self.account.register("PendingManualApproval"))

    @precondition(lambda self: self.arns)
    @rule(which=numbers)
    def it_is_approved_later_or_again(self, which: int) -> None:
        arn = self.arns[which % len(self.arns)]
        self.account.approve(arn)
        self.coming.append(approval(arn))

    @precondition(lambda self: self.arns)
    @rule(which=numbers)
    def it_is_rejected(self, which: int) -> None:
        self.only_approvals = False
        self.account.approve(self.arns[which % len(self.arns)], "Rejected")

    @precondition(lambda self: self.coming)
    @rule(which=numbers)
    def an_event_comes(self, which: int) -> None:
        event = self.coming.pop(which % len(self.coming))
        self.came.append(event)
        self.hand(event)

    @precondition(lambda self: self.came)
    @rule(which=numbers)
    def an_event_comes_again(self, which: int) -> None:
        self.hand(self.came[which % len(self.came)])

    @rule()
    def an_event_of_the_endpoint_comes(self) -> None:
        self.hand(ENDPOINT_EVENT)

    @precondition(lambda self: self.arns)
    @rule(share=st.sampled_from([0, 10, 60, 100]), which=numbers, is_named=st.booleans())
    def a_person_shifts(self, share: int, which: int, is_named: bool) -> None:
        named = {"package": self.arns[which % len(self.arns)]} if is_named else {}
        self.ask({"shift": share, **named})

    @precondition(lambda self: self.arns)
    @rule(which=numbers)
    def a_person_names_a_shadow(self, which: int) -> None:
        self.ask({"shadow": self.arns[which % len(self.arns)]})

    @rule()
    def a_person_goes_back(self) -> None:
        self.ask({"rollback": self.account.parameter("wanted-package")})

    @rule(fails=st.booleans())
    def a_change_ends(self, fails: bool) -> None:
        if self.end_change(fails=fails):
            self.coming.append(ENDPOINT_EVENT)

    @rule(
        operation=st.sampled_from(
            ["PutParameter", "UpdateEndpoint", "CreateEndpointConfig", "GetParameters",
             "UpdateEndpointWeightsAndCapacities", "DescribeModelPackage"]
        ),
        later=st.integers(0, 2),
    )  # fmt: skip
    def a_call_will_be_cut_off(self, operation: str, later: int) -> None:
        cut = refused("slow down", "ThrottlingException")
        self.account.answer(operation, *[lambda: None] * later, cut)

    # --- how

    def ask(self, event: Mapping[str, Any]) -> None:
        """Hand over what a person asks for: twice, and it may come again."""
        self.only_approvals = False
        self.came.append(event)
        for _ in range(2):
            self.hand(event)

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

    def end_change(self, *, fails: bool) -> bool:
        endpoint = self.account.endpoint
        if endpoint is None or endpoint.endpoint_status not in CHANGING:
            return False
        if fails:
            self.has_failed = True
            self.told_before_failure = len(self.account.told)
        if endpoint.endpoint_status == "Creating":
            self.account.endpoint_is("Failed" if fails else "InService")
        else:
            self.account.settle(fails=fails)
        return True

    def come_to_rest(self) -> None:
        self.account.answers.clear()
        for _ in range(ROUNDS):
            events, self.coming = self.coming, []
            for event in events:
                self.hand(event)
                self.came.append(event)
            ended = self.end_change(fails=False)
            self.hand(ENDPOINT_EVENT)
            endpoint = self.account.endpoint
            if (
                not ended
                and not self.coming
                and (endpoint is None or endpoint.endpoint_status not in CHANGING)
            ):
                return
        raise AssertionError("it does not come to rest")

    # --- what holds in the end

    def teardown(self) -> None:
        self.come_to_rest()
        self.what_is_wanted_is_served_or_somebody_is_told()
        before = self.wishes()
        if self.only_approvals:
            self.the_last_approved_is_wanted()
        for event in [event for event in self.came if "detail" in event]:
            self.hand(event)
        assert self.wishes() == before
        self.come_to_rest()
        self.what_is_wanted_is_served_or_somebody_is_told()

    def wishes(self) -> list[str]:
        wanted, challenger = map(self.account.parameter, ("wanted-package", "challenger"))
        return [wanted, challenger.removesuffix(" asked")]

    def what_is_wanted_is_served_or_somebody_is_told(self) -> None:
        if self.account.parameter("wanted-package") == NONE or self.is_as_wanted():
            return
        assert self.has_failed
        assert len(self.account.told) > self.told_before_failure

    def is_as_wanted(self) -> bool:
        account = self.account
        if account.endpoint is None or account.endpoint.endpoint_status != "InService":
            return False
        wanted, challenger = self.wishes()
        share, _, beside = challenger.partition(" ")
        versions = {"main": wanted.rpartition("/")[2]}
        if (
            beside
            and account.sagemaker.model_packages[
                account.sagemaker.model_package_name_mapping.get(beside, beside)
            ].model_approval_status
            == "Approved"
        ):
            versions["challenger"] = beside.rpartition("/")[2]
        served = {
            name: str(versions_in(STACK, model))
            for name, model in account.endpoints.models().items()
        }
        if "challenger" in versions and share != "shadow":
            return served == versions and account.endpoints.weights["challenger"] == float(share)
        return served == versions

    def the_last_approved_is_wanted(self) -> None:
        described = account_packages(self.account, self.arns)
        approved = {arn: when for arn, (status, when) in described.items() if status == "Approved"}
        if approved:
            last = max(approved, key=lambda arn: approved[arn])
            assert self.account.parameter("wanted-package") == last


def account_packages(account: Account, arns: list[str]) -> dict[str, tuple[str, Any]]:
    described = {}
    for arn in arns:
        told = account.clients["sagemaker"].describe_model_package(ModelPackageName=arn)
        when = told.get("LastModifiedTime", told["CreationTime"])
        described[arn] = (told["ModelApprovalStatus"], when)
    return described


@pytest.mark.long
def test_what_is_wanted_is_served_or_somebody_is_told(account: Account) -> None:
    Stack.account = account
    run_state_machine_as_test(
        Stack,
        settings=settings(
            max_examples=60, stateful_step_count=30, deadline=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
