"""Back to what was served before: by one step for each package that is left."""

import pytest
from botocore.exceptions import ClientError

from tests.cloud.account import BUCKET, STACK, refused
from tests.cloud.functions.conftest import ENDPOINT_EVENT, approval, settings_of

INSTANCE = settings_of("instance")


def serve(account, ask, settings=INSTANCE):
    arn = account.register()
    ask(approval(arn), settings)
    if settings.endpoint_kind != "lambda":
        account.settle()
        assert ask(ENDPOINT_EVENT, settings)["action"] == "in-service"
    return arn


def refusal(ask, event, settings=INSTANCE):
    answer = ask(event, settings)
    assert answer["action"] == "refused"
    return answer["reason"]


@pytest.mark.parametrize(
    "kind",
    [*(pytest.param(k, marks=pytest.mark.long) for k in ("serverless", "lambda")), "instance"],
)
def test_each_step_goes_back_by_one_package(account, ask, kind):
    settings = settings_of(kind)
    arns = [serve(account, ask, settings) for _ in range(3)]
    for left, target in ((arns[2], arns[1]), (arns[1], arns[0])):
        answer = ask({"rollback": left}, settings)
        assert (answer["action"], answer["package"]) == ("updated", target)
        again = ask({"rollback": left}, settings)
        assert (again["action"], again["reason"]) == (
            "unchanged", f"{target} is wanted now, not {left}"
        )  # fmt: skip
        if kind != "lambda":
            account.settle()
            assert ask(ENDPOINT_EVENT, settings)["action"] == "in-service"
        assert account.parameter("deployed-package") == target
    assert refusal(ask, {"rollback": arns[0]}, settings) == (
        f"{arns[0]}: before it no package was served that is still approved. Approve another"
        " package"
    )
    assert account.told == []


def test_what_was_left_does_not_come_back_by_an_old_event(account, ask):
    first, second = (serve(account, ask) for _ in range(2))
    ask({"rollback": second}, INSTANCE)
    account.settle()
    ask(ENDPOINT_EVENT, INSTANCE)
    for _ in range(2):
        late = ask(approval(second), INSTANCE)
        assert late["reason"] == (
            f"{second} was taken back since it was approved; to serve it, approve it again"
        )
    assert account.parameter("wanted-package") == first
    account.approve(second)
    assert ask(approval(second), INSTANCE)["action"] == "updated"


def test_a_roll_back_that_was_cut_off_is_made_up_for(account, ask):
    first, second = serve(account, ask), serve(account, ask)
    account.answer("UpdateEndpoint", refused("slow down", "ThrottlingException"))
    with pytest.raises(ClientError, match="slow down"):
        ask({"rollback": second}, INSTANCE)
    assert account.parameter("wanted-package") == first
    assert ask({"rollback": second}, INSTANCE)["action"] == "updated"


@pytest.mark.parametrize("fails", [pytest.param(True, marks=pytest.mark.long), False])
def test_a_deployment_that_is_on_its_way_is_left_for_what_is_served(account, ask, fails):
    first, second = serve(account, ask), account.register()
    ask(approval(second), INSTANCE)
    answer = ask({"rollback": second}, INSTANCE)
    assert (answer["action"], answer["package"]) == ("waiting", first)
    account.settle(fails=fails)
    ask(ENDPOINT_EVENT, INSTANCE)
    account.settle()
    assert ask(ENDPOINT_EVENT, INSTANCE)["action"] == "in-service"
    assert account.endpoints.models()["main"].startswith("fraud-1-")


def test_after_a_silent_roll_back_the_wish_is_given_up(account, ask):
    first, second = serve(account, ask), account.register()
    ask(approval(second), INSTANCE)
    account.settle(fails=True)
    assert ask(ENDPOINT_EVENT, INSTANCE)["action"] == "rolled-back"
    answer = ask({"rollback": second}, INSTANCE)
    assert (answer["action"], answer["package"]) == ("unchanged", first)
    assert ask(ENDPOINT_EVENT, INSTANCE)["action"] == "in-service"


@pytest.mark.parametrize("fate", ["Rejected", pytest.param("deleted", marks=pytest.mark.long)])
def test_what_may_be_served_no_more_is_passed_over(account, ask, fate):
    first, second, third = (serve(account, ask) for _ in range(3))
    if fate == "deleted":
        account.clients["sagemaker"].delete_model_package(ModelPackageName=second)
    else:
        account.approve(second, fate)
    assert ask({"rollback": third}, INSTANCE)["package"] == first


@pytest.mark.long
def test_a_stack_that_is_older_than_its_history_goes_back_too(account, ask):
    first = serve(account, ask)
    account.clients["ssm"].delete_parameter(Name=f"/{STACK}/served-packages")
    second = serve(account, ask)
    assert ask({"rollback": second}, INSTANCE)["package"] == first


def test_before_the_first_model_there_is_nothing_to_go_back_from(account, ask):
    arn = account.register()
    assert refusal(ask, {"rollback": arn}) == "nothing has been deployed yet. Approve a package"


@pytest.mark.long
def test_a_roll_back_ends_a_comparison(account, ask):
    first, second, third = (serve(account, ask) for _ in range(3))
    account.approve(first)
    ask({"shift": 10, "package": first}, INSTANCE)
    for _ in range(3):
        account.settle()
        ask(ENDPOINT_EVENT, INSTANCE)
    assert account.endpoints.models().keys() == {"main", "challenger"}
    ask({"rollback": third}, INSTANCE)
    for _ in range(3):
        account.settle()
        ask(ENDPOINT_EVENT, INSTANCE)
    assert account.parameter("deployed-package") == second
    assert account.endpoints.models().keys() == {"main"}


@pytest.mark.parametrize("ends", ["well", pytest.param("at once", marks=pytest.mark.long)])
def test_a_roll_back_that_is_on_its_way_is_not_undone_by_another(account, ask, ends):
    """Two persons, or one in haste: each names what is wanted when he asks."""
    first, second, third = (serve(account, ask) for _ in range(3))
    assert ask({"rollback": third}, INSTANCE)["package"] == second
    for _ in range(2):
        again = ask({"rollback": second}, INSTANCE)
        assert (again["action"], again["package"]) == ("unchanged", second)
        assert again["reason"] == "the endpoint is Updating"
    assert account.parameter("wanted-package") == second
    account.settle()
    if ends == "well":
        ask(ENDPOINT_EVENT, INSTANCE)
    assert ask({"rollback": second}, INSTANCE)["package"] == first


def test_a_deployment_is_left_once_however_often_that_is_asked_for(account, ask):
    _, second = serve(account, ask), serve(account, ask)
    third = account.register()
    ask(approval(third), INSTANCE)
    for left in (third, second):
        answer = ask({"rollback": left}, INSTANCE)
        assert (answer["action"], answer["package"]) == ("waiting", second)
    account.settle()
    assert ask(ENDPOINT_EVENT, INSTANCE)["action"] == "updated"
    assert ask({"rollback": second}, INSTANCE)["package"] == second  # the third is served
    account.settle()
    assert ask(ENDPOINT_EVENT, INSTANCE)["action"] == "in-service"
    assert account.endpoints.models()["main"].startswith("fraud-2-")


def test_a_roll_back_that_fails_is_asked_for_again_to_go_back_further(account, ask):
    first, second, third = (serve(account, ask) for _ in range(3))
    ask({"rollback": third}, INSTANCE)
    account.settle(fails=True)
    assert ask(ENDPOINT_EVENT, INSTANCE)["action"] == "rolled-back"
    assert ask({"rollback": second}, INSTANCE)["package"] == first


@pytest.mark.parametrize("kind", ["instance", "lambda"])
@pytest.mark.parametrize("named", ["wanted", pytest.param("left", marks=pytest.mark.long)])
def test_a_roll_back_that_was_cut_off_goes_on_by_the_command(account, ask, kind, named):
    """The command names what is wanted when it is typed again."""
    settings = settings_of(kind)
    zeroth, first, second = (serve(account, ask, settings) for _ in range(3))
    cut = refused("slow down", "ThrottlingException")
    if kind == "instance":
        account.answer("UpdateEndpoint", cut)
    else:
        account.answer("PutParameter", *[lambda: None] * 3, cut)  # deployed-package
    with pytest.raises(ClientError, match="slow down"):
        ask({"rollback": second}, settings)
    assert account.parameter("wanted-package") == first
    assert account.parameter("deployed-package") == second
    answer = ask({"rollback": first if named == "wanted" else second}, settings)
    assert (answer["action"], answer["package"]) == ("updated", first)
    if kind == "lambda":
        assert account.parameter("deployed-package") == first
        assert ask({"rollback": first}, settings)["package"] == zeroth


def test_what_was_served_inside_lambda_is_remembered_though_a_call_was_cut_off(account, ask):
    settings = settings_of("lambda")
    serve(account, ask, settings)
    second = account.register()
    cut = refused("slow down", "ThrottlingException")
    account.answer("PutParameter", lambda: None, lambda: None, cut)
    with pytest.raises(ClientError, match="slow down"):
        ask(approval(second), settings)
    ask(approval(second), settings)  # as Lambda tries again
    assert ask({"rollback": serve(account, ask, settings)}, settings)["package"] == second


def test_a_package_whose_model_is_gone_is_not_gone_back_to(account, ask):
    first, second, third = (serve(account, ask) for _ in range(3))
    account.clients["s3"].delete_object(Bucket=BUCKET, Key="models/1/model.tar.gz")
    served = account.parameter("served-packages")
    assert refusal(ask, {"rollback": third}).startswith(
        f"s3://{BUCKET}/models/1/model.tar.gz: S3 does not return its model"
    )
    assert account.parameter("wanted-package") == third
    assert account.parameter("served-packages") == served
    assert account.parameter("withdrawn-packages") == "none"
    account.approve(second, "Rejected")  # so it is passed over
    assert ask({"rollback": third}, INSTANCE)["package"] == first
