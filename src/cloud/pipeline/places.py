"""What a pipeline is made for: where it runs, and what is known of the tables."""

from dataclasses import dataclass

from sagetree.cloud.pipeline.expressions import Object

# What the service itself gets wrong; other failures would come again.
STEP_RETRY: Object = {
    "ExceptionType": ["Step.SERVICE_FAULT", "Step.THROTTLING"],
    "IntervalSeconds": 10,
    "BackoffRate": 2.0,
    "MaxAttempts": 5,
}


@dataclass(frozen=True)
class Places:
    """Where a pipeline runs: its image, roles and bucket, and what it hands its models to."""

    image: str
    role: str
    bucket: str
    group: str
    deploy_function: str
    vpc: Object | None = None  # VpcConfig of its jobs
    key: str | None = None  # the KMS key of volumes and outputs


@dataclass(frozen=True)
class Example:
    """What is known of the tables: the column that they share, and the one to predict.

    `facets` is the hyperparameter of that name, "" where nobody asks for metrics of bias.
    """

    key: str
    label: str
    facets: str = ""


@dataclass(frozen=True)
class Defaults:
    """The default values of the pipeline's parameters."""

    minimum_auc: float | str = 0.7
    approval: str = "PendingManualApproval"
    instance_type: str = "ml.m5.large"
