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


@dataclass(frozen=True)
class OptMl:
    """The folder tree a SageMaker container works on, at any root."""

    root: Path

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "OptMl":
        """Return the tree at SAGEMAKER_BASE_DIR, else at /opt/ml."""
        return cls(Path(environ.get(BASE_DIR_VARIABLE) or DEFAULT_BASE_DIR))

    @property
    def config(self) -> Path:
        """Folder of the four files below."""
        return self.root / "input" / "config"

    @property
    def hyperparameters(self) -> Path:
        """File of a training job's hyperparameters: name -> text."""
        return self.config / "hyperparameters.json"

    @property
    def input_data_config(self) -> Path:
        """File of a training job's channels: name -> ContentType, TrainingInputMode, ..."""
        return self.config / "inputdataconfig.json"

    @property
    def resource_config(self) -> Path:
        """File of a training job's hosts."""
        return self.config / "resourceconfig.json"

    @property
    def checkpoint_config(self) -> Path:
        """File that is there where a training job is to make checkpoints."""
        return self.config / "checkpointconfig.json"

    @property
    def data(self) -> Path:
        """Folder with one folder per channel."""
        return self.root / "input" / "data"

    @property
    def model(self) -> Path:
        """Folder whose content becomes, or came from, model.tar.gz."""
        return self.root / "model"

    @property
    def checkpoints(self) -> Path:
        """Folder SageMaker copies to S3 while a job runs, and back before it starts again."""
        return self.root / "checkpoints"

    @property
    def output_data(self) -> Path:
        """Folder of a training job's other results."""
        return self.root / "output" / "data"

    @property
    def failure(self) -> Path:
        """File whose first 1024 characters become a training job's FailureReason."""
        return self.root / "output" / "failure"

    @property
    def message(self) -> Path:
        """File whose first 1024 bytes become a processing job's ExitMessage."""
        return self.root / "output" / "message"

    @property
    def processing_resource_config(self) -> Path:
        """File of a processing job's hosts."""
        return self.root / "config" / "resourceconfig.json"

    @property
    def processing(self) -> Path:
        """Folder of a processing job's inputs and outputs."""
        return self.root / "processing"
