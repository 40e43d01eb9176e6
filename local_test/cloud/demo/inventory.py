"""What there is in an account, of all that the solution makes."""

from collections.abc import Callable, Mapping
from typing import Any

from local_test.cloud.desk import Desk

# Each kind: its service, the operation that lists it, the list in the answer, and a name in that.
_LISTED: Mapping[str, tuple[str, str, str, str]] = {
    "endpoints": ("sagemaker", "list_endpoints", "Endpoints", "EndpointName"),
    "endpoint configs": (
        "sagemaker", "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"
    ),
    "models": ("sagemaker", "list_models", "Models", "ModelName"),
    "package groups": (
        "sagemaker", "list_model_package_groups", "ModelPackageGroupSummaryList",
        "ModelPackageGroupName",
    ),
    "feature groups": (
        "sagemaker", "list_feature_groups", "FeatureGroupSummaries", "FeatureGroupName"
    ),
    "pipelines": ("sagemaker", "list_pipelines", "PipelineSummaries", "PipelineName"),
    "roles": ("iam", "list_roles", "Roles", "RoleName"),
    "alarms": ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "dashboards": ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    "log groups": ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "parameters": ("ssm", "describe_parameters", "Parameters", "Name"),
    "functions": ("lambda", "list_functions", "Functions", "FunctionName"),
    "rules": ("events", "list_rules", "Rules", "Name"),
    "schedules": ("scheduler", "list_schedules", "Schedules", "Name"),
    "topics": ("sns", "list_topics", "Topics", "TopicArn"),
    "subscriptions": ("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
    "APIs": ("apigatewayv2", "get_apis", "Items", "Name"),
}  # fmt: skip


def inventory(desk: Desk) -> dict[str, list[str]]:
    """Return the names of all there is, by kind; empty kinds too."""
    found = {
        kind: [str(entry[name]) for entry in getattr(desk.client(service), listing)()[key]]
        for kind, (service, listing, key, name) in _LISTED.items()
    }
    return found | {kind: list_all(desk) for kind, list_all in _OTHERS.items()}


def _targets(desk: Desk) -> list[str]:
    scaling = desk.client("application-autoscaling")
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    return [target["ResourceId"] for target in targets]


def _packages(desk: Desk) -> list[str]:
    listed = desk.client("sagemaker").list_model_packages(ModelPackageType="Both")
    return [package["ModelPackageArn"] for package in listed["ModelPackageSummaryList"]]


def _queues(desk: Desk) -> list[str]:
    return list(desk.client("sqs").list_queues().get("QueueUrls", []))


def _buckets(desk: Desk) -> list[str]:
    return [bucket["Name"] for bucket in desk.client("s3").list_buckets()["Buckets"]]


def _objects(desk: Desk) -> list[str]:
    """Return every version of every object, and every mark of a deleted one."""
    s3, found = desk.client("s3"), []
    for bucket in _buckets(desk):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            entries: list[Any] = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            found += [f"s3://{bucket}/{entry['Key']}" for entry in entries]
    return found


def _tables(desk: Desk) -> list[str]:
    return list(desk.client("dynamodb").list_tables()["TableNames"])


def _databases(desk: Desk) -> list[str]:
    return [entry["Name"] for entry in desk.client("glue").get_databases()["DatabaseList"]]


def _workgroups(desk: Desk) -> list[str]:
    """Return Athena's workgroups, but for the one that each account has."""
    listed = desk.client("athena").list_work_groups()["WorkGroups"]
    return [entry["Name"] for entry in listed if entry["Name"] != "primary"]


def _sources(desk: Desk) -> list[str]:
    listed = desk.client("lambda").list_event_source_mappings()
    return [mapping["UUID"] for mapping in listed["EventSourceMappings"]]


_OTHERS: Mapping[str, Callable[[Desk], list[str]]] = {
    "model packages": _packages,
    "scaling targets": _targets,
    "queues": _queues,
    "event sources": _sources,
    "tables": _tables,
    "databases of Glue": _databases,
    "workgroups of Athena": _workgroups,
    "buckets": _buckets,
    "objects in S3, with old versions": _objects,
}
