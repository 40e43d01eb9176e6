"""Stacks beside the core: which goes with what, in what order, and what outlives it."""

import pytest

from sagetree.cloud.commands.delete import delete
from sagetree.cloud.commands.launch import launch
from sagetree.errors import UserError
from tests.cloud.commands.answers import refusal
from tests.cloud.commands.conftest import IMAGE


def described(person, name):
    """One stack as CloudFormation describes it."""
    return person.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]


def test_a_network_comes_before_the_core_which_takes_what_it_gives_out(person, templates):
    given = {"EndpointKind": "lambda", "CreateKey": "yes"}
    # moto knows the earlier value of what was given alone
    given |= {"AlertEmail": "me@example.com", "KeepData": "no", "LogDays": "7"}
    given |= {"IdField": "policy_id"}
    code, said = person.hears(lambda: launch(person.account, templates, IMAGE, given, ["network"]))
    assert code == 0
    assert [line for line in said if line.endswith("is CREATE_COMPLETE")] == [
        "fraud-network is CREATE_COMPLETE", "fraud is CREATE_COMPLETE",
    ]  # fmt: skip
    outputs = {
        o["OutputKey"]: o["OutputValue"] for o in described(person, "fraud-network")["Outputs"]
    }
    core = {
        p["ParameterKey"]: p["ParameterValue"] for p in described(person, "fraud")["Parameters"]
    }
    assert (core["EndpointKind"], core["KmsKeyArn"]) == ("lambda", outputs["KmsKeyArn"])
    # and so it is when the core is launched again, which does not name it again
    newer = f"{IMAGE}2"
    assert person.hears(lambda: launch(person.account, templates, newer, {}))[0] == 0
    core = {
        p["ParameterKey"]: p["ParameterValue"] for p in described(person, "fraud")["Parameters"]
    }
    assert (core["ImageUri"], core["KmsKeyArn"]) == (newer, outputs["KmsKeyArn"])


@pytest.mark.parametrize("given", [{}, {"EndpointKind": "serverless"}])
def test_no_network_is_made_for_a_serverless_endpoint(given, person, templates):
    with pytest.raises(UserError) as raised:
        launch(person.account, templates, IMAGE, given, ["network"])
    assert str(raised.value) == (
        "fraud-network cannot be combined with EndpointKind serverless. Choose another "
        "EndpointKind, or "
        "launch without network"
    )
    assert person.client("cloudformation").describe_stacks()["Stacks"] == []


def test_what_a_sibling_needs_is_asked_for_before_the_core_is_made(person, templates):
    with pytest.raises(UserError) as raised:
        launch(person.account, templates, IMAGE, {}, ["domain"])
    assert str(raised.value) == ("--with domain needs DomainName. Add --parameter DomainName=...")
    assert person.client("cloudformation").describe_stacks()["Stacks"] == []
    person.make_stack()
    person.make_sibling("domain", DomainName="claims.example.com")  # which knows it
    unchanged = refusal("ValidationError", "No updates are to be performed.")
    person.answer("cloudformation", "UpdateStack", [unchanged])
    assert person.hears(lambda: launch(person.account, templates, IMAGE, {}))[0] == 0


def test_a_key_that_was_made_stays_and_is_named(person, templates):
    person.make_stack()
    person.make_sibling("network")
    code, said = person.does(lambda: delete(person.account, agreed=True))
    assert code == 0
    (key,) = person.client("kms").list_keys()["Keys"]
    assert said[-4:-1] == [
        "fraud-network is deleted",
        f"{key['KeyArn']} stays. To remove it:",
        f"  aws kms schedule-key-deletion --key-id {key['KeyArn']}",
    ]
