"""`sagetree cloud approve`: say that a registered model may be served."""

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.packages import (
    APPROVED,
    REJECTED,
    ModelVersion,
    list_versions,
    listing,
    read_package,
)
from sagetree.cloud.account.stack import existing_stack
from sagetree.cloud.account.typed import words_of
from sagetree.errors import UserError


def approve(account: Account, version: int | None) -> int:
    """Approve a version, the latest if none is named, after its figures are said."""
    if account.dry_run:
        _update(account, _variable(account, version))
        return 0
    existing_stack(account)
    package = read_package(account, _chosen(account, version))
    account.say(str(package))
    if package.approval == APPROVED:
        account.say("It is approved already")
        return 0
    if package.approval == REJECTED:
        raise _rejected(package)
    _update(account, package.arn)
    account.say(f"Its deployment begins; to see it:  sagetree cloud status {account.options}")
    return 0


def _update(account: Account, arn: str) -> None:
    account.call(
        "sagemaker", "update_model_package", ModelPackageArn=arn, ModelApprovalStatus=APPROVED
    )


def _variable(account: Account, version: int | None) -> str:
    """Return the shell variable that would hold the package's ARN."""
    chosen = "[0]" if version is None else f"[?ModelPackageVersion==`{version}`]"
    return account.type_variable(
        "MODEL_PACKAGE_ARN",
        *words_of("sagemaker", "list_model_packages", listing(account)),
        query=f"ModelPackageSummaryList{chosen}.ModelPackageArn",
    )


def _chosen(account: Account, version: int | None) -> str:
    """Return the ARN of a version that is there."""
    versions = list_versions(account)
    if not versions:
        raise UserError(
            f"{account.stack} has no model yet",
            hint=f"Make one by 'sagetree cloud run {account.options}'",
        )
    if version is None:
        return next(iter(versions.values()))
    if version not in versions:
        raise UserError(
            f"{account.stack} has no version {version}",
            hint=f"It has {', '.join(map(str, versions))}",
        )
    return versions[version]


def _rejected(package: ModelVersion) -> UserError:
    return UserError(
        f"version {package.version} is rejected, by the gate or by a person",
        hint=f"Name another version. To serve it all the same, 'aws sagemaker "
        f"update-model-package --model-package-arn {package.arn} "
        f"--model-approval-status {APPROVED}'",
    )
