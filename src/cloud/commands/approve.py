"""`sagetree cloud approve`: say that a registered model may be served."""

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.packages import (
    APPROVED,
    REJECTED,
    ModelVersion,
    chosen_version,
    read_package,
    version_variable,
)
from sagetree.cloud.account.stack import existing_stack
from sagetree.errors import UserError


def approve(account: Account, version: int | None) -> int:
    """Approve a version, the latest if none is named, after its metrics are shown."""
    if account.dry_run:
        _update(account, version_variable(account, version))
        return 0
    existing_stack(account)
    package = read_package(account, chosen_version(account, version))
    account.say(str(package))
    if package.approval == APPROVED:
        account.say("It is approved already. To serve it although it was left for another one:")
        account.say(f"  sagetree cloud shift 100 --package {package.version} {account.options}")
        return 0
    if package.approval == REJECTED:
        raise _rejected(package)
    _update(account, package.arn)
    account.say(f"Its deployment begins; to follow it:  sagetree cloud status {account.options}")
    return 0


def _update(account: Account, arn: str) -> None:
    account.call(
        "sagemaker", "update_model_package", ModelPackageArn=arn, ModelApprovalStatus=APPROVED
    )


def _rejected(package: ModelVersion) -> UserError:
    return UserError(
        f"version {package.version} is rejected, by the gate or by a person",
        hint=f"Name another version. To serve it all the same, 'aws sagemaker "
        f"update-model-package --model-package-arn {package.arn} "
        f"--model-approval-status {APPROVED}'",
    )
