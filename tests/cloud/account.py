"""An AWS account in this process: moto's state, strict requests, and what moto lacks.

moto's SageMaker has no UpdateEndpoint and no DeleteModelPackage, makes a name a second time, and
has every endpoint in service at once. Here a test says what an endpoint's status is; changing one
that is being changed is refused, and so is what its kind excludes, with the service's words.
"""

import io
import tarfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.response import StreamingBody
from botocore.session import get_session
from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends
from moto.sns.models import sns_backends
from moto.ssm.models import ssm_backends

from tests.cloud import strict
from tests.cloud.endpoints import ARN as ARN
from tests.cloud.endpoints import CHANGING, REGION, Endpoints, scaled, unless_there
from tests.cloud.service_answers import answered, refused

STACK = "fraud"
BUCKET = "fraud-bucket"
TOPIC = f"arn:aws:sns:{REGION}:{DEFAULT_ACCOUNT_ID}:{STACK}-alerts"
ROLE = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/{STACK}-jobs"

BUNDLE = Path(__file__).parents[1] / "bundles" / "format-1-native"

READS = ("Describe", "List", "Get")
SERVICES = ("sagemaker", "ssm", "sns", "s3", "application-autoscaling")


class Call(NamedTuple):
    operation: str
    params: Mapping[str, Any]


class Account:
    """Clients whose requests are noted and checked; made once, moto empties the state."""

    def __init__(self) -> None:
        core = get_session()
        # the SDK's own takes a tenth of a call's time to say
        core.set_default_client_config(Config(user_agent="tests"))
        self.session = boto3.Session(
            region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing",
            botocore_session=core,
        )  # fmt: skip
        strict.hold(self.session.events)
        self.session.events.register("before-parameter-build", self._note)
        self.session.events.register("before-call", self._stand_in)
        self.endpoints = Endpoints(STACK)
        self._stand_ins = {
            "UpdateEndpoint": self.endpoints.update,
            "UpdateEndpointWeightsAndCapacities": self.endpoints.weigh,
            "DeleteEndpoint": self._delete_endpoint,
            "DeleteModelPackage": self._delete_model_package,
            "CreateModel": self._create_model,
            "CreateEndpointConfig": self.endpoints.create_config,
            "DescribeEndpointConfig": self.endpoints.describe_config,
            "CreateEndpoint": self._create_endpoint,
            # moto's own state without its HTTP, for what is asked most
            "DescribeEndpoint": self.endpoints.describe,
            "DescribeModelPackage": self._describe_package,
            "GetParameters": self._get_parameters,
            "PutParameter": self._put_parameter,
            "GetObject": self._get_object,
            "DeleteObjects": self._delete_objects,
            "ListFeatureGroups": lambda _: answered({"FeatureGroupSummaries": []}),
        }
        self.clients = {name: self.session.client(name) for name in SERVICES}
        self.calls: list[Call] = []
        self._asked = threading.local()
        self.answers: dict[str, list[Any]] = {}
        self.held: set[str] = set()

    # --- what a test does

    def begin(self) -> None:
        """Make what the template makes, in an account that is empty."""
        self.forget()
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

    def forget(self) -> None:
        """Answer as a new account does."""
        self.answers.clear()
        self.endpoints.begin()
        self.held.clear()
        self.calls.clear()

    def register(
        self, approval: str = "Approved", *, group: str = STACK, key: str = "", model: bytes = b""
    ) -> str:
        """Register a package, whose model is in the bucket, and return its ARN."""
        key = key or f"models/{len(self.sagemaker.model_packages)}/model.tar.gz"
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(BUCKET, key, model or MODEL)
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

    def settle(self, *, fails: bool = False) -> None:
        """End what the endpoint is at: it serves what it was set to, or what it served before."""
        self.endpoints.settle(fails=fails)

    def answer(self, operation: str, *answers: Any) -> None:
        """Give the next calls of an operation these answers: of `refused`, of `answered`.

        One that is a function is called, and the call then goes on.
        """
        self.answers[operation] = list(answers)

    @property
    def pending(self) -> str:
        """The config that the endpoint is being updated to."""
        return self.endpoints.pending

    @property
    def endpoint(self) -> Any:
        return self.sagemaker.endpoints.get(STACK)

    @property
    def sagemaker(self) -> SageMakerModelBackend:
        return sagemaker_backends[DEFAULT_ACCOUNT_ID][REGION]

    @property
    def scaled(self) -> Mapping[str, tuple[int, int]]:
        """The least and the most of what is scaled."""
        return scaled()

    @property
    def told(self) -> list[tuple[str, str]]:
        """Subject and text of all that was sent to the topic."""
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
        self._asked.call = Call(model.name, dict(params))
        self.calls.append(self._asked.call)

    def _stand_in(self, model: Any, **_: object) -> Any:
        params = self._asked.call.params  # of this thread: some commands ask by several
        if self.answers.get(model.name):
            given = self.answers[model.name].pop(0)
            if not callable(given):
                return given
            given()
        stand_in = self._stand_ins.get(model.name)
        return stand_in(params) if stand_in else None  # None: moto's own

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
        return unless_there(self.sagemaker._models, wanted["ModelName"], "model")

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
        if "VersionId" in named:
            return None
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
        return unless_there(self.sagemaker.endpoints, wanted["EndpointName"], "endpoint")


def packed(folder: Path, name: Callable[[str], str] = str) -> bytes:
    """Return the folder's files as a model.tar.gz."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.add(path, name(str(path.relative_to(folder))))
    return file.getvalue()


MODEL = packed(BUNDLE)
