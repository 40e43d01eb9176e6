"""Types of CloudFormation's that moto does not make, each by its service's own operations.

Where the names of properties and parameters agree, and they nearly always do, the table below is
all there is to a type: a property that the operation does not know is an error here too.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_test.cloud.account.actors import ACCOUNT, REGION

Properties = dict[str, Any]
Answer = Mapping[str, Any]
# What a reference to a resource is, of its properties and what its operation answered.
Reader = Callable[[Properties, Answer], Any]


def answered(name: str) -> Reader:
    """Return a reader of one field of the answer."""
    return lambda _properties, answer: str(answer[name])


def given(name: str) -> Reader:
    """Return a reader of one property."""
    return lambda properties, _answer: str(properties[name])


@dataclass(frozen=True)
class Kind:
    """One type: how it is made, what refers to it, and how it is deleted."""

    type: str
    service: str
    create: str
    ref: Reader
    # The parameters of `delete`, each with what it is; without an operation there is nothing left.
    delete: str = ""
    deleted_by: Mapping[str, Reader] = field(default_factory=dict)
    # The property that names it, which CloudFormation makes up where a template does not say.
    name: str = ""
    attributes: Mapping[str, Reader] = field(default_factory=dict)
    request: Callable[[Properties], Properties] = dict
    # Operations that come after `create`, each with its request.
    then: Mapping[str, Callable[[Properties], Properties]] = field(default_factory=dict)


def named(
    type_: str,
    service: str,
    create: str,
    delete: str,
    name: str,
    ref: Reader | None = None,
    attributes: Mapping[str, Reader] | None = None,
    request: Callable[[Properties], Properties] = dict,
) -> Kind:
    """Return a kind that its own name deletes."""
    return Kind(
        type_, service, create, ref or given(name), delete, {name: given(name)}, name,
        attributes or {}, request,
    )  # fmt: skip


def of_api(noun: str) -> Kind:
    """Return a part of an HTTP API, which only its identifier refers to."""
    key = answered(f"{noun}Id")
    return Kind(
        f"AWS::ApiGatewayV2::{noun}", "apigatewayv2", f"Create{noun}", key, f"Delete{noun}",
        {"ApiId": given("ApiId"), f"{noun}Id": key}, attributes={f"{noun}Id": key},
    )  # fmt: skip


def _pipeline(properties: Properties) -> Properties:
    definition = properties["PipelineDefinition"]["PipelineDefinitionBody"]
    token = {"ClientRequestToken": properties["PipelineName"].ljust(32, "-")}
    return {**properties, "PipelineDefinition": definition, **token}


def _topic_policy(properties: Properties) -> Properties:
    (topic,) = properties["Topics"]
    policy = json.dumps(properties["PolicyDocument"])
    return {"TopicArn": topic, "AttributeName": "Policy", "AttributeValue": policy}


def _queue_policy(properties: Properties) -> Properties:
    (queue,) = properties["Queues"]
    return {"QueueUrl": queue, "Attributes": {"Policy": json.dumps(properties["PolicyDocument"])}}


def _certificate(properties: Properties) -> Properties:
    # CloudFormation makes the record itself that proves it
    return {n: value for n, value in properties.items() if n != "DomainValidationOptions"}


def _trail(properties: Properties) -> Properties:
    renamed = {"TrailName": "Name", "KMSKeyId": "KmsKeyId"}
    others = ("EventSelectors", "IsLogging")  # what has operations of its own
    return {renamed.get(n, n): value for n, value in properties.items() if n not in others}


def _of_account() -> list[Kind]:
    """Return what is not of one stack alone: its network, its name, what watches the account."""
    mapping, association = answered("ApiMappingId"), answered("AssociationId")
    return [
        # moto makes these three and cannot delete them
        Kind(
            "AWS::EC2::RouteTable", "ec2", "CreateRouteTable",
            lambda _p, a: str(a["RouteTable"]["RouteTableId"]), "DeleteRouteTable",
            {"RouteTableId": lambda _p, a: a["RouteTable"]["RouteTableId"]},
        ),
        Kind(
            "AWS::EC2::SubnetRouteTableAssociation", "ec2", "AssociateRouteTable", association,
            "DisassociateRouteTable", {"AssociationId": association},
        ),
        Kind(
            "AWS::EC2::VPCEndpoint", "ec2", "CreateVpcEndpoint",
            lambda _p, a: str(a["VpcEndpoint"]["VpcEndpointId"]), "DeleteVpcEndpoints",
            {"VpcEndpointIds": lambda _p, a: [a["VpcEndpoint"]["VpcEndpointId"]]},
        ),
        Kind(
            "AWS::CertificateManager::Certificate", "acm", "RequestCertificate",
            answered("CertificateArn"), "DeleteCertificate",
            {"CertificateArn": answered("CertificateArn")}, request=_certificate,
        ),
        Kind(
            "AWS::ApiGatewayV2::DomainName", "apigatewayv2", "CreateDomainName",
            given("DomainName"), "DeleteDomainName", {"DomainName": given("DomainName")},
            attributes={
                "RegionalDomainName": lambda _p, _a: f"d-desk.execute-api.{REGION}.amazonaws.com",
                "RegionalHostedZoneId": lambda _p, _a: "Z1UJRXOUMOOFQ8",
            },
        ),
        Kind(
            "AWS::ApiGatewayV2::ApiMapping", "apigatewayv2", "CreateApiMapping",
            mapping, "DeleteApiMapping",
            {"ApiMappingId": mapping, "DomainName": given("DomainName")},
        ),
        Kind(
            "AWS::CloudTrail::Trail", "cloudtrail", "CreateTrail", given("TrailName"),
            "DeleteTrail", {"Name": given("TrailName")}, "TrailName", request=_trail,
            then={
                "PutEventSelectors": lambda p: {
                    "TrailName": p["TrailName"], "EventSelectors": p["EventSelectors"],
                },
                "StartLogging": lambda p: {"Name": p["TrailName"]},
            },
        ),
        Kind(
            "AWS::Budgets::Budget", "budgets", "CreateBudget",
            lambda p, _a: str(p["Budget"]["BudgetName"]), "DeleteBudget",
            {
                "AccountId": lambda _p, _a: ACCOUNT,
                "BudgetName": lambda p, _a: str(p["Budget"]["BudgetName"]),
            },
            request=lambda p: {"AccountId": ACCOUNT, **p},
        ),
    ]  # fmt: skip


def _database(properties: Properties, _answer: Answer) -> str:
    return str(properties["DatabaseInput"]["Name"])


def _workgroup(properties: Properties) -> Properties:
    others = {"WorkGroupConfiguration", "RecursiveDeleteOption", "State"}
    kept = {name: value for name, value in properties.items() if name not in others}
    return {**kept, "Configuration": properties["WorkGroupConfiguration"]}


def kinds(api_url: Callable[[str], str]) -> list[Kind]:
    """Return what moto lacks of the template's types; `api_url` says where an API answers."""
    group = answered("ModelPackageGroupArn")
    return [
        *_of_account(),
        named(
            "AWS::SageMaker::ModelPackageGroup", "sagemaker", "CreateModelPackageGroup",
            "DeleteModelPackageGroup", "ModelPackageGroupName", group,
            {"ModelPackageGroupArn": group},
        ),
        named(
            "AWS::SageMaker::Pipeline", "sagemaker", "CreatePipeline", "DeletePipeline",
            "PipelineName", request=_pipeline,
        ),
        Kind(
            "AWS::CloudWatch::Alarm", "cloudwatch", "PutMetricAlarm", given("AlarmName"),
            "DeleteAlarms", {"AlarmNames": lambda p, _a: [p["AlarmName"]]}, "AlarmName",
            {"Arn": lambda p, _a: f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{p['AlarmName']}"},
        ),
        Kind(
            "AWS::CloudWatch::Dashboard", "cloudwatch", "PutDashboard", given("DashboardName"),
            "DeleteDashboards", {"DashboardNames": lambda p, _a: [p["DashboardName"]]},
            "DashboardName",
        ),
        Kind(
            "AWS::ApiGatewayV2::Api", "apigatewayv2", "CreateApi", answered("ApiId"), "DeleteApi",
            {"ApiId": answered("ApiId")}, "Name",
            {"ApiEndpoint": lambda _p, a: api_url(a["ApiId"]), "ApiId": answered("ApiId")},
        ),
        of_api("Integration"),
        of_api("Route"),
        of_api("Authorizer"),
        Kind(
            "AWS::ApiGatewayV2::Stage", "apigatewayv2", "CreateStage", given("StageName"),
            "DeleteStage", {"ApiId": given("ApiId"), "StageName": given("StageName")},
        ),
        named("AWS::Scheduler::Schedule", "scheduler", "CreateSchedule", "DeleteSchedule", "Name"),
        Kind(
            "AWS::Lambda::EventInvokeConfig", "lambda", "PutFunctionEventInvokeConfig",
            given("FunctionName"), "DeleteFunctionEventInvokeConfig",
            {"FunctionName": given("FunctionName")},
        ),
        Kind(
            "AWS::SNS::Subscription", "sns", "Subscribe", answered("SubscriptionArn"),
            "Unsubscribe", {"SubscriptionArn": answered("SubscriptionArn")},
        ),
        # moto takes the policy for Allow or Deny without its conditions, and would refuse all that
        # is not encrypted on its way: everything, on the desk.
        Kind("AWS::S3::BucketPolicy", "", "", lambda p, _a: f"{p['Bucket']}-policy"),
        Kind(
            "AWS::SNS::TopicPolicy", "sns", "SetTopicAttributes",
            lambda p, _a: f"{p['Topics'][0]}-policy", request=_topic_policy,
        ),
        Kind(
            "AWS::Glue::Database", "glue", "CreateDatabase", _database, "DeleteDatabase",
            {"Name": _database},
        ),
        Kind(
            "AWS::Athena::WorkGroup", "athena", "CreateWorkGroup", given("Name"),
            "DeleteWorkGroup", {"WorkGroup": given("Name")}, request=_workgroup,
        ),
        Kind(
            "AWS::SQS::QueuePolicy", "sqs", "SetQueueAttributes",
            lambda p, _a: f"{p['Queues'][0]}-policy", request=_queue_policy,
        ),
    ]  # fmt: skip
