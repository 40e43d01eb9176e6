"""An AWS account in this process: moto's state, strict requests, and what moto lacks.

moto's SageMaker has no UpdateEndpoint and no DeleteModelPackage, makes a name a second time, and
has every endpoint in service at once. Here a test says what an endpoint's status is; changing one
that is being changed is refused, and so is what its kind excludes, with the service's words.
"""

import io
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.awsrequest import AWSResponse
from botocore.response import StreamingBody
from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends
from moto.sns.models import sns_backends
from moto.ssm.models import ssm_backends

from tests.cloud import strict

REGION = "us-east-1"
STACK = "fraud"
BUCKET = "fraud-bucket"
ARN = f"arn:aws:sagemaker:{REGION}:{DEFAULT_ACCOUNT_ID}"
TOPIC = f"arn:aws:sns:{REGION}:{DEFAULT_ACCOUNT_ID}:{STACK}-alerts"
ROLE = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/{STACK}-jobs"

BUNDLE = Path(__file__).parents[1] / "bundles" / "format-1-native"

READS = ("Describe", "List", "Get")
SERVICES = ("sagemaker", "ssm", "sns", "s3", "application-autoscaling")

CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


class Call(NamedTuple):
    operation: str
    params: Mapping[str, Any]


class Account:
    """Clients whose requests are noted and checked; made once, moto empties the state."""

    def __init__(self) -> None:
        self.session = boto3.Session(
            region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing"
        )
        strict.hold(self.session.events)
        self.session.events.register("before-parameter-build", self._note)
        self.session.events.register("before-call", self._stand_in)
        self._stand_ins = {
            "UpdateEndpoint": self._update_endpoint,
            "DeleteEndpoint": self._delete_endpoint,
            "DeleteModelPackage": self._delete_model_package,
            "CreateModel": self._create_model,
            "CreateEndpointConfig": self._create_config,
            "CreateEndpoint": self._create_endpoint,
            # moto's own state without its HTTP, for what is asked most
            "DescribeEndpoint": self._describe_endpoint,
            "DescribeModelPackage": self._describe_package,
            "GetParameters": self._get_parameters,
            "PutParameter": self._put_parameter,
            "GetObject": self._get_object,
            "DeleteObjects": self._delete_objects,
            "ListFeatureGroups": lambda _: answered({"FeatureGroupSummaries": []}),
        }
        self.clients = {name: self.session.client(name) for name in SERVICES}
        self.calls: list[Call] = []
        self.answers: dict[str, list[Any]] = {}
        self.pending = ""
        self.held: set[str] = set()

    # --- what a test does

    def begin(self) -> None:
        """Make what the template makes, in an account that is empty."""
        self.answers.clear()
        self.pending = ""
        self.held.clear()
        for backends in (
            applicationautoscaling_backends, s3_backends, sagemaker_backends, sns_backends,
            ssm_backends,
        ):  # fmt: skip
            backends.reset()
        self.sagemaker.create_model_package_group(STACK, "", [])
        sns_backends[DEFAULT_ACCOUNT_ID][REGION].create_topic(f"{STACK}-alerts")
        storage = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        storage.create_bucket(BUCKET, REGION)
        storage.put_bucket_versioning(BUCKET, "Enabled")
        self.calls.clear()

    def register(self, approval: str = "Approved", *, group: str = STACK, key: str = "") -> str:
        """Register a package, whose model is in the bucket, and return its ARN."""
        key = key or f"models/{len(self.sagemaker.model_packages)}/model.tar.gz"
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(BUCKET, key, MODEL)
        container = {"Image": "1.dkr.ecr.us-east-1.amazonaws.com/sagetree:1"}
        made = self.clients["sagemaker"].create_model_package(
            ModelPackageGroupName=group,
            ModelApprovalStatus=approval,
            InferenceSpecification={
                "Containers": [{**container, "ModelDataUrl": f"s3://{BUCKET}/{key}"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )
        self.calls.clear()
        return str(made["ModelPackageArn"])

    def approve(self, arn: str, approval: str = "Approved") -> None:
        self.clients["sagemaker"].update_model_package(
            ModelPackageArn=arn, ModelApprovalStatus=approval
        )
        self.calls.clear()

    def endpoint_is(self, status: str, config: str = "", reason: str | None = None) -> None:
        """Let the endpoint be in a status, with another config if one is given."""
        endpoint = self.sagemaker.endpoints[STACK]
        endpoint.endpoint_status, endpoint.failure_reason = status, reason
        endpoint.endpoint_config_name = config or endpoint.endpoint_config_name

    def answer(self, operation: str, *answers: Any) -> None:
        """Give the next calls of an operation these answers: of `refused`, of `answered`.

        One that is a function is called, and the call then goes on.
        """
        self.answers[operation] = list(answers)

    @property
    def endpoint(self) -> Any:
        return self.sagemaker.endpoints.get(STACK)

    @property
    def sagemaker(self) -> SageMakerModelBackend:
        return sagemaker_backends[DEFAULT_ACCOUNT_ID][REGION]

    @property
    def scaled(self) -> Mapping[str, tuple[int, int]]:
        """The least and the most of what is scaled."""
        backend = applicationautoscaling_backends[DEFAULT_ACCOUNT_ID][REGION]
        return {
            resource: (target.min_capacity, target.max_capacity)
            for dimension in backend.targets.values()
            for resource, target in dimension.items()
        }

    @property
    def told(self) -> list[tuple[str, str]]:
        """Subject and text of all that the topic was told."""
        sent = sns_backends[DEFAULT_ACCOUNT_ID][REGION].topics[TOPIC].sent_notifications
        return [(subject, text) for _, text, subject, *_ in sent]

    def parameter(self, name: str) -> str:
        found = ssm_backends[DEFAULT_ACCOUNT_ID][REGION].get_parameter(f"/{STACK}/{name}")
        return "none" if found is None else str(found.value)

    def requests(self, operation: str) -> list[Mapping[str, Any]]:
        return [call.params for call in self.calls if call.operation == operation]

    def written(self) -> list[str]:
        """The operations so far that change something."""
        return [c.operation for c in self.calls if not c.operation.startswith(READS)]

    # --- what the service does

    def _note(self, params: Mapping[str, Any], model: Any, **_: object) -> None:
        self.calls.append(Call(model.name, dict(params)))

    def _stand_in(self, model: Any, **_: object) -> Any:
        params = self.calls[-1].params
        if self.answers.get(model.name):
            given = self.answers[model.name].pop(0)
            if not callable(given):
                return given
            given()
        stand_in = self._stand_ins.get(model.name)
        return stand_in(params) if stand_in else None  # None: moto's own

    def _update_endpoint(self, wanted: Mapping[str, Any]) -> Any:
        endpoint = self.sagemaker.endpoints.get(wanted["EndpointName"])
        config = self.sagemaker.endpoint_configs.get(wanted["EndpointConfigName"])
        if endpoint is None:
            return refused("Could not find endpoint.")
        if endpoint.endpoint_status in (*CHANGING, "Failed"):
            return refused("Cannot update in-progress endpoint.")
        if config is None:
            return refused("Could not find endpoint configuration.")
        old = self.sagemaker.endpoint_configs.get(endpoint.endpoint_config_name)
        if fault := _mismatch(old, config, scaled=bool(self.scaled)):
            return refused(fault)
        guardrails = wanted.get("DeploymentConfig", {}).get("BlueGreenUpdatePolicy", {})
        canary = guardrails.get("TrafficRoutingConfiguration", {}).get("CanarySize")
        if canary and endpoint.production_variants[0]["DesiredInstanceCount"] < 2:
            return refused("CanarySize must be at most 50% of the fleet.")
        endpoint.endpoint_status = "Updating"
        self.pending = wanted["EndpointConfigName"]
        return answered({"EndpointArn": endpoint.arn})

    def _delete_endpoint(self, named: Mapping[str, str]) -> Any:
        endpoint = self.sagemaker.endpoints.get(named["EndpointName"])
        if endpoint is not None and endpoint.endpoint_status in CHANGING:
            return refused("Cannot update in-progress endpoint.")
        return None

    def _delete_model_package(self, named: Mapping[str, str]) -> Any:
        arn = named["ModelPackageName"]
        names = self.sagemaker.model_package_name_mapping
        if self.sagemaker.model_packages.pop(names.get(arn, arn), None) is None:
            return refused(f"ModelPackage {arn} does not exist.")
        return answered({})

    def _create_model(self, wanted: Mapping[str, Any]) -> Any:
        return _unless_there(self.sagemaker._models, wanted["ModelName"], "model")

    def _create_config(self, wanted: Mapping[str, Any]) -> Any:
        made = self.sagemaker.endpoint_configs
        return _unless_there(made, wanted["EndpointConfigName"], "endpoint configuration")

    def _describe_endpoint(self, named: Mapping[str, str]) -> Any:
        endpoint = self.sagemaker.endpoints.get(named["EndpointName"])
        if endpoint is None:
            return None
        told = endpoint.response_object
        if endpoint.endpoint_status == "Updating" and self.pending:
            told["PendingDeploymentSummary"] = {"EndpointConfigName": self.pending}
        return answered(told)

    def _describe_package(self, named: Mapping[str, str]) -> Any:
        name = named["ModelPackageName"]
        package = self.sagemaker.model_packages.get(
            self.sagemaker.model_package_name_mapping.get(name, name)
        )
        return package and answered(package.gen_response_object())

    def _get_parameters(self, named: Mapping[str, list[str]]) -> Any:
        found = ssm_backends[DEFAULT_ACCOUNT_ID][REGION].get_parameters(named["Names"])
        parameters = [
            {"Name": told.name, "Value": told.value, "Version": told.version}
            for told in found.values()
        ]
        return answered({"Parameters": parameters})

    def _put_parameter(self, wanted: Mapping[str, Any]) -> Any:
        put = ssm_backends[DEFAULT_ACCOUNT_ID][REGION].put_parameter(
            wanted["Name"], "", wanted["Value"], wanted["Type"], "", "", wanted["Overwrite"], [],
            "text", wanted.get("Tier"), None,
        )  # fmt: skip
        return answered({"Version": put.version})

    def _get_object(self, named: Mapping[str, str]) -> Any:
        key = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].get_object(named["Bucket"], named["Key"])
        if not isinstance(getattr(key, "value", None), bytes):
            return None
        return answered({"Body": StreamingBody(io.BytesIO(key.value), len(key.value))})

    def _delete_objects(self, wanted: Mapping[str, Any]) -> Any:
        if not self.held:
            return None
        objects, errors = wanted["Delete"]["Objects"], []
        for entry in objects:
            if entry["VersionId"] in self.held:
                errors.append({**entry, "Code": "AccessDenied", "Message": "held"})
            else:
                s3_backends[DEFAULT_ACCOUNT_ID]["aws"].delete_object(
                    wanted["Bucket"], entry["Key"], version_id=entry["VersionId"]
                )
        return answered({"Errors": errors})

    def _create_endpoint(self, wanted: Mapping[str, Any]) -> Any:
        return _unless_there(self.sagemaker.endpoints, wanted["EndpointName"], "endpoint")


def packed(folder: Path, name: Callable[[str], str] = str) -> bytes:
    """Return the folder's files as a model.tar.gz."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
        for path in sorted(folder.rglob("*.json")):
            archive.add(path, name(str(path.relative_to(folder))))
    return file.getvalue()


MODEL = packed(BUNDLE)


def _unless_there(made: Mapping[str, object], name: str, what: str) -> Any:
    if name in made:
        return refused(f'Cannot create already existing {what} "{ARN}:{what}/{name}".')
    return None


def _mismatch(old: Any, new: Any, *, scaled: bool) -> str:
    if old is None:
        return ""
    before, after = old.production_variants[0], new.production_variants[0]
    if ("ServerlessConfig" in before) != ("ServerlessConfig" in after):
        return "Endpoint cannot be updated between serverless and instances."
    if bool(old.async_inference_config) != bool(new.async_inference_config):
        return "The AsyncInferenceConfig parameter cannot be removed from this endpoint."
    if scaled and before.get("InstanceType") != after.get("InstanceType"):
        return (
            'The variant(s) "main" must be deregistered as scalable targets with AWS Auto Scaling'
            " before they can be removed or have their instance type updated."
        )
    return ""


def answered(body: Mapping[str, Any]) -> tuple[AWSResponse, dict[str, Any]]:
    metadata = {"HTTPStatusCode": 200, "RequestId": "0", "HTTPHeaders": {}, "RetryAttempts": 0}
    return _http(200), {**body, "ResponseMetadata": metadata}


def refused(message: str, code: str = "ValidationException") -> tuple[AWSResponse, dict[str, Any]]:
    metadata = {"HTTPStatusCode": 400, "RequestId": "0", "HTTPHeaders": {}, "RetryAttempts": 0}
    error = {"Code": code, "Message": message}
    return _http(400), {"Error": error, "ResponseMetadata": metadata}


def _http(status: int) -> AWSResponse:
    return AWSResponse("https://api.sagemaker.us-east-1.amazonaws.com", status, {}, io.BytesIO())
