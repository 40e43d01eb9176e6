"""What SageMaker is asked for: a model, a config and an endpoint, as the stack's settings say."""

from collections.abc import Mapping
from typing import Any

from sagetree.cloud.deployment.package import Package
from sagetree.cloud.names import EndpointKind, Settings, name_of

Request = dict[str, Any]

# Blue/green needs the same name before and after.
VARIANT = "main"

# How long an alarm has to go off: while the first instance answers, and while all do.
WAIT_SECONDS = 300

# A change that takes longer is rolled back.
LONGEST_SECONDS = 3600


def name_for(settings: Settings, package: Package) -> str:
    """Return the name of the model and the config that serve a package: of all that they hold."""
    content = {
        "package": [package.arn, package.created.timestamp(), list(package.containers)],
        "model": model_request(settings, package, ""),
        "config": config_request(settings, ""),
    }
    return name_of(settings.stack, package.version, content)


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


def config_request(settings: Settings, name: str) -> Request:
    """Return the request for the endpoint's config."""
    variant: Request = {"VariantName": VARIANT, "ModelName": name}
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


def update_request(settings: Settings, name: str, instances: int) -> Request:
    """Return the request that moves the endpoint, which now has so many instances, to a config."""
    request: Request = {"EndpointName": settings.stack, "EndpointConfigName": name}
    if settings.endpoint_kind == "serverless":  # has neither instances nor guardrails
        return request
    # What scaling has made of the number of instances stays; the old config's capture would too,
    # and without scaling so would the old config's number.
    ours = (
        ["DataCaptureConfig"] if settings.scales else ["DataCaptureConfig", "DesiredInstanceCount"]
    )
    request["RetainAllVariantProperties"] = True
    request["ExcludeRetainedVariantProperties"] = [{"VariantPropertyType": name} for name in ours]
    instances = instances if settings.scales else settings.instances
    request["DeploymentConfig"] = _guardrails(settings, instances)
    return request


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
