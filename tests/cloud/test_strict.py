"""Requests that botocore lets pass and the service would refuse."""

import boto3
import pytest
from botocore.model import ServiceModel
from botocore.session import get_session

from tests.cloud import strict

SESSION = {
    "region_name": "us-east-1", "aws_access_key_id": "testing", "aws_secret_access_key": "testing",
}  # fmt: skip
NAMES = {"EndpointName": "fraud", "EndpointConfigName": "fraud-1"}


@pytest.fixture(scope="module")
def session() -> boto3.Session:
    session = boto3.Session(**SESSION)
    strict.hold(session.events)
    # No request of these tests may leave the process.
    session.events.register("before-call", lambda **_: (_Answer(), {}))
    return session


class _Answer:
    status_code = 200


@pytest.mark.parametrize(
    ("service", "operation", "request_", "fault"),
    [
        (
            "sagemaker", "delete_endpoint", {"EndpointName": "a b !"},
            "DeleteEndpoint.EndpointName: 'a b !' does not match [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
        (
            "sagemaker", "update_endpoint",
            {**NAMES, "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "All"}]},
            "UpdateEndpoint.ExcludeRetainedVariantProperties[0].VariantPropertyType: 'All' is not"
            " one of DesiredInstanceCount, DesiredWeight, DataCaptureConfig",
        ),
        (
            "sagemaker", "create_endpoint_config",
            {"EndpointConfigName": "a", "ProductionVariants": [
                {"VariantName": "a", "ServerlessConfig":
                    {"MemorySizeInMB": 7000, "MaxConcurrency": 1}}]},
            "CreateEndpointConfig.ProductionVariants[0].ServerlessConfig.MemorySizeInMB: 7000,"
            " allowed are 1024 to 6144",
        ),
        (
            "sagemaker", "create_endpoint_config",
            {"EndpointConfigName": "a", "ProductionVariants": []},
            "CreateEndpointConfig.ProductionVariants: 0 entries, allowed are 1 to 10",
        ),
        (
            "ssm", "put_parameter", {"Name": "", "Value": "x"},
            "PutParameter.Name: 0 characters, allowed are 1 to 2048",
        ),
        (
            "sagemaker", "create_model_package",
            {"CustomerMetadataProperties": {"a*b": "c"}},
            "CreateModelPackage.CustomerMetadataProperties: key: 'a*b' does not match"
            r" ([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,128}",
        ),
    ],
)  # fmt: skip
def test_each_kind_of_value_is_held_to_the_model(session, service, operation, request_, fault):
    with pytest.raises(strict.InvalidRequest) as raised:
        getattr(session.client(service), operation)(**request_)
    assert str(raised.value) == fault


def test_a_right_request_passes_and_all_faults_are_told_at_once(session):
    client = session.client("sagemaker")
    client.update_endpoint(**NAMES, RetainAllVariantProperties=True)
    with pytest.raises(strict.InvalidRequest, match=r"EndpointName.*; .*EndpointConfigName"):
        client.update_endpoint(EndpointName="-", EndpointConfigName="-")


@pytest.mark.long  # it looks at the tests' own strictness
@pytest.mark.parametrize(
    "service", ["sagemaker", "sagemaker-runtime", "ssm", "sns", "s3", "application-autoscaling",
                "lambda", "events", "cloudformation", "ecr", "logs", "cloudwatch", "budgets",
                "cloudtrail", "acm", "ec2", "apigatewayv2"],
)  # fmt: skip
def test_every_pattern_of_the_services_in_use_is_understood(service):
    model = ServiceModel(get_session().get_component("data_loader").load_service_model(
        service, "service-2"))  # fmt: skip
    for name in model.shape_names:
        pattern = model.shape_for(name).metadata.get("pattern")
        if pattern:
            strict._compiled(pattern)
