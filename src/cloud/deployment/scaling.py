"""The number of instances by load: Application Auto Scaling of the endpoint."""

from typing import Any

from botocore.exceptions import ClientError

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment.requests import VARIANT
from sagetree.cloud.names import Settings

# Fifty a second for each instance: a request of some rows takes a few milliseconds of one core.
INVOCATIONS_A_MINUTE = 3000.0

# Requests that wait at an asynchronous endpoint, for each instance.
BACKLOG = 5.0

SCALE_IN_SECONDS = 600
SCALE_OUT_SECONDS = 60


def register(clients: Clients, settings: Settings) -> None:
    """Let the endpoint, which must be in service, scale between the stack's limits."""
    if not settings.scales:
        deregister(clients, settings)
        return
    scaling = clients["application-autoscaling"]
    scaling.register_scalable_target(
        **_target(settings), MinCapacity=settings.instances, MaxCapacity=settings.instances_max
    )
    scaling.put_scaling_policy(
        **_target(settings),
        PolicyName=f"{settings.stack}-load",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            **_metric(settings),
            "ScaleInCooldown": SCALE_IN_SECONDS,
            "ScaleOutCooldown": SCALE_OUT_SECONDS,
        },
    )


def deregister(clients: Clients, settings: Settings) -> bool:
    """End the endpoint's scaling; return whether there was any."""
    try:
        clients["application-autoscaling"].deregister_scalable_target(**_target(settings))
    except ClientError as error:
        if "No scalable target" not in error.response["Error"].get("Message", ""):
            raise
        return False
    return True


def _target(settings: Settings) -> dict[str, str]:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{settings.stack}/variant/{VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


def _metric(settings: Settings) -> dict[str, Any]:
    if settings.endpoint_kind == "asynchronous":
        backlog = {
            "MetricName": "ApproximateBacklogSizePerInstance",
            "Namespace": "AWS/SageMaker",
            "Dimensions": [{"Name": "EndpointName", "Value": settings.stack}],
            "Statistic": "Average",
        }
        return {"TargetValue": BACKLOG, "CustomizedMetricSpecification": backlog}
    invocations = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    return {"TargetValue": INVOCATIONS_A_MINUTE, "PredefinedMetricSpecification": invocations}
