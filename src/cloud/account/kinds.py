"""The kinds of things that the solution makes in an account, and how each is listed and removed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

# In a request and in a command, what stands for the stack's name and for the thing's own.
STACK = "{stack}"
NAME = "{name}"


@dataclass(frozen=True)
class Kind:
    """One kind of thing.

    `type` is CloudFormation's, `key` where an answer lists things and `name` the field with
    a thing's name ("" where entries are names); `id` is the field that removing it needs, where
    that is another one, and `removal` says how. `is_cleaned` says that deleting the stack
    removes those outside it too: the core, or the sibling that `cleaner` names.
    """

    title: str
    type: str
    service: str
    operation: str
    key: str
    name: str
    removal: str
    request: Mapping[str, str] = field(default_factory=dict)
    id: str = ""
    is_cleaned: bool = False
    cleaner: str = ""


KINDS = (
    Kind(
        "scaling target",
        "AWS::ApplicationAutoScaling::ScalableTarget",
        *("application-autoscaling", "describe_scalable_targets", "ScalableTargets", "ResourceId"),
        "aws application-autoscaling deregister-scalable-target --service-namespace sagemaker "
        "--scalable-dimension sagemaker:variant:DesiredInstanceCount --resource-id {name}",
        {"ServiceNamespace": "sagemaker"},
        is_cleaned=True,
    ),
    Kind(
        "endpoint",
        "AWS::SageMaker::Endpoint",
        *("sagemaker", "list_endpoints", "Endpoints", "EndpointName"),
        "aws sagemaker delete-endpoint --endpoint-name {name}",
        {"NameContains": STACK},
        is_cleaned=True,
    ),
    Kind(
        "endpoint config",
        "AWS::SageMaker::EndpointConfig",
        *("sagemaker", "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
        "aws sagemaker delete-endpoint-config --endpoint-config-name {name}",
        {"NameContains": STACK},
        is_cleaned=True,
    ),
    Kind(
        "model",
        "AWS::SageMaker::Model",
        *("sagemaker", "list_models", "Models", "ModelName"),
        "aws sagemaker delete-model --model-name {name}",
        {"NameContains": STACK},
        is_cleaned=True,
    ),
    Kind(
        "model package group",
        "AWS::SageMaker::ModelPackageGroup",
        "sagemaker",
        "list_model_package_groups",
        "ModelPackageGroupSummaryList",
        "ModelPackageGroupName",
        "in the console: SageMaker, Models, {name}: delete its versions, then the group",
        {"NameContains": STACK},
    ),
    Kind(
        "feature group",
        "AWS::SageMaker::FeatureGroup",
        *("sagemaker", "list_feature_groups", "FeatureGroupSummaries", "FeatureGroupName"),
        "aws sagemaker delete-feature-group --feature-group-name {name}",
        {"NameContains": STACK},
        is_cleaned=True,
        cleaner="features",
    ),
    Kind(
        "pipeline",
        "AWS::SageMaker::Pipeline",
        *("sagemaker", "list_pipelines", "PipelineSummaries", "PipelineName"),
        "aws sagemaker delete-pipeline --pipeline-name {name}",
        {"PipelineNamePrefix": STACK},
    ),
    Kind(
        "function",
        "AWS::Lambda::Function",
        *("lambda", "list_functions", "Functions", "FunctionName"),
        "aws lambda delete-function --function-name {name}",
    ),
    Kind(
        "API",
        "AWS::ApiGatewayV2::Api",
        *("apigatewayv2", "get_apis", "Items", "Name"),
        "aws apigatewayv2 delete-api --api-id {name}",
        id="ApiId",
    ),
    Kind(
        "log group",
        "AWS::Logs::LogGroup",
        *("logs", "describe_log_groups", "logGroups", "logGroupName"),
        "aws logs delete-log-group --log-group-name {name}",
    ),
    Kind(
        "alarm",
        "AWS::CloudWatch::Alarm",
        *("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        "aws cloudwatch delete-alarms --alarm-names {name}",
        {"AlarmNamePrefix": STACK},
    ),
    Kind(
        "dashboard",
        "AWS::CloudWatch::Dashboard",
        *("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
        "aws cloudwatch delete-dashboards --dashboard-names {name}",
        {"DashboardNamePrefix": STACK},
    ),
    Kind(
        "rule",
        "AWS::Events::Rule",
        *("events", "list_rules", "Rules", "Name"),
        "in the console: EventBridge, Rules, {name}, Delete",
        {"NamePrefix": STACK},
    ),
    Kind(
        "schedule",
        "AWS::Scheduler::Schedule",
        *("scheduler", "list_schedules", "Schedules", "Name"),
        "aws scheduler delete-schedule --name {name}",
        {"NamePrefix": STACK},
    ),
    Kind(
        "topic",
        "AWS::SNS::Topic",
        *("sns", "list_topics", "Topics", "TopicArn"),
        "aws sns delete-topic --topic-arn {name}",
    ),
    Kind(
        "queue",
        "AWS::SQS::Queue",
        *("sqs", "list_queues", "QueueUrls", ""),
        "aws sqs delete-queue --queue-url {name}",
        {"QueueNamePrefix": STACK},
    ),
    Kind(
        "parameter",
        "AWS::SSM::Parameter",
        *("ssm", "get_parameters_by_path", "Parameters", "Name"),
        "aws ssm delete-parameter --name {name}",
        {"Path": f"/{STACK}/"},
    ),
    Kind(
        "role",
        "AWS::IAM::Role",
        *("iam", "list_roles", "Roles", "RoleName"),
        "in the console: IAM, Roles, {name}, Delete",
    ),
    Kind(
        "bucket",
        "AWS::S3::Bucket",
        *("s3", "list_buckets", "Buckets", "Name"),
        "in the console: S3, {name}, Empty, then Delete",
    ),
)
