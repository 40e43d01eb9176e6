"""What SageMaker is asked for: a model, a config and an endpoint, as the stack's settings say."""

from collections.abc import Mapping
from typing import Any, Literal

from sagetree.cloud.deployment.challenger import Challenger
from sagetree.cloud.deployment.package import Package
from sagetree.cloud.names import EndpointKind, Settings, Versions, name_of, versions_in

Request = dict[str, Any]

# Blue/green needs the same name before and after.
VARIANT = "main"

# The variant of the challenger, and of a shadow: the template's alarm watches it.
BESIDE = "challenger"

# Where SageMaker keeps what a shadow was asked and answered, in the stack's bucket.
CAPTURED = "captured"

# How long an alarm has to go off: while the first instance answers, and while all do.
WAIT_SECONDS = 300

# A change that takes longer is rolled back.
LONGEST_SECONDS = 3600


def name_for(settings: Settings, package: Package, challenger: Challenger | None = None) -> str:
    """Return the name of the config that serves a package: of all that it holds.

    Without a challenger it is the name of the package's model, too.
    """
    if challenger is not None:
        models = (name_for(settings, package), name_for(settings, challenger.package))
        versions = Versions(package.version, challenger.package.version, challenger.is_shadow)
        pair = pair_request(settings, "", models, is_shadow=challenger.is_shadow)
        return name_of(settings.stack, versions, {"config": pair})
    content = {
        "package": [package.arn, package.created.timestamp(), list(package.containers)],
        "model": model_request(settings, package, ""),
        "config": config_request(settings, "", ""),
    }
    return name_of(settings.stack, Versions(package.version), content)


def model_request(settings: Settings, package: Package, name: str) -> Request:
    """Return the request for the model; the package itself names the image and its environment."""
    request: Request = {
        "ModelName": name,
        "ExecutionRoleArn": settings.role_arn,
        "Containers": [{"ModelPackageName": package.arn}],
    }
    if settings.endpoint_kind == "serverless":  # takes neither isolation nor a network
        return request
    request["EnableNetworkIsolation"] = True
    if settings.subnets:
        request["VpcConfig"] = {
            "Subnets": list(settings.subnets), "SecurityGroupIds": list(settings.security_groups),
        }  # fmt: skip
    return request


def config_request(settings: Settings, name: str, model: str) -> Request:
    """Return the request for the endpoint's config that serves one model."""
    variant: Request = {"VariantName": VARIANT, "ModelName": model}
    request: Request = {"EndpointConfigName": name, "ProductionVariants": [variant]}
    if settings.endpoint_kind == "serverless":
        variant["ServerlessConfig"] = {
            "MemorySizeInMB": settings.memory_mb, "MaxConcurrency": settings.concurrency,
        }  # fmt: skip
        return request
    variant |= {
        "InstanceType": settings.instance_type,
        "InitialInstanceCount": settings.instances,
        "InitialVariantWeight": 1.0,
    }
    if settings.kms_key_arn:
        request["KmsKeyId"] = settings.kms_key_arn
    if settings.endpoint_kind == "asynchronous":
        output: Request = {
            "S3OutputPath": f"s3://{settings.bucket}/answers",
            "S3FailurePath": f"s3://{settings.bucket}/failures",
        }
        if settings.answers_topic_arn:
            output["NotificationConfig"] = {
                "SuccessTopic": settings.answers_topic_arn, "ErrorTopic": settings.topic_arn,
            }  # fmt: skip
        if settings.kms_key_arn:
            output["KmsKeyId"] = settings.kms_key_arn
        request["AsyncInferenceConfig"] = {"OutputConfig": output}
    return request


def pair_request(
    settings: Settings, name: str, models: tuple[str, str], *, is_shadow: bool
) -> Request:
    """Return the request for a config of two models, the second beside the first.

    A challenger gets nothing before both are in service; then `weigh` gives it its share, so that
    another share needs no other config. A shadow gets copies of all requests.
    """
    champion, challenger = models
    request = config_request(settings, name, champion)
    (main,) = request["ProductionVariants"]
    beside = {**main, "VariantName": BESIDE, "ModelName": challenger}
    if not is_shadow:
        request["ProductionVariants"] = [main, {**beside, "InitialVariantWeight": 0.0}]
        return request
    request["ShadowProductionVariants"] = [beside]
    if settings.capture_percent:
        request["DataCaptureConfig"] = {
            "EnableCapture": True,
            "InitialSamplingPercentage": settings.capture_percent,
            "DestinationS3Uri": f"s3://{settings.bucket}/{CAPTURED}",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
        }
        if settings.kms_key_arn:
            request["DataCaptureConfig"]["KmsKeyId"] = settings.kms_key_arn
    return request


def update_request(settings: Settings, name: str, served: str, instances: int) -> Request:
    """Return the request that moves the endpoint to a config.

    It now serves another one, with this many instances of the champion.
    """
    request: Request = {"EndpointName": settings.stack, "EndpointConfigName": name}
    if settings.endpoint_kind == "serverless":  # has neither instances nor guardrails
        return request
    # What scaling has made of the number of instances stays; the old config's capture would too,
    # and a challenger's share, and without scaling the old config's number.
    ours = ["DataCaptureConfig"]
    if not settings.scales:
        ours.append("DesiredInstanceCount")
    if beside_in(settings, name):
        ours.append("DesiredWeight")
    request["RetainAllVariantProperties"] = True
    request["ExcludeRetainedVariantProperties"] = [{"VariantPropertyType": name} for name in ours]
    # SageMaker takes guardrails for variants of the same names alone, and shifts others at once
    if beside_in(settings, name) == beside_in(settings, served):
        instances = instances if settings.scales else settings.instances
        request["DeploymentConfig"] = _guardrails(settings, instances)
    return request


def beside_in(settings: Settings, config: str) -> Literal["", "challenger", "shadow"]:
    """Return what a config of the stack's has beside the champion, "" for nothing.

    A challenger is a production variant, which has a weight and may be scaled; a shadow is none.
    """
    versions = versions_in(settings.stack, config)
    if versions is None or versions.challenger is None:
        return ""
    return "shadow" if versions.is_shadow else "challenger"


def weights_request(settings: Settings, share: int) -> Request:
    """Return the request that gives the challenger this many percent of the requests."""
    weights = {VARIANT: 100.0 - share, BESIDE: float(share)}
    return {
        "EndpointName": settings.stack,
        "DesiredWeightsAndCapacities": [
            {"VariantName": name, "DesiredWeight": weight} for name, weight in weights.items()
        ],
    }


def kind_of(config: Mapping[str, Any]) -> EndpointKind:
    """Return what kind of endpoint a described config makes."""
    if config.get("AsyncInferenceConfig"):
        return "asynchronous"
    return "serverless" if config["ProductionVariants"][0].get("ServerlessConfig") else "instance"


def _guardrails(settings: Settings, instances: int) -> Request:
    routing: Request = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": WAIT_SECONDS}
    if instances > 1:  # the first may be half of all at most
        first = {"Type": "INSTANCE_COUNT", "Value": 1}
        routing |= {"Type": "CANARY", "CanarySize": first}
    guardrails: Request = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": WAIT_SECONDS,
            "MaximumExecutionTimeoutInSeconds": LONGEST_SECONDS,
        }
    }
    if settings.alarms:
        alarms = [{"AlarmName": name} for name in settings.alarms]
        guardrails["AutoRollbackConfiguration"] = {"Alarms": alarms}
    return guardrails
