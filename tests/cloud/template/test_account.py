"""What watches the account: a trail, and a budget."""

from typing import Any

import pytest

from tests.cloud.template.stack_template import EXPORTS, Stack, read

NOTHING = "There is nothing to make. Give MonthlyDollars, or choose Trail yes."


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return read("account.yaml")


@pytest.mark.parametrize(
    ("given", "sentences", "made"),
    [
        ({}, [], {"TrailBucket", "TrailBucketPolicy", "AccountTrail"}),
        ({"Trail": "no", "MonthlyDollars": "100"}, [], {"AccountBudget"}),
        ({"Trail": "no"}, [NOTHING], set()),
    ],
)
def test_each_part_can_be_had_alone_but_not_nothing(
    template: dict[str, Any], given: dict[str, str], sentences: list[str], made: set[str]
) -> None:
    stack = Stack(template, **given)
    assert stack.broken_rules() == sentences
    assert stack.resources().keys() == made


def test_the_trail_has_who_read_which_object_and_cannot_be_changed_unseen(
    template: dict[str, Any],
) -> None:
    resources = Stack(template).resources()
    trail = resources["AccountTrail"]["Properties"]
    assert trail["EnableLogFileValidation"] is True
    assert trail["IsMultiRegionTrail"] is trail["IncludeGlobalServiceEvents"] is True
    assert trail["EventSelectors"] == [
        {
            "ReadWriteType": "All",
            "IncludeManagementEvents": True,
            "DataResources": [
                {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::fraud-bucket/"]}
            ],
        }
    ]
    # CloudTrail looks whether it may write when it is made
    assert resources["AccountTrail"]["DependsOn"] == "TrailBucketPolicy"
    arn = f"arn:aws:cloudtrail:eu-central-1:123456789012:trail/{trail['TrailName']}"
    policy = resources["TrailBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    sources = [
        one["Condition"]["StringEquals"]["aws:SourceArn"]
        for one in policy
        if one["Effect"] == "Allow"
    ]
    assert sources == [arn, arn]


def test_the_trail_outlives_the_stack_and_ends_one_day(template: dict[str, Any]) -> None:
    bucket = Stack(template, TrailDays="90").resources()["TrailBucket"]
    assert bucket["DeletionPolicy"] == "RetainExceptOnCreate"
    (rule,) = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == "90"


def test_the_budget_tells_the_stacks_alerts_before_it_is_spent(template: dict[str, Any]) -> None:
    budget = Stack(template, MonthlyDollars="100").resources()["AccountBudget"]
    told = budget["Properties"]["NotificationsWithSubscribers"]
    assert [
        (one["Notification"]["NotificationType"], one["Notification"]["Threshold"]) for one in told
    ] == [("ACTUAL", 80), ("FORECASTED", 100)]
    for one in told:
        (subscriber,) = one["Subscribers"]
        assert subscriber == {"SubscriptionType": "SNS", "Address": EXPORTS["fraud-alerts"]}
    topics = Stack(read()).resources()["AlertsPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    services = next(one for one in topics if one["Effect"] == "Allow")["Principal"]["Service"]
    assert "budgets.amazonaws.com" in services
