"""sagetree cloud status: each part in words, in one view."""

from datetime import UTC, datetime

import pytest

from sagetree.cloud.commands.status import status
from tests.cloud.commands.test_approve import register

NOW = datetime(2026, 11, 30, 1, 2, tzinfo=UTC)


def note(person, **values):
    for name, value in values.items():
        person.client("ssm").put_parameter(
            Name=f"/fraud/{name.replace('_', '-')}", Value=value, Type="String", Overwrite=True
        )


def serve(person, config, *beside):
    """Make an endpoint that serves a config, of another variant with its weight, too."""
    client = person.client("sagemaker")
    container = {"Image": "1.dkr.ecr.us-east-1.amazonaws.com/sagetree:1"}
    role = "arn:aws:iam::123456789012:role/model"
    client.create_model(ModelName=config, ExecutionRoleArn=role, PrimaryContainer=container)
    variant = {"VariantName": "main", "ModelName": config}
    variant["ServerlessConfig"] = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    variants = [variant]
    if beside:
        machine = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1, "ModelName": config}
        weights = {"main": 9.0, **dict(beside)}
        variants = [
            {**machine, "VariantName": name, "InitialVariantWeight": weight}
            for name, weight in weights.items()
        ]
    client.create_endpoint_config(EndpointConfigName=config, ProductionVariants=variants)
    client.create_endpoint(EndpointName="fraud", EndpointConfigName=config)


def make(person, **parameters):
    person.make_stack(**parameters)
    person.client("sagemaker").create_model_package_group(ModelPackageGroupName="fraud")
    executions = {"PipelineExecutionSummaries": []}
    person.answer("sagemaker", "ListPipelineExecutions", [executions])


def after(title, lines):
    """Return the lines of a part."""
    start = next(n for n, line in enumerate(lines) if line.startswith(f"{title} "))
    found = [lines[start][10:]]
    for line in lines[start + 1 :]:
        if not line.startswith(" " * 10):
            break
        found.append(line[10:])
    return found


def test_a_new_stack_says_what_is_next(person):
    make(person)
    code, said = person.does(lambda: status(person.account))
    assert code == 0
    assert after("stack", said)[0].startswith("fraud is CREATE_COMPLETE, made 20")
    assert after("stack", said)[1:] == ["claims are scored at https://example.com/score"]
    person.make_sibling("watch")
    _, said = person.does(lambda: status(person.account))
    assert after("stack", said)[1].startswith("fraud-watch is CREATE_COMPLETE, made 20")
    assert after("pipeline", said) == ["has not run yet"]
    assert after("models", said) == ["none yet"]
    assert after("endpoint", said) == ["none yet: approve a model"]
    assert after("alarms", said) == ["there are none"]
    assert after("cost", said) == [
        "serverless: nothing while nobody calls; the endpoint by the millisecond of a request",
        "jobs: by the second",
    ]


def test_what_ran_what_is_served_and_what_is_wrong(person):
    make(person)
    register(person, "Approved", 0.83)
    register(person, "Rejected", 0.6)
    serve(person, "fraud-1-0123abcd")
    note(person, wanted_config="fraud-2-0123abcd", deployed_package="none")
    failed = {
        "StartTime": NOW,
        "PipelineExecutionStatus": "Failed",
        "PipelineExecutionFailureReason": "AUC 0.6 is below 0.7",
    }
    fine = {"StartTime": NOW, "PipelineExecutionStatus": "Succeeded"}
    person.answer(
        "sagemaker", "ListPipelineExecutions", [{"PipelineExecutionSummaries": [failed, fine]}]
    )
    alarm = {"AlarmName": "fraud-score-errors", "StateValue": "ALARM"}
    person.answer("cloudwatch", "DescribeAlarms", [{"MetricAlarms": [alarm]}])
    _, said = person.does(lambda: status(person.account))
    assert after("pipeline", said) == [
        "2026-11-30 01:02 Failed: AUC 0.6 is below 0.7", "2026-11-30 01:02 Succeeded",
    ]  # fmt: skip
    assert after("models", said) == [
        "version 2: Rejected, auc 0.6, precision 0.5",
        "version 1: Approved, auc 0.83, precision 0.5",
    ]  # fmt: skip
    assert after("endpoint", said) == [
        "fraud is InService", "serves fraud-1-0123abcd", "wanted is fraud-2-0123abcd",
    ]  # fmt: skip
    assert after("alarms", said) == ["fraud-score-errors: ALARM"]


@pytest.mark.parametrize("other", ["fraud-two", "fraud-queue"])
def test_alarms_of_a_stack_that_is_called_alike_are_its_own(person, other):
    make(person)
    person.client("cloudformation").create_stack(
        StackName=other, TemplateBody='{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
    )
    alarms = [
        {"AlarmName": f"{name}-score-errors", "StateValue": "OK"} for name in ("fraud", other)
    ]
    person.answer("cloudwatch", "DescribeAlarms", [{"MetricAlarms": alarms}])
    _, said = person.does(lambda: status(person.account))
    assert after("alarms", said) == ["fraud-score-errors: OK"]


@pytest.mark.parametrize(
    ("config", "note_", "line"),
    [
        ("fraud-1c2-0123abcd", "10 x/2", "version 2 gets 10 % of the requests"),
        ("fraud-1s2-0123abcd", "shadow x/2", "version 2 gets copies of the requests"),
        ("fraud-1-0123abcd", "10 x/2 asked", "noted beside it is 10 x/2"),
    ],
)
def test_who_is_beside_the_champion_is_said(person, config, note_, line):
    make(person, EndpointKind="instance")
    serve(person, config, *([("challenger", 1.0)] if "c2" in config else []))
    note(person, wanted_config=config, challenger=note_)
    _, said = person.does(lambda: status(person.account))
    assert after("endpoint", said) == ["fraud is InService", f"serves {config}", line]


def test_instances_cost_by_the_hour_even_of_an_asynchronous_endpoint(person):
    make(person, EndpointKind="asynchronous")
    _, said = person.does(lambda: status(person.account))
    assert after("cost", said) == [
        "asynchronous: the endpoint's instances by the hour, used or not",
        "jobs: by the second",
    ]


def test_a_model_inside_lambda_has_no_endpoint_and_a_network_costs_by_the_hour(person):
    make(person, EndpointKind="lambda")
    person.make_sibling("network")
    _, said = person.does(lambda: status(person.account))
    assert after("endpoint", said) == ["none: the model runs inside the score function"]
    assert after("cost", said) == [
        "lambda: nothing while nobody calls; Lambda by the millisecond of a request",
        "network: an endpoint for each service, by the hour, used or not",
        "jobs: by the second",
    ]


def test_a_dry_run_names_each_call(person):
    code, said = person.hears(lambda: status(person.dry))
    assert code == 0
    assert [" ".join(line.split()[1:4]) for line in said] == [
        "aws cloudformation describe-stacks",
        "aws sagemaker list-pipeline-executions",
        "aws sagemaker list-model-packages",
        "aws cloudwatch describe-alarms",
        "aws ssm get-parameters-by-path",
        "aws sagemaker describe-endpoint",
    ]
