"""Words of a definition that the service fills in when the pipeline runs."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "str | int | float | bool | Mapping[str, Json] | Sequence[Json] | None"
Object: TypeAlias = dict[str, Json]


def get(path: str) -> Object:
    """Return a value that is known later, such as `Steps.Train.TrainingJobArn`."""
    return {"Get": path}


def parameter(name: str) -> Object:
    """Return a parameter of the pipeline."""
    return get(f"Parameters.{name}")


def execution() -> Object:
    """Return the execution's id."""
    return get("Execution.PipelineExecutionId")


def output(step: str, name: str) -> Object:
    """Return where a processing step has put an output."""
    return get(f"Steps.{step}.ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri")


def artifact(step: str) -> Object:
    """Return where a training step has put its model.tar.gz."""
    return get(f"Steps.{step}.ModelArtifacts.S3ModelArtifacts")


def join(on: str, *values: Json) -> Object:
    """Return values as one text; none of them may be a join itself."""
    return {"Std:Join": {"On": on, "Values": list(values)}}


def from_file(step: str, file: str, path: str) -> Object:
    """Return a value of a JSON file that a step has declared as a property file."""
    return {
        "Std:JsonGet": {"PropertyFile": get(f"Steps.{step}.PropertyFiles.{file}"), "Path": path}
    }
