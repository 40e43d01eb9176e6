"""The number of instances by load: Application Auto Scaling of the endpoint."""

from typing import Any

from botocore.exceptions import ClientError

from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment.requests import BESIDE, VARIANT
from sagetree.cloud.names import Settings

# Fifty a second for each instance: a request of some rows takes a few milliseconds of one core.
INVOCATIONS_A_MINUTE = 3000.0

# Requests that wait at an asynchronous endpoint, for each instance.
BACKLOG = 5.0

SCALE_IN_SECONDS = 600
SCALE_OUT_SECONDS = 60


def register(clients: Clients, settings: Settings, *, has_challenger: bool = False) -> None:
    """Let the endpoint, which must be in service, scale between the stack's limits.

    A shadow is not scaled.
    """
    if not settings.scales:
        deregister(clients, settings)
        return
    for variant in (VARIANT, BESIDE) if has_challenger else (VARIANT,):
        _register(clients, settings, variant)


def deregister(clients: Clients, settings: Settings, *variants: str) -> int:
    """End the scaling of variants, of all if none is named; return how many were scaled."""
    return sum(_deregister(clients, settings, name) for name in variants or (VARIANT, BESIDE))


def _register(clients: Clients, settings: Settings, variant: str) -> None:
    scaling, target = clients["application-autoscaling"], _target(settings, variant)
    scaling.register_scalable_target(
        **target, MinCapacity=settings.instances, MaxCapacity=settings.instances_max
    )
    scaling.put_scaling_policy(
        **target,
        PolicyName=f"{settings.stack}-load",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            **_metric(settings),
            "ScaleInCooldown": SCALE_IN_SECONDS,
            "ScaleOutCooldown": SCALE_OUT_SECONDS,
        },
    )


def _deregister(clients: Clients, settings: Settings, variant: str) -> bool:
    target = _target(settings, variant)
    try:
        clients["application-autoscaling"].deregister_scalable_target(**target)
    except ClientError as error:
        if "No scalable target" not in error.response["Error"].get("Message", ""):
            raise
        return False
    return True


def _target(settings: Settings, variant: str) -> dict[str, str]:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{settings.stack}/variant/{variant}",
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
