"""A stack without an endpoint: the score function holds the model that deploy names."""

import pytest

from sagetree.cloud.deployment.errors import Refused
from tests.cloud.account import BUCKET, BUNDLE, STACK, packed
from tests.cloud.functions.conftest import ENDPOINT_EVENT, approval, settings_of

INSIDE = settings_of("lambda")
# Its columns can be read, and it has no trees.
BROKEN = packed(BUNDLE, lambda name: name.replace("xgboost-model", "other"))


def test_an_approved_package_is_deployed_at_once(account, ask):
    first, second = account.register(), account.register()
    for package, action in ((first, "created"), (second, "updated")):
        assert ask(approval(package), INSIDE)["action"] == action
        assert account.parameter("deployed-package") == package
        assert account.parameter("columns").startswith("[[")
        assert ask(approval(package), INSIDE) == {
            "endpoint": STACK, "action": "unchanged", "config": "none",
        }  # fmt: skip
        assert account.written() == []
    assert ask(approval(first), INSIDE)["action"] == "unchanged"
    assert account.parameter("deployed-package") == second
    assert ask(ENDPOINT_EVENT, INSIDE)["action"] == "waiting"
    assert ask(approval(first, "Rejected"), INSIDE)["action"] == "waiting"
    # whose role may not even look whether there is an endpoint
    assert account.requests("DescribeEndpoint") == []
    assert account.endpoint is None


def test_columns_are_there_before_the_model_is_named(account, ask):
    ask(approval(account.register()), INSIDE)
    written = [call["Name"].rpartition("/")[2] for call in account.requests("PutParameter")]
    assert written == ["wanted-package", "columns", "deployed-package", "served-packages"]


@pytest.mark.parametrize("by", ["approval", "promotion"])
def test_a_model_that_cannot_be_loaded_is_refused_and_told_and_the_one_before_stays(
    account, ask, by
):
    first = account.register()
    ask(approval(first), INSIDE)
    second = account.register(model=BROKEN)
    reason = f"{second}: its model cannot be loaded: "
    if by == "approval":
        with pytest.raises(Refused, match=reason):
            ask(approval(second), INSIDE)
        ((subject, text),) = account.told
        assert (subject, text.startswith(reason)) == ("fraud: a package is refused", True)
    else:  # whoever asks for it hears it
        answer = ask({"shift": 100, "package": second}, INSIDE)
        assert (answer["action"], answer["reason"].startswith(reason)) == ("refused", True)
    for name in ("wanted-package", "deployed-package"):
        assert account.parameter(name) == first


def test_a_package_that_cannot_be_loaded_any_more_is_not_gone_back_to(account, ask):
    first, second = (account.register(key=key) for key in ("a", "b"))
    for package in (first, second):
        ask(approval(package), INSIDE)
    account.clients["s3"].put_object(Bucket=BUCKET, Key="a", Body=BROKEN)
    assert ask({"rollback": second}, INSIDE)["action"] == "refused"
    assert account.parameter("deployed-package") == second


def test_a_model_that_cannot_be_asked_is_refused(account, ask):
    first = account.register()
    ask(approval(first), INSIDE)
    second = account.register(key="gone")
    account.clients["s3"].delete_object(Bucket=BUCKET, Key="gone")
    with pytest.raises(Refused, match="S3 does not return its model"):
        ask(approval(second), INSIDE)
    assert account.parameter("deployed-package") == first


@pytest.mark.parametrize(
    "kind",
    [
        "instance",
        pytest.param("serverless", marks=pytest.mark.long),
        pytest.param("asynchronous", marks=pytest.mark.long),
    ],
)
def test_a_stack_can_change_to_an_endpoint_and_back(account, ask, kind):
    arn = account.register()
    ask({"package": arn}, INSIDE)
    assert ask({"package": arn}, settings_of(kind))["action"] == "created"
    assert ask(ENDPOINT_EVENT, settings_of(kind))["action"] == "in-service"
    # clean removes the endpoint when the stack is updated; until then its events change nothing
    assert ask(ENDPOINT_EVENT, INSIDE)["action"] == "waiting"
    assert (account.written(), account.told) == ([], [])
    assert ask({"package": arn}, INSIDE)["action"] == "unchanged"
    assert account.parameter("deployed-package") == arn
    assert account.parameter("wanted-config") == "none"
    assert account.written() == ["PutParameter"]
