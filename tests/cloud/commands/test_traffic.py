"""sagetree cloud shift, shadow and rollback: what the deploy function is asked, and is said."""

import io
import json
from functools import partial

import pytest

from sagetree.cloud.commands.traffic import percent_of, rollback, shadow, shift
from sagetree.errors import UserError, quote
from tests.cloud.account import ARN
from tests.cloud.commands.test_approve import register

PACKAGE = f"{ARN}:model-package/fraud/1"
STATUS = "To see it:  sagetree cloud status --stack fraud"


@pytest.fixture
def stack(person):
    person.make_stack()
    person.client("sagemaker").create_model_package_group(ModelPackageGroupName="fraud")
    return person


@pytest.fixture
def asked(stack):
    """What the function has been asked; it answers what a test appends to `answers`."""
    events: list[object] = []

    def answer(request):
        events.append(json.loads(request["body"]))
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(answers.pop(0)).encode())}

    answers: list[object] = []
    stack.answer_by("lambda", "Invoke", answer)
    return events, answers


def test_a_version_is_shifted_to_by_its_arn(stack, asked):
    events, answers = asked
    arn = register(stack, "Approved")
    answers += [{"action": "updated"}] * 2
    for named in ("1", arn):
        code, said = stack.does(partial(shift, stack.account, 10, named))
        assert (code, said) == (0, ["it has begun", STATUS])
    assert events == [{"shift": 10, "package": arn}] * 2
    answers.append({"action": "unchanged", "reason": "there is no challenger"})
    _, said = stack.does(lambda: shift(stack.account, 0, None))
    assert said[0] == "nothing is to be changed: there is no challenger"
    assert events[-1] == {"shift": 0}


def test_a_shadow_is_named_and_ended(stack, asked):
    events, answers = asked
    arn = register(stack, "PendingManualApproval")
    reason = f"{arn} is PendingManualApproval; it comes into service when it is approved"
    answers += [{"action": "waiting", "reason": reason}, {"action": "updated"}]
    _, said = stack.does(lambda: shadow(stack.account, "1"))
    assert said[0] == f"it is noted: {reason}"
    stack.does(lambda: shadow(stack.account, "off"))
    assert events == [{"shadow": arn}, {"shadow": "off"}]


def test_the_way_back_names_what_is_left(stack, asked):
    events, answers = asked
    stack.client("ssm").put_parameter(
        Name="/fraud/wanted-package", Value=PACKAGE, Type="String", Overwrite=True
    )
    answers.append({"action": "updated", "package": f"{PACKAGE}0"})
    code, said = stack.does(lambda: rollback(stack.account))
    assert (code, said) == (0, ["it has begun", f"Back to {PACKAGE}0", STATUS])
    assert events == [{"rollback": PACKAGE}]


def test_what_the_function_refuses_is_said(stack, asked):
    _, answers = asked
    answers.append({"action": "refused", "reason": "there is no challenger. Name a package"})
    with pytest.raises(UserError) as raised:
        stack.hears(lambda: shift(stack.account, 10, None))
    assert str(raised.value) == "there is no challenger. Name a package"


def test_a_version_that_is_not_there_is_refused(stack):
    register(stack, "Approved")
    with pytest.raises(UserError) as raised:
        stack.hears(lambda: shift(stack.account, 10, "7"))
    assert str(raised.value) == "fraud has no version 7. It has 1"


@pytest.mark.parametrize("text", ["101", "-1", "ten", "1.5", "", "²", "9" * 5000])
def test_a_share_is_a_whole_number_of_percent(text):
    assert percent_of("100") == 100
    with pytest.raises(UserError) as raised:
        percent_of(text)
    shown = quote(text)
    assert str(raised.value) == f"the share is {shown}. Name a whole number from 0 to 100"


@pytest.mark.parametrize("text", ["", "v4", "latest", "²", "9" * 5000])
def test_what_names_no_package_is_refused_before_anything_is_asked(person, text):
    for change in (partial(shift, person.account, 100, text), partial(shadow, person.dry, text)):
        with pytest.raises(UserError) as raised:
            change()
        assert str(raised.value) == (
            f"the package is {quote(text)}. Name a model's version, or its ARN"
        )


def test_a_dry_run_types_what_can_be_typed(person):
    _, said = person.hears(lambda: shift(person.dry, 10, "3"))
    assert said == [
        "+ MODEL_PACKAGE_ARN=$(aws sagemaker list-model-packages --model-package-group-name fraud "
        "--sort-by CreationTime --sort-order Descending --query "
        "'ModelPackageSummaryList[?ModelPackageVersion==`3`].ModelPackageArn' --output text)",
        "+ DEPLOY_FUNCTION_NAME=$(aws cloudformation describe-stacks --stack-name fraud --query "
        "\"Stacks[0].Outputs[?OutputKey=='DeployFunctionName'].OutputValue\" --output text)",
        '+ aws lambda invoke --function-name "$DEPLOY_FUNCTION_NAME" --payload '
        """'{"shift": 10, "package": "'"$MODEL_PACKAGE_ARN"'"}' """
        "--cli-binary-format raw-in-base64-out /dev/stdout",
    ]
    _, said = person.hears(lambda: rollback(person.dry))
    assert said[0] == (
        "+ WANTED_PACKAGE=$(aws ssm get-parameter --name /fraud/wanted-package --query "
        "Parameter.Value --output text)"
    )
    assert """'{"rollback": "'"$WANTED_PACKAGE"'"}'""" in said[-1]
