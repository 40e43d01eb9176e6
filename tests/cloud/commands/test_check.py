"""sagetree cloud check: each promise, kept and broken."""

import json

import pytest

from sagetree.cloud.commands.check import check
from tests.cloud.commands.answers import refusal
from tests.cloud.commands.conftest import IMAGE
from tests.cloud.commands.test_approve import register
from tests.cloud.commands.test_status import note

API = {"RouteKey": "POST /score", "AuthorizationType": "AWS_IAM"}
ALARM = {
    "AlarmName": "fraud-score-errors",
    "ActionsEnabled": True,
    "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:alerts"],
    "StateValue": "OK",
}
FUNCTION = {
    "Configuration": {"State": "Active", "TracingConfig": {"Mode": "Active"}},
    "Code": {"ImageUri": IMAGE},
}
# Of the stack, beside what moto made.
OTHERS = {
    "AWS::Lambda::Function": "fraud-score",
    "AWS::ApiGatewayV2::Api": "api1",
    "AWS::CloudWatch::Alarm": "fraud-score-errors",
}


def drift(name, kind, status, *paths):
    differences = [{"PropertyPath": path} for path in paths]
    return {
        "LogicalResourceId": name,
        "ResourceType": kind,
        "StackResourceDriftStatus": status,
        "PropertyDifferences": differences,
    }


ALIKE = [
    drift("ScoreRole", "AWS::IAM::Role", "IN_SYNC"),
    drift("Bucket", "AWS::S3::Bucket", "IN_SYNC"),
    drift("Clean", "Custom::Clean", "NOT_CHECKED"),
]


@pytest.fixture
def promised(person):
    """A stack that is as the template promised."""
    person.make_stack()
    bucket = person.bucket()
    ways = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    person.client("s3").put_public_access_block(  # moto's stacks leave it out
        Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(ways, True)
    )
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    # moto heeds no condition: given to it, the policy would deny everything
    policy(person, statement)
    listed = person.client("cloudformation").list_stack_resources(StackName="fraud")
    more = [{"ResourceType": kind, "PhysicalResourceId": id_} for kind, id_ in OTHERS.items()]
    resources = [*listed["StackResourceSummaries"], *more]
    person.answer("cloudformation", "ListStackResources", [{"StackResourceSummaries": resources}])
    person.answer("lambda", "GetFunction", [FUNCTION])
    person.answer("apigatewayv2", "GetRoutes", [{"Items": [API]}])
    person.answer("cloudwatch", "DescribeAlarms", [{"MetricAlarms": [ALARM]}])
    person.answer("cloudformation", "DetectStackDrift", [{"StackDriftDetectionId": "d" * 36}])
    going, done = ({"DetectionStatus": f"DETECTION_{s}"} for s in ("IN_PROGRESS", "COMPLETE"))
    person.answer("cloudformation", "DescribeStackDriftDetectionStatus", [going, done])
    drifted(person, ALIKE)
    return person


def policy(person, *statements):
    content = {"Version": "2012-10-17", "Statement": list(statements)}
    person.answer("s3", "GetBucketPolicy", [{"Policy": json.dumps(content)}])


def drifted(person, drifts):
    person.answer(
        "cloudformation", "DescribeStackResourceDrifts", [{"StackResourceDrifts": drifts}]
    )


def not_ok(person):
    """Return what does not hold."""
    code, said = person.does(lambda: check(person.account))
    found = [line.removeprefix("not ok  ") for line in said if line.startswith("not ok  ")]
    assert code == (1 if found else 0)
    assert said[-1].endswith(f" ok, {len(found)} not ok")
    return found


def test_each_promise_that_holds_is_ok(promised):
    code, said = promised.does(lambda: check(promised.account))
    bucket, (role,) = promised.bucket(), promised.client("iam").list_roles()["Roles"]
    assert said == [
        "ok      the stack fraud stands",
        f"ok      the bucket {bucket} is encrypted with a key that AWS manages",
        f"ok      the bucket {bucket} blocks public access",
        f"ok      the bucket {bucket} is reached by TLS only",
        "ok      /aws/lambda/fraud-score keeps its lines for 30 days",
        f"ok      the role {role['RoleName']} has no policy of others",
        f"ok      fraud-score runs the image {IMAGE}",
        "ok      fraud-score is ready",
        "ok      fraud-score is traced",
        "ok      the route POST /score checks who calls it",
        "ok      nothing is served, because nothing has been approved yet",
        "ok      the alarm fraud-score-errors is there and tells the topic",
        "ok      the alarm fraud-score-errors is quiet",
        "ok      2 of 2 resources of fraud that CloudFormation compares are as the template has "
        "them, roles with their policies (1) among them",
        "14 ok, 0 not ok",
    ]
    assert code == 0
    assert promised.pauses == [5.0]


def test_a_bucket_that_was_opened(promised):
    bucket, s3 = promised.bucket(), promised.client("s3")
    s3.delete_public_access_block(Bucket=bucket)
    s3.delete_bucket_encryption(Bucket=bucket)
    promised.answer("s3", "GetBucketPolicy", [refusal("NoSuchBucketPolicy", "none")])
    assert not_ok(promised) == [
        f"the bucket {bucket} is encrypted with a key that AWS manages: set its default "
        "encryption again (S3, Properties)",
        f"the bucket {bucket} blocks public access: turn on BlockPublicAcls, IgnorePublicAcls, "
        "BlockPublicPolicy, RestrictPublicBuckets (S3, Permissions)",
        f"the bucket {bucket} is reached by TLS only: put the template's policy back: deny s3:* "
        "where aws:SecureTransport is false",
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "Allow"},
        *(
            pytest.param(change, marks=pytest.mark.long)
            for change in (
                {"Principal": {"AWS": "arn:aws:iam::1:user/me"}},
                {"Action": "s3:GetObject"},
                {"Resource": "arn:aws:s3:::another/*"},
                {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
            )
        ),
        {"Condition": {}},
    ],
)
def test_a_policy_that_denies_less_is_not_tls_only(promised, change):
    bucket = promised.bucket()
    policy(
        promised,
        {
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": ["s3:*"],
            "Resource": f"arn:aws:s3:::{bucket}/*",
            "Condition": {"Bool": {"aws:SecureTransport": False}},
        }
        | change,
    )
    (found,) = not_ok(promised)
    assert found.startswith(f"the bucket {bucket} is reached by TLS only")


def test_logs_that_are_kept_for_ever_or_gone(promised):
    name = "/aws/lambda/fraud-score"
    promised.client("logs").delete_retention_policy(logGroupName=name)
    promise = f"{name} keeps its lines for 30 days"
    assert not_ok(promised) == [
        f"{promise}: 'aws logs put-retention-policy --log-group-name {name} --retention-in-days 30'"
    ]
    promised.client("logs").delete_log_group(logGroupName=name)
    assert not_ok(promised) == [f"{promise}: it is missing; update the stack to make it again"]


def test_a_role_that_was_given_more(promised):
    (role,) = promised.client("iam").list_roles()["Roles"]
    more = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [more]})
    made = promised.client("iam").create_policy(PolicyName="more", PolicyDocument=document)
    arn = made["Policy"]["Arn"]
    promised.client("iam").attach_role_policy(RoleName=role["RoleName"], PolicyArn=arn)
    changed = drift("ScoreRole", "AWS::IAM::Role", "MODIFIED", *["/a", "/b", "/c", "/d"])
    gone = drift("Alerts", "AWS::SNS::Topic", "DELETED")
    drifted(promised, [changed, gone, *ALIKE[1:]])
    assert not_ok(promised) == [
        f"the role {role['RoleName']} has no policy of others: detach {arn} ('aws iam "
        "detach-role-policy')",
        "ScoreRole (AWS::IAM::Role) is as the template has it: /a, /b, /c and 1 more differ; set "
        "it back, or launch the stack anew",
        "Alerts (AWS::SNS::Topic) is as the template has it: it is deleted; launch the stack anew",
        "1 of 3 resources of fraud that CloudFormation compares are as the template has them, "
        "roles with their policies (1) among them: set it back, or launch the stack anew",
    ]


def test_a_comparison_that_failed_is_no_promise_kept(promised):
    drifted(promised, [])
    nothing = (
        "0 of 0 resources of fraud that CloudFormation compares are as the template has them, "
        "roles with their policies (0) among them: "
    )
    assert not_ok(promised) == [f"{nothing}nothing was compared; try again in a minute"]
    failed = {
        "DetectionStatus": "DETECTION_FAILED",
        "DetectionStatusReason": "Not allowed to read Api",
    }
    promised.answer("cloudformation", "DescribeStackDriftDetectionStatus", [failed])
    assert not_ok(promised) == [f"{nothing}Not allowed to read Api"]


def test_functions_of_another_image(promised):
    settings = {"State": "Failed", "StateReason": "The image is gone", "TracingConfig": {}}
    promised.answer(
        "lambda", "GetFunction", [{"Configuration": settings, "Code": {"ImageUri": "old"}}]
    )
    assert not_ok(promised) == [
        f"fraud-score runs the image {IMAGE}: it runs old; 'aws lambda update-function-code "
        f"--function-name fraud-score --image-uri {IMAGE}'",
        "fraud-score is ready: The image is gone",
        "fraud-score is traced: 'aws lambda update-function-configuration --function-name "
        "fraud-score --tracing-config Mode=Active'",
    ]
    promised.answer("lambda", "GetFunction", [refusal("ResourceNotFoundException", "gone")])
    assert not_ok(promised) == ["fraud-score is there: launch the stack anew"]


def test_siblings_are_held_to_what_the_core_was_told(promised):
    listed = promised.client("cloudformation").list_stack_resources(StackName="fraud")
    promised.make_sibling("queue", LogDays="7")
    log = {"ResourceType": "AWS::Logs::LogGroup", "PhysicalResourceId": "/aws/lambda/fraud-work"}
    promised.answer(
        "cloudformation", "ListStackResources", [listed, {"StackResourceSummaries": [log]}]
    )
    code, said = promised.does(lambda: check(promised.account))
    assert code == 1
    assert "ok      the stack fraud-queue stands" in said
    assert [line for line in said if line.startswith("not ok")] == [
        "not ok  /aws/lambda/fraud-work keeps its lines for 30 days: 'aws logs "
        "put-retention-policy --log-group-name /aws/lambda/fraud-work --retention-in-days 30'"
    ]
    assert [line for line in said if "2 of 2 resources of fraud-queue" in line]


def test_an_open_route_and_alarms_that_nobody_hears(promised):
    promised.answer("apigatewayv2", "GetRoutes", [{"Items": [API | {"AuthorizationType": "NONE"}]}])
    heard = ALARM | {"ActionsEnabled": False, "StateValue": "ALARM", "StateReason": "1 error"}
    promised.answer("cloudwatch", "DescribeAlarms", [{"MetricAlarms": [heard]}])
    assert not_ok(promised) == [
        "the route POST /score checks who calls it: its authorization is NONE; set it back in the "
        "console, under API Gateway",
        "the alarm fraud-score-errors is there and tells the topic: 'aws cloudwatch "
        "enable-alarm-actions --alarm-names fraud-score-errors'",
        "the alarm fraud-score-errors is quiet: 1 error",
    ]
    promised.answer("cloudwatch", "DescribeAlarms", [{"MetricAlarms": []}])
    promised.answer("apigatewayv2", "GetRoutes", [{"Items": [API]}])
    assert not_ok(promised) == [
        "the alarm fraud-score-errors is there and tells the topic: it is missing; launch the "
        "stack anew"
    ]


def serve(person, config, package):
    client = person.client("sagemaker")
    client.create_model(
        ModelName=config,
        ExecutionRoleArn="arn:aws:iam::123456789012:role/model",
        Containers=[{"ModelPackageName": package}],
    )
    variant = {"VariantName": "main", "ModelName": config}
    variant["ServerlessConfig"] = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    client.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[variant])
    client.create_endpoint(EndpointName="fraud", EndpointConfigName=config)


def test_the_endpoint_serves_what_was_wanted_and_approved(promised):
    promised.client("sagemaker").create_model_package_group(ModelPackageGroupName="fraud")
    arn = register(promised, "Approved", 0.8)
    note(promised, wanted_config="fraud-1-0123abcd")
    assert not_ok(promised) == [
        "the endpoint fraud is in service with fraud-1-0123abcd: it does not exist; approve the "
        "model again"
    ]
    serve(promised, "fraud-1-0123abcd", arn)
    assert not_ok(promised) == []
    note(promised, wanted_config="fraud-2-0123abcd")
    promised.cloud.approve(arn, "Rejected")
    assert not_ok(promised) == [
        "the endpoint fraud is in service with fraud-2-0123abcd: it is InService and serves "
        "fraud-1-0123abcd; if it is being changed, wait; otherwise see its log "
        "/aws/sagemaker/Endpoints/fraud",
        "version 1, which is served, is approved: it is Rejected; approve another version, or "
        "this one",
    ]


@pytest.mark.parametrize(
    "kind", ["ProductionVariants", pytest.param("ShadowProductionVariants", marks=pytest.mark.long)]
)
def test_a_challenger_that_was_rejected_is_found(promised, kind):
    sagemaker = promised.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="fraud")
    arns = [register(promised, approval, 0.8) for approval in ("Approved", "Rejected")]
    serve(promised, "fraud-1c2-0123abcd", arns[0])
    note(promised, wanted_config="fraud-1c2-0123abcd")
    sagemaker.create_model(
        ModelName="fraud-2-0123abcd",
        ExecutionRoleArn="arn:aws:iam::123456789012:role/model",
        Containers=[{"ModelPackageName": arns[1]}],
    )
    config = sagemaker.describe_endpoint_config(EndpointConfigName="fraud-1c2-0123abcd")
    beside = {"VariantName": "challenger", "ModelName": "fraud-2-0123abcd"}
    both = config | {kind: [*config.get(kind, []), beside]}
    promised.answer("sagemaker", "DescribeEndpointConfig", [both])
    assert not_ok(promised) == [
        "version 2, which is served, is approved: it is Rejected; 'sagetree cloud shift 0 --stack"
        " fraud' takes it away"
    ]


def test_an_address_that_has_not_confirmed(promised):
    stacks = promised.client("cloudformation").describe_stacks(StackName="fraud")["Stacks"]
    for entry in stacks[0]["Parameters"]:
        if entry["ParameterKey"] == "AlertEmail":
            entry["ParameterValue"] = "me@example.com"
    promised.answer("cloudformation", "DescribeStacks", [{"Stacks": stacks}])
    pending = {"SubscriptionArn": "PendingConfirmation", "Endpoint": "me@example.com"}
    promised.answer("sns", "ListSubscriptionsByTopic", [{"Subscriptions": [pending]}])
    assert not_ok(promised) == [
        "me@example.com gets the alerts: confirm it by the link in the mail from AWS"
    ]
    promised.answer("sns", "ListSubscriptionsByTopic", [{"Subscriptions": []}])
    assert not_ok(promised) == [
        "me@example.com gets the alerts: it has unsubscribed; subscribe it again in the console, "
        "under SNS"
    ]
    confirmed = pending | {"SubscriptionArn": "arn:aws:sns:us-east-1:1:alerts:1"}
    promised.answer("sns", "ListSubscriptionsByTopic", [{"Subscriptions": [confirmed]}])
    assert not_ok(promised) == []


def test_a_dry_run_is_a_script_that_can_be_typed(person):
    code, said = person.hears(lambda: check(person.dry))
    assert code == 0
    assert all(line.startswith("+ ") for line in said)
    assert '+ aws s3api get-bucket-encryption --bucket "$BUCKET"' in said
    assert "+ aws cloudformation detect-stack-drift --stack-name fraud" in said
