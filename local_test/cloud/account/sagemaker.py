"""SageMaker's operations that moto lacks or answers too simply, on moto's own records.

An endpoint is created and updated while its caller goes on, refuses changes meanwhile, and keeps
its old configuration where the new one does not come to work. A package that is approved keeps
its other properties, tells the bus, and its group cannot be deleted while it is there.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.sagemaker.exceptions import AWSValidationException
from moto.sagemaker.models import FakeEndpoint, FakeProcessingJob, SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from local_test.cloud.account.backstage import Backstage
from local_test.cloud.account.events import Bus
from local_test.cloud.account.replacing import replaced

# Starts what a configuration serves: the endpoint's name and the model's in, why it did not
# come to work out, or nothing.
Serve = Callable[[str, str], str]
# Runs an execution of a pipeline: its ARN, and what was given for its parameters.
Run = Callable[[str, str, Mapping[str, str]], None]

ENDPOINT_EVENT = "SageMaker Endpoint State Change"
JOB_EVENT = "SageMaker Processing Job State Change"
PACKAGE_EVENT = "SageMaker Model Package State Change"

# How events write what descriptions call InService.
_EVENT_STATUS = {"InService": "IN_SERVICE", "Failed": "FAILED"}


@dataclass
class Account:
    """What happens in the account after SageMaker has answered."""

    bus: Bus
    backstage: Backstage
    serve: Serve
    stop: Callable[[str], None]
    run: Run
    # The steps of an execution, as the service lists them.
    steps: Callable[[str], list[dict[str, Any]]]
    # Runs a processing job: its name and request in, its message and why it failed out.
    process: Callable[[str, Mapping[str, Any]], tuple[str, str]]
    # Scores the inputs of a transform job: its request in, why it failed out, or nothing.
    transform: Callable[[Mapping[str, Any]], str]
    # How many of the next updates the endpoint's alarms end.
    alarmed: int = 0

    @contextmanager
    def operations(self) -> Iterator[None]:
        """Have moto's SageMaker answer these operations by this account."""
        theirs = vars(SageMakerResponse)
        ours = {
            "create_endpoint": _create_endpoint(self, theirs["create_endpoint"]),
            "update_endpoint": _update_endpoint(self),
            "update_endpoint_weights_and_capacities": _weigh(self),
            "delete_endpoint": _delete_endpoint(self, theirs["delete_endpoint"]),
            "create_model_package": _create_package(self, theirs["create_model_package"]),
            "update_model_package": _update_package(self, theirs["update_model_package"]),
            "delete_model_package": _delete_package,
            "delete_model_package_group": _delete_group,
            "start_pipeline_execution": _start(self, theirs["start_pipeline_execution"]),
            "list_pipeline_execution_steps": _steps(self),
            "create_transform_job": _create_transform(self, theirs["create_transform_job"]),
            "create_processing_job": _create_job(self, theirs["create_processing_job"]),
        }
        described = SageMakerModelBackend.describe_pipeline_execution
        with (
            replaced(SageMakerResponse, **ours),
            replaced(SageMakerModelBackend, describe_pipeline_execution=_describe(described)),
        ):
            yield

    def bring_up(self, endpoint: FakeEndpoint, config: str, variants: list[dict[str, Any]]) -> None:
        """Serve a configuration; where it fails, or an alarm rings, go on with the old one."""
        first = endpoint.endpoint_status == "Creating"
        if self.alarmed and not first:
            self.alarmed -= 1
            reason = "an alarm of its auto-rollback configuration rang"
        else:
            reason = self.serve(endpoint.endpoint_name, variants[0]["ModelName"])
        if not reason:
            endpoint.endpoint_config_name = config
            endpoint.production_variants = endpoint._process_production_variants(variants)
        failed = reason if first and reason else None
        endpoint.failure_reason = failed  # type: ignore[assignment] # moto sets only None
        self.endpoint_settled(endpoint, "Failed" if failed else "InService")

    def endpoint_settled(self, endpoint: FakeEndpoint, status: str) -> None:
        """Let an endpoint be in a status that lasts, and tell the bus."""
        endpoint.endpoint_status = status
        endpoint.last_modified_time = utcnow()
        detail = {
            "EndpointName": endpoint.endpoint_name,
            "EndpointArn": endpoint.arn,
            "EndpointConfigName": endpoint.endpoint_config_name,
            "EndpointStatus": _EVENT_STATUS[endpoint.endpoint_status],
        }
        self.bus.emit(ENDPOINT_EVENT, detail, endpoint.arn)

    def work(self, job: FakeProcessingJob, request: Mapping[str, Any]) -> None:
        """Run a processing job to its end, and tell the bus."""
        message, failure = self.process(job.processing_job_name, request)
        job.processing_job_status = "Failed" if failure else "Completed"
        given = {"ExitMessage": message, "FailureReason": failure}
        vars(job).update({_attribute(key): text for key, text in given.items() if text})
        detail = {
            "ProcessingJobName": job.processing_job_name,
            "ProcessingJobStatus": job.processing_job_status,
            **{key: text for key, text in given.items() if text},
        }
        self.bus.emit(JOB_EVENT, detail, job.arn)

    def package_changed(self, package: Any) -> None:
        """Tell the bus of a package's status."""
        detail = {
            "ModelPackageGroupName": package.model_package_group_name,
            "ModelPackageArn": package.arn,
            "ModelPackageVersion": package.model_package_version,
            "ModelPackageStatus": "Completed",
            "ModelApprovalStatus": package.model_approval_status,
        }
        self.bus.emit(PACKAGE_EVENT, detail, package.arn)


def _attribute(key: str) -> str:
    return {"ExitMessage": "exit_message", "FailureReason": "failure_reason"}[key]


Operation = Callable[[SageMakerResponse], ActionResult]


def _create_job(account: Account, create: Operation) -> Operation:
    def create_processing_job(self: SageMakerResponse) -> ActionResult:
        result = create(self)
        name = self._get_param("ProcessingJobName")
        if name.startswith("pipelines-"):  # a step of an execution, which runs it
            return result
        job = self.sagemaker_backend.processing_jobs[name]
        job.processing_job_status = "InProgress"
        request = json.loads(self.body)
        account.backstage.later(lambda: account.work(job, request))
        return result

    return create_processing_job


def _create_endpoint(account: Account, create: Operation) -> Operation:
    def create_endpoint(self: SageMakerResponse) -> ActionResult:
        result = create(self)
        endpoint = self.sagemaker_backend.endpoints[self._get_param("EndpointName")]
        endpoint.endpoint_status = "Creating"
        config = self.sagemaker_backend.endpoint_configs[endpoint.endpoint_config_name]
        account.backstage.later(
            lambda: account.bring_up(
                endpoint, endpoint.endpoint_config_name, config.production_variants
            )
        )
        return result

    return create_endpoint


def _create_transform(account: Account, create: Operation) -> Operation:
    def create_transform_job(self: SageMakerResponse) -> ActionResult:
        result = create(self)
        job = self.sagemaker_backend.transform_jobs[self._get_param("TransformJobName")]
        job.transform_job_status = "InProgress"
        request = json.loads(self.body)

        def work() -> None:
            job.failure_reason = account.transform(request)
            job.transform_job_status = "Failed" if job.failure_reason else "Completed"

        account.backstage.later(work)
        return result

    return create_transform_job


def _update_endpoint(account: Account) -> Operation:
    def update_endpoint(self: SageMakerResponse) -> ActionResult:
        endpoint = _settled(self)
        name = self._get_param("EndpointConfigName")
        config = self.sagemaker_backend.endpoint_configs.get(name)
        if config is None:
            raise AWSValidationException(f'Could not find endpoint configuration "{name}".')
        endpoint.endpoint_status = "Updating"
        account.backstage.later(
            lambda: account.bring_up(endpoint, name, config.production_variants)
        )
        return ActionResult({"EndpointArn": endpoint.arn})

    return update_endpoint


def _weigh(account: Account) -> Operation:
    def update_endpoint_weights_and_capacities(self: SageMakerResponse) -> ActionResult:
        endpoint = _settled(self)
        wanted = {
            entry["VariantName"]: entry["DesiredWeight"]
            for entry in self._get_param("DesiredWeightsAndCapacities")
        }
        endpoint.endpoint_status = "Updating"

        def work() -> None:
            for variant in endpoint.production_variants:
                weight = wanted[variant["VariantName"]]
                variant |= {"CurrentWeight": weight, "DesiredWeight": weight}
            account.endpoint_settled(endpoint, "InService")

        account.backstage.later(work)
        return ActionResult({"EndpointArn": endpoint.arn})

    return update_endpoint_weights_and_capacities


def _delete_endpoint(account: Account, delete: Operation) -> Operation:
    def delete_endpoint(self: SageMakerResponse) -> ActionResult:
        endpoint = _settled(self)
        account.stop(endpoint.endpoint_name)
        return delete(self)

    return delete_endpoint


def _settled(response: SageMakerResponse) -> FakeEndpoint:
    name = response._get_param("EndpointName")
    endpoint = response.sagemaker_backend.endpoints.get(name)
    if endpoint is None:
        raise AWSValidationException(f'Could not find endpoint "{name}".')
    if endpoint.endpoint_status in ("Creating", "Updating"):
        raise AWSValidationException(f'Cannot update in-progress endpoint "{endpoint.arn}".')
    return endpoint


def _create_package(account: Account, create: Operation) -> Operation:
    def create_model_package(self: SageMakerResponse) -> ActionResult:
        before = set(self.sagemaker_backend.model_packages)
        result = create(self)
        (made,) = set(self.sagemaker_backend.model_packages) - before
        account.package_changed(self.sagemaker_backend.model_packages[made])
        return result

    return create_model_package


def _update_package(account: Account, update: Operation) -> Operation:
    def update_model_package(self: SageMakerResponse) -> ActionResult:
        package = _package(self, self._get_param("ModelPackageArn"))
        kept = package.customer_metadata_properties
        result = update(self)
        if self._get_param("CustomerMetadataProperties") is None:
            package.customer_metadata_properties = kept
        account.package_changed(package)
        return result

    return update_model_package


def _package(response: SageMakerResponse, name: str) -> Any:
    backend = response.sagemaker_backend
    package = backend.model_packages.get(backend.model_package_name_mapping.get(name, name))
    if package is None:
        raise AWSValidationException(f"ModelPackage {name} does not exist.")
    return package


def _delete_package(self: SageMakerResponse) -> ActionResult:
    package = _package(self, self._get_param("ModelPackageName"))
    packages = self.sagemaker_backend.model_packages
    for key in [key for key, value in packages.items() if value is package]:
        del packages[key]
    return EmptyResult()


def _delete_group(self: SageMakerResponse) -> ActionResult:
    name = self._get_param("ModelPackageGroupName")
    backend = self.sagemaker_backend
    if name not in backend.model_package_groups:
        raise AWSValidationException(f"ModelPackageGroup {name} does not exist.")
    if any(p.model_package_group_name == name for p in backend.model_packages.values()):
        raise AWSValidationException(f"Cannot delete ModelPackageGroup {name}: it is not empty.")
    del backend.model_package_groups[name]
    return EmptyResult()


def _start(account: Account, start: Operation) -> Operation:
    def start_pipeline_execution(self: SageMakerResponse) -> ActionResult:
        pipeline = self._get_param("PipelineName")
        given = {p["Name"]: p["Value"] for p in self._get_param("PipelineParameters") or []}
        before = set(self.sagemaker_backend.pipelines[pipeline].pipeline_executions)
        result = start(self)
        executions = self.sagemaker_backend.pipelines[pipeline].pipeline_executions
        (arn,) = set(executions) - before
        executions[arn].pipeline_execution_status = "Executing"
        account.backstage.later(lambda: account.run(pipeline, arn, given))
        return result

    return start_pipeline_execution


def _steps(account: Account) -> Operation:
    def list_pipeline_execution_steps(self: SageMakerResponse) -> ActionResult:
        steps = account.steps(self._get_param("PipelineExecutionArn"))
        return ActionResult({"PipelineExecutionSteps": steps})

    return list_pipeline_execution_steps


def _describe(describe: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def describe_pipeline_execution(self: SageMakerModelBackend, *named: str) -> dict[str, Any]:
        described = describe(self, *named)
        pipeline = self.pipelines[described["PipelineArn"].rsplit("/", 1)[-1]]
        execution = pipeline.pipeline_executions[described["PipelineExecutionArn"]]
        reason = execution.pipeline_execution_failure_reason
        return {**described, **({"FailureReason": reason} if reason else {})}

    return describe_pipeline_execution
