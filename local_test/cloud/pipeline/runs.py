"""Executions of the account's pipelines: from being started to their end, and what was done."""

import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moto.sagemaker.models import sagemaker_backends

from local_test.cloud.account.actors import ACCOUNT, REGION, SERVICE, Actors
from local_test.cloud.account.events import Bus
from local_test.cloud.pipeline.execution import Execution, PipelineFailed, Roles, StepDone
from local_test.cloud.pipeline.jobs import Containers, JobFailed, Jobs
from local_test.cloud.pipeline.objects import NoObjects, place
from local_test.cloud.pipeline.values import Unknown, Values, parameters

EVENT = "SageMaker Model Building Pipeline Execution Status Change"


@dataclass
class Runs:
    """Runs executions; `done` has the steps of each by its ARN."""

    actors: Actors
    bus: Bus
    containers: Containers
    # Calls a function by its ARN, with an event, as a role.
    invoke: Callable[[str, Mapping[str, Any], str], Any]
    folder: Path
    done: dict[str, list[StepDone]] = field(default_factory=dict)

    def run(self, pipeline: str, arn: str, given: Mapping[str, str]) -> None:
        """Run the stored definition, and keep and tell how it ended."""
        reason = ""
        try:
            self._run(pipeline, arn, given)
            status = "Succeeded"
        except (PipelineFailed, Unknown) as error:
            status, reason = "Failed", str(error)
        except Exception:
            status, reason = "Failed", traceback.format_exc()
        record = sagemaker_backends[ACCOUNT][REGION].pipelines[pipeline].pipeline_executions[arn]
        record.pipeline_execution_failure_reason = reason or None  # type: ignore[assignment]
        record.pipeline_execution_status = status
        detail = {
            "pipelineArn": arn.partition("/execution/")[0],
            "pipelineExecutionArn": arn,
            "currentPipelineExecutionStatus": status,
            "previousPipelineExecutionStatus": "Executing",
        }
        self.bus.emit(EVENT, detail, arn)

    def process(self, name: str, arguments: Mapping[str, Any]) -> tuple[str, str]:
        """Run a processing job of its own; return its message, and why it failed or nothing."""
        jobs = Jobs(self.containers, self._s3(_name(arguments["RoleArn"])), self.folder)
        try:
            return jobs.processing(name, arguments), ""
        except (JobFailed, NoObjects) as error:
            return "", str(error)

    def steps(self, arn: str) -> list[dict[str, Any]]:
        """Return an execution's steps as the service lists them, the newest first."""
        return [
            {
                "StepName": step.name,
                "StartTime": step.started,
                "EndTime": step.ended,
                "StepStatus": "Failed" if step.failure else "Succeeded",
                **({"FailureReason": step.failure} if step.failure else {}),
            }
            for step in reversed(self.done.get(arn, []))
        ]

    def _run(self, pipeline: str, arn: str, given: Mapping[str, str]) -> None:
        described = self.actors.client(SERVICE, "sagemaker").describe_pipeline(
            PipelineName=pipeline
        )
        definition = json.loads(described["PipelineDefinition"])
        identifier = arn.rsplit("/", 1)[-1]
        context = {
            "PipelineExecutionId": identifier,
            "PipelineExecutionArn": arn,
            "PipelineName": pipeline,
            "PipelineArn": described["PipelineArn"],
        }
        values = Values(parameters(definition, given), context, self._json)
        role = _name(described["RoleArn"])
        roles = Roles(
            self.actors.client(role, "sagemaker"),
            lambda job: Jobs(self.containers, self._s3(_name(job)), self.folder),
            lambda function, event: self.invoke(function, event, role),
            self._exists,
        )
        execution = Execution(identifier, values, roles)
        self.done[arn] = execution.done
        execution.run(definition["Steps"])

    def _s3(self, actor: str) -> Any:
        return self.actors.client(actor, "s3")

    def _json(self, uri: str) -> Any:
        bucket, key = place(uri)
        return json.loads(self._s3(SERVICE).get_object(Bucket=bucket, Key=key)["Body"].read())

    def _exists(self, uri: str) -> bool:
        bucket, prefix = place(uri)
        found = self._s3(SERVICE).list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
        return "Contents" in found


def _name(role: str) -> str:
    return role.rsplit("/", 1)[-1]
