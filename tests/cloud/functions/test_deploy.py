"""From an approved package to the endpoint, each event twice."""

import pytest

from sagetree.cloud.deployment.errors import Refused
from tests.cloud.account import STACK
from tests.cloud.functions.conftest import ENDPOINT_EVENT, approval, settings_of

KINDS = ("serverless", "instance", "asynchronous")


@pytest.mark.parametrize("kind", KINDS)
def test_an_approved_package_becomes_an_endpoint_once(account, ask, kind):
    settings = settings_of(kind)
    arn = account.register()
    first = ask(approval(arn), settings)
    assert first["action"] == "created"
    assert account.endpoint.endpoint_config_name == first["config"]
    assert ask(approval(arn), settings) == {**first, "action": "unchanged"}
    assert account.written() == []
    assert account.parameter("deployed-package") == "none"
    assert ask(ENDPOINT_EVENT, settings) == {**first, "action": "in-service"}
    assert account.parameter("deployed-package") == arn
    assert ask(ENDPOINT_EVENT, settings) == {**first, "action": "in-service"}
    assert not set(account.written()) - {
        "RegisterScalableTarget", "PutScalingPolicy", "DeregisterScalableTarget"
    }  # fmt: skip
    assert account.endpoint.endpoint_name == STACK


@pytest.mark.parametrize("status", ["PendingManualApproval", "Rejected"])
def test_a_package_that_is_not_approved_is_refused_and_the_topic_told_once(account, ask, status):
    arn = account.register(status)
    for _ in range(3):  # Lambda tries an asynchronous call three times
        with pytest.raises(Refused, match=f"its status is {status}, not Approved"):
            ask({"package": arn}, settings_of())
    assert account.endpoint is None
    assert [subject for subject, _ in account.told] == ["fraud: a package is refused"]
