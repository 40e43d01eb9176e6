"""What a function's environment may say, and names by content."""

import pytest

from sagetree.cloud.names import Settings, Versions, name_of, prefix, versions_in
from sagetree.errors import SettingsError

LEAST = {
    "SAGETREE_STACK": "fraud", "SAGETREE_BUCKET": "fraud-bucket",
    "SAGETREE_ENDPOINT_KIND": "serverless",
}  # fmt: skip
HINT = "The stack's template sets it; update the stack with the template as it is"


def test_what_is_not_said_is_what_the_template_has_by_default():
    assert Settings.read(LEAST) == Settings(
        stack="fraud",
        role_arn="",
        bucket="fraud-bucket",
        topic_arn="",
        answers_topic_arn="",
        endpoint_kind="serverless",
        instance_type="ml.m5.large",
        instances=1,
        instances_max=1,
        memory_mb=2048,
        concurrency=20,
        subnets=(),
        security_groups=(),
        kms_key_arn="",
        alarms=(),
        private_fields=(),
        id_field="",
        claims_url="",
        dead_claims_url="",
        alert_table="",
        alert_score=0.5,
        capture_percent=0,
        image_uri="",
        job_role_arn="",
        job_instance_type="ml.m5.large",
        drift_days=30,
        online_tables=(),
        store_role_arn="",
        store_database="",
    )


def test_lists_are_read_with_their_spaces():
    told = {"SAGETREE_PRIVATE_FIELDS": " name, e-mail ,,", "SAGETREE_ID_FIELD": " claim_id "}
    settings = Settings.read({**LEAST, **told})
    assert settings.private_fields == ("name", "e-mail")
    assert settings.id_field == "claim_id"


def test_all_faults_are_told_at_once():
    with pytest.raises(SettingsError) as raised:
        Settings.read({
            "SAGETREE_STACK": "-", "SAGETREE_ENDPOINT_KIND": "lamda", "SAGETREE_ROLE_ARN": "role",
            "SAGETREE_TOPIC_ARN": "topic", "SAGETREE_INSTANCE_TYPE": "m5.large",
            "SAGETREE_INSTANCES": "0", "SAGETREE_INSTANCES_MAX": "many",
            "SAGETREE_MEMORY_MB": "2000", "SAGETREE_CONCURRENCY": "201",
            "SAGETREE_KMS_KEY_ARN": "alias/key",
        })  # fmt: skip
    assert str(raised.value) == (
        "the function's environment: SAGETREE_STACK: '-' is not the name of a stack: letters,"
        " digits, -; SAGETREE_ROLE_ARN: 'role' is not the ARN of a role; SAGETREE_BUCKET: is"
        " missing; it is the name of a bucket; SAGETREE_TOPIC_ARN: 'topic' is not the ARN of a"
        " topic; SAGETREE_ENDPOINT_KIND: 'lamda' is not one of serverless, instance, asynchronous,"
        " lambda; SAGETREE_INSTANCE_TYPE: 'm5.large' is not an instance type such as ml.m5.large;"
        " SAGETREE_INSTANCES: '0' is not a whole number from 1 to 1000; SAGETREE_INSTANCES_MAX:"
        " 'many' is not a whole number from 1 to 1000; SAGETREE_MEMORY_MB: '2000' is not a whole"
        " number from 1024 to 6144 in steps of 1024; SAGETREE_CONCURRENCY: '201' is not a whole"
        f" number from 1 to 200; SAGETREE_KMS_KEY_ARN: 'alias/key' is not the ARN of a key. {HINT}"
    )


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        (
            {"SAGETREE_INSTANCES": "3", "SAGETREE_INSTANCES_MAX": "2"},
            "SAGETREE_INSTANCES_MAX: 2 is less than SAGETREE_INSTANCES, 3",
        ),
        (
            {"SAGETREE_ENDPOINT_KIND": "instance", "SAGETREE_SUBNETS": "subnet-1"},
            "SAGETREE_SUBNETS and SAGETREE_SECURITY_GROUPS: give both or none",
        ),
        (
            {"SAGETREE_SUBNETS": "subnet-1", "SAGETREE_SECURITY_GROUPS": "sg-1"},
            "SAGETREE_SUBNETS: a serverless endpoint cannot be in a network",
        ),
        (
            {"SAGETREE_ALARMS": ",".join("abcdefghijk")},
            "SAGETREE_ALARMS: 11 alarms, and SageMaker takes at most 10",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(told, fault):
    with pytest.raises(SettingsError) as raised:
        Settings.read({**LEAST, **told})
    assert str(raised.value) == f"the function's environment: {fault}. {HINT}"


def test_a_function_names_what_it_cannot_do_without():
    with pytest.raises(SettingsError) as raised:
        Settings.read(LEAST).need("stack", "role_arn", "topic_arn")
    assert str(raised.value) == (
        "the function's environment: SAGETREE_ROLE_ARN, SAGETREE_TOPIC_ARN are missing. " + HINT
    )


def test_a_name_is_of_its_content():
    name = name_of("fraud", Versions(7), {"a": 1, "b": [2]})
    assert name == name_of("fraud", Versions(7), {"b": [2], "a": 1})
    assert (
        len(
            {
                name,
                name_of("fraud", Versions(7), {"a": 1}),
                name_of("fraud", Versions(8), {"a": 1, "b": [2]}),
            }
        )
        == 3
    )
    assert versions_in("fraud", name) == Versions(7)
    longest = name_of("f" * 44, Versions(999_999_999), {})
    assert len(longest) == 63


@pytest.mark.parametrize("is_shadow", [False, True])
def test_the_name_of_two_says_both(is_shadow):
    both = Versions(7, 12, is_shadow)
    name = name_of("fraud", both, {})
    assert versions_in("fraud", name) == both
    assert len(name_of("f" * 44, Versions(9999, 9999), {})) == 63


@pytest.mark.parametrize(
    "name",
    [
        "fraud-7x8-0123abcd", "fraud-7c-0123abcd", "fraud-c8-0123abcd",
        "fraud", "fraud-7", "fraud-x-0123abcd", "fraud-7-0123abc", "fraud-7-0123ABCD",
        "fraud-2-7-0123abcd", "other-7-0123abcd", "myfraud-7-0123abcd", "fraudx7-0123abcd",
        "fraud-7-0123abcd-2", "none", "",
    ],
)  # fmt: skip
def test_names_of_others_are_not_ours(name):
    assert versions_in("fraud", name) is None


def test_stacks_whose_names_begin_alike_do_not_share_names():
    for stack, other in (("fraud", "fraud-2"), ("fraud", "fraud-12345678"), ("a", "a-1-0123abcd")):
        ours, theirs = name_of(stack, Versions(3), {}), name_of(other, Versions(3), {})
        assert versions_in(stack, theirs) is None
        assert versions_in(other, ours) is None
        assert theirs.startswith(prefix(stack))
