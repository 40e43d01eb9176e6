"""One execution of a stored pipeline definition, step by step.

Every request a step makes goes to the account, so that its service's model checks it; jobs run in
containers. Caches and retry policies are for what costs or does not happen on one machine.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from local_test.cloud.pipeline.jobs import JobFailed, Jobs
from local_test.cloud.pipeline.objects import NoObjects
from local_test.cloud.pipeline.values import Unknown, Values

Step = Mapping[str, Any]
Properties = dict[str, Any]


class PipelineFailed(Exception):  # noqa: N818 - it says what happened
    """The execution has failed, for this reason."""


class StepDone(NamedTuple):
    """A step that has run; `failure` says why it failed, if it did."""

    name: str
    kind: str
    started: datetime
    ended: datetime
    failure: str = ""


@dataclass(frozen=True)
class Roles:
    """How the pipeline acts: the client of its own role, the jobs of another, and functions."""

    sagemaker: Any
    jobs: Callable[[str], Jobs]
    invoke: Callable[[str, Mapping[str, Any]], Any]
    # Whether there is an object at an address, or below it.
    exists: Callable[[str], bool]


@dataclass
class Execution:
    """Runs steps, and keeps which have run and for how long."""

    identifier: str
    values: Values
    roles: Roles
    done: list[StepDone] = field(default_factory=list)

    def run(self, steps: Sequence[Step]) -> None:
        """Run steps in their order. Raises PipelineFailed."""
        kinds: dict[str, Callable[[Step], Properties]] = {
            "Processing": self._processing,
            "Training": self._training,
            "RegisterModel": self._register,
            "Lambda": self._lambda,
            "Condition": self._condition,
            "Fail": self._fail,
        }
        for step in steps:
            started = datetime.now(UTC)
            try:
                self._keep(step, kinds[step["Type"]](step))
            except (JobFailed, NoObjects, Unknown, PipelineFailed) as error:
                self._note(step, started, str(error))
                if isinstance(error, PipelineFailed):  # a step in a branch, or Fail
                    raise
                raise PipelineFailed(f"{step['Name']}: {error}") from error
            self._note(step, started)

    def _note(self, step: Step, started: datetime, failure: str = "") -> None:
        now = datetime.now(UTC)
        self.done.append(StepDone(step["Name"], step["Type"], started, now, failure))

    def _keep(self, step: Step, properties: Properties) -> None:
        name = step["Name"]
        self.values.steps[name] = properties
        outputs = properties.get("ProcessingOutputConfig", {}).get("Outputs", {})
        self.values.files[name] = {
            file["PropertyFileName"]: "/".join(
                [outputs[file["OutputName"]]["S3Output"]["S3Uri"], file["FilePath"]]
            )
            for file in step.get("PropertyFiles", [])
        }

    def _processing(self, step: Step) -> Properties:
        arguments = self.values.of(step["Arguments"])
        name = f"pipelines-{self.identifier}-{step['Name']}"
        self.roles.sagemaker.create_processing_job(ProcessingJobName=name, **arguments)
        self.roles.jobs(arguments["RoleArn"]).processing(name, arguments)
        outputs = arguments["ProcessingOutputConfig"]["Outputs"]
        named = {"Outputs": {output["OutputName"]: output for output in outputs}}
        return {**arguments, "ProcessingJobName": name, "ProcessingOutputConfig": named}

    def _training(self, step: Step) -> Properties:
        arguments = self.values.of(step["Arguments"])
        name = f"pipelines-{self.identifier}-{step['Name']}"
        self.roles.sagemaker.create_training_job(TrainingJobName=name, **arguments)
        model = self.roles.jobs(arguments["RoleArn"]).training(name, arguments)
        artifacts = {"S3ModelArtifacts": model}
        return {**arguments, "TrainingJobName": name, "ModelArtifacts": artifacts}

    def _register(self, step: Step) -> Properties:
        arguments = self.values.of(step["Arguments"])
        for uri in _addresses(arguments):  # the registry itself takes any address
            if not self.roles.exists(uri):
                raise NoObjects(f"the package names {uri}, and that object does not exist")
        answer = self.roles.sagemaker.create_model_package(**arguments)
        return {**arguments, "ModelPackageArn": answer["ModelPackageArn"]}

    def _lambda(self, step: Step) -> Properties:
        answer = self.roles.invoke(step["FunctionArn"], self.values.of(step["Arguments"]))
        wanted = [output["OutputName"] for output in step.get("OutputParameters", [])]
        missing = [name for name in wanted if name not in answer]
        if missing:
            raise Unknown(f"the function did not answer {', '.join(missing)}")
        return {"OutputParameters": {name: answer[name] for name in wanted}}

    def _condition(self, step: Step) -> Properties:
        arguments = step["Arguments"]
        held = all(self.values.holds(condition) for condition in arguments["Conditions"])
        self.run(arguments["IfSteps"] if held else arguments.get("ElseSteps", []))
        return {"Outcome": held}

    def _fail(self, step: Step) -> Properties:
        raise PipelineFailed(str(self.values.of(step["Arguments"])["ErrorMessage"]))


def _addresses(value: object) -> list[str]:
    match value:
        case str(text) if text.startswith("s3://"):
            return [text]
        case {**members}:
            return [uri for member in members.values() for uri in _addresses(member)]
        case list(entries):
            return [uri for entry in entries for uri in _addresses(entry)]
    return []
