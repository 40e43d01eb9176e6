"""sagetree cloud leftovers: what bears the name, whose it is, and how it goes."""

import pytest

from sagetree.cloud.commands.leftovers import leftovers
from tests.cloud.commands.test_status import serve

# The clients of thirteen services take seconds to make.
pytestmark = pytest.mark.long


def test_an_empty_account_has_nothing_left(person):
    code, said = person.does(lambda: leftovers(person.account))
    assert (code, said) == (0, ["0 left"])


def test_what_a_deleted_stack_left_is_listed_with_its_removal(person):
    serve(person, "fraud-1-0123abcd")
    person.client("logs").create_log_group(logGroupName="/aws/sagemaker/Endpoints/fraud")
    person.client("ssm").put_parameter(
        Name="/fraud/columns", Value="[]", Type="String", Overwrite=True
    )
    person.client("s3").create_bucket(Bucket="fraud-bucket-1abc")
    code, said = person.does(lambda: leftovers(person.account))
    assert code == 1
    assert said == [
        "endpoint fraud is left. To remove it:",
        "  aws sagemaker delete-endpoint --endpoint-name fraud",
        "endpoint config fraud-1-0123abcd is left. To remove it:",
        "  aws sagemaker delete-endpoint-config --endpoint-config-name fraud-1-0123abcd",
        "model fraud-1-0123abcd is left. To remove it:",
        "  aws sagemaker delete-model --model-name fraud-1-0123abcd",
        "log group /aws/sagemaker/Endpoints/fraud is left. To remove it:",
        "  aws logs delete-log-group --log-group-name /aws/sagemaker/Endpoints/fraud",
        "parameter /fraud/columns is left. To remove it:",
        "  aws ssm delete-parameter --name /fraud/columns",
        "bucket fraud-bucket-1abc is left. To remove it:",
        "  in the console: S3, fraud-bucket-1abc, Empty, then Delete",
        "6 left",
    ]


def test_an_api_is_removed_by_its_id(person):
    made = person.client("apigatewayv2").create_api(Name="fraud", ProtocolType="HTTP")
    code, said = person.does(lambda: leftovers(person.account))
    assert (code, said[:2]) == (
        1,
        [
            "API fraud is left. To remove it:",
            f"  aws apigatewayv2 delete-api --api-id {made['ApiId']}",
        ],
    )


def test_of_a_stack_that_stands_its_own_and_what_goes_with_it_is_not_left(person):
    person.make_stack()
    serve(person, "fraud-1-0123abcd")
    code, said = person.does(lambda: leftovers(person.account))
    assert (code, said) == (
        0,
        [
            "endpoint fraud: goes with the stack fraud",
            "endpoint config fraud-1-0123abcd: goes with the stack fraud",
            "model fraud-1-0123abcd: goes with the stack fraud",
            "0 left, 3 go with the stack",
        ],
    )
    person.client("logs").create_log_group(logGroupName="/aws/lambda/fraud-old")
    code, said = person.does(lambda: leftovers(person.account))
    assert (code, said[-3:]) == (
        1,
        [
            "log group /aws/lambda/fraud-old is left. To remove it:",
            "  aws logs delete-log-group --log-group-name /aws/lambda/fraud-old",
            "1 left, 3 go with the stack",
        ],
    )


def test_a_feature_group_goes_with_the_stack_that_removes_it_and_no_other(person):
    person.make_stack()
    group = {"FeatureGroupName": "fraud-customers", "FeatureGroupArn": "arn", "CreationTime": 1}
    person.answer("sagemaker", "ListFeatureGroups", [{"FeatureGroupSummaries": [group]}])
    assert person.does(lambda: leftovers(person.account)) == (
        1,
        [
            "feature group fraud-customers is left. To remove it:",
            "  aws sagemaker delete-feature-group --feature-group-name fraud-customers",
            "1 left",
        ],
    )
    person.make_sibling("features")
    assert person.does(lambda: leftovers(person.account)) == (
        0,
        [
            "feature group fraud-customers: goes with the stack fraud-features",
            "0 left, 1 go with the stack",
        ],
    )


def test_a_longer_name_and_another_stack_s_things_are_not_its_own(person):
    person.client("cloudformation").create_stack(
        StackName="fraud-two",
        TemplateBody='{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}',
    )
    person.make_stack()
    person.make_sibling("queue")  # its own
    for name in ("fraud-two-bucket", "frauds", "not-fraud"):
        person.client("s3").create_bucket(Bucket=name)
    person.client("logs").create_log_group(logGroupName="/aws/lambda/fraud-two-deploy")
    code, said = person.does(lambda: leftovers(person.account))
    assert (code, said) == (0, ["0 left"])


def test_a_sibling_without_its_core_is_left(person):
    person.make_sibling("watch")
    code, said = person.does(lambda: leftovers(person.account))
    assert (code, said) == (
        1,
        [
            "stack fraud-watch is left. To remove it:",
            "  aws cloudformation delete-stack --stack-name fraud-watch",
            "1 left",
        ],
    )


def test_a_dry_run_names_each_call_and_makes_none(person):
    code, said = person.hears(lambda: leftovers(person.dry))
    assert code == 0
    assert all(line.startswith("+ aws ") for line in said)
    assert "+ aws sagemaker list-endpoints --name-contains fraud" in said
