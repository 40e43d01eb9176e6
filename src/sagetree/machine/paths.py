"""Where SageMaker puts things: the one place that spells /opt/ml.

Source: SageMaker developer guide, "How Amazon SageMaker provides training
information" and "How to build your own processing container".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# The training and inference toolkits' own variable for another root.
BASE_DIR_VARIABLE = "SAGEMAKER_BASE_DIR"
DEFAULT_BASE_DIR = "/opt/ml"


class _Below:
    """A file or a folder below a tree's root."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __get__(self, tree: "OptMl", _owner: type) -> Path:
        return tree.root / self._path


@dataclass(frozen=True)
class OptMl:
    """The folder tree a SageMaker container works on, at any root."""

    root: Path

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "OptMl":
        """Return the tree at SAGEMAKER_BASE_DIR, else at /opt/ml."""
        return cls(Path(environ.get(BASE_DIR_VARIABLE) or DEFAULT_BASE_DIR))

    # Folder of the four files below.
    config = _Below("input/config")
    # File of a training job's hyperparameters: name -> text.
    hyperparameters = _Below("input/config/hyperparameters.json")
    # File of a training job's channels: name -> ContentType, TrainingInputMode, ...
    input_data_config = _Below("input/config/inputdataconfig.json")
    # File of a training job's hosts.
    resource_config = _Below("input/config/resourceconfig.json")
    # File that is there where a training job is to make checkpoints.
    checkpoint_config = _Below("input/config/checkpointconfig.json")
    # Folder with one folder per channel.
    data = _Below("input/data")
    # Folder whose content becomes, or came from, model.tar.gz.
    model = _Below("model")
    # Folder SageMaker copies to S3 while a job runs, and back before it starts again.
    checkpoints = _Below("checkpoints")
    # Folder of a training job's other results.
    output_data = _Below("output/data")
    # File whose first 1024 characters become a training job's FailureReason.
    failure = _Below("output/failure")
    # File whose first 1024 bytes become a processing job's ExitMessage.
    message = _Below("output/message")
    # File of a processing job's hosts.
    processing_resource_config = _Below("config/resourceconfig.json")
    # Folder of a processing job's inputs and outputs.
    processing = _Below("processing")
    # Folder whose lines a monitoring job's metrics in CloudWatch are made of.
    cloudwatch = _Below("output/metrics/cloudwatch")
