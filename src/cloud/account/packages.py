"""The registered models of the solution, with their figures."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sagetree.cloud.account.calls import Account, Answer
from sagetree.cloud.account.refusals import AbsentError
from sagetree.cloud.account.typed import words_of
from sagetree.errors import UserError

APPROVED = "Approved"
REJECTED = "Rejected"


@dataclass(frozen=True)
class ModelVersion:
    """A version of the model in the registry; `figures` are empty where none are to be read."""

    arn: str
    version: int
    approval: str
    figures: Mapping[str, float]

    def __str__(self) -> str:
        figures = ", ".join(f"{name} {value:.4g}" for name, value in self.figures.items())
        return f"version {self.version}: {self.approval}" + (f", {figures}" if figures else "")


def list_versions(account: Account) -> dict[int, str]:
    """Return the ARN of each version, the newest first."""
    listed = account.listed(
        "sagemaker", "list_model_packages", "ModelPackageSummaryList", **listing(account)
    )
    versions = {entry["ModelPackageVersion"]: entry["ModelPackageArn"] for entry in listed}
    return dict(sorted(versions.items(), reverse=True))


def listing(account: Account) -> dict[str, str]:
    """Return the request that lists the packages, the newest first."""
    return {
        "ModelPackageGroupName": account.stack,
        "SortBy": "CreationTime",
        "SortOrder": "Descending",
    }


def version_variable(account: Account, version: int | None) -> str:
    """Return the shell variable that would hold a version's ARN, the latest's for None."""
    chosen = "[0]" if version is None else f"[?ModelPackageVersion==`{version}`]"
    return account.type_variable(
        "MODEL_PACKAGE_ARN",
        *words_of("sagemaker", "list_model_packages", listing(account)),
        query=f"ModelPackageSummaryList{chosen}.ModelPackageArn",
    )


def chosen_version(account: Account, version: int | None) -> str:
    """Return the ARN of a version that is there, of the latest for None."""
    versions = list_versions(account)
    if not versions:
        raise UserError(
            f"{account.stack} has no model yet",
            hint=f"Make one with 'sagetree cloud run {account.options}'",
        )
    if version is None:
        return next(iter(versions.values()))
    if version not in versions:
        raise UserError(
            f"{account.stack} has no version {version}",
            hint=f"It has {', '.join(map(str, versions))}",
        )
    return versions[version]


def read_package(account: Account, arn: str) -> ModelVersion:
    """Return a package by its ARN."""
    found = account.call("sagemaker", "describe_model_package", ModelPackageName=arn)
    return ModelVersion(
        arn, found["ModelPackageVersion"], found["ModelApprovalStatus"], _figures(account, found)
    )


def _figures(account: Account, package: Answer) -> dict[str, float]:
    """Return the metrics of the package's evaluation, by their names."""
    quality = package.get("ModelMetrics", {}).get("ModelQuality", {})
    uri = quality.get("Statistics", {}).get("S3Uri")
    if not uri:
        return {}
    account.type_out("s3", "cp", uri, "-")
    place = urlsplit(uri)
    try:
        answer = account.ask("s3", "get_object", Bucket=place.netloc, Key=place.path[1:])
    except AbsentError:
        return {}
    return _metrics(json.loads(answer["Body"].read()))


def _metrics(statistics: Mapping[str, Any]) -> dict[str, float]:
    """Return single numbers of a SageMaker statistics file; AUC stands first.

    Those of a constant classifier, which are not figures of the model, are left out.
    """
    found = {
        name: float(metric["value"])
        for kind, metrics in statistics.items()
        if kind.endswith("_metrics")
        for name, metric in metrics.items()
        if isinstance(metric, dict)
        and isinstance(metric.get("value"), int | float)
        and not name.endswith("_best_constant_classifier")
    }
    return dict(sorted(found.items(), key=lambda figure: figure[0] != "auc"))
