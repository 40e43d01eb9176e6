"""`sagetree cloud launch`: make the stack, and wait until it stands."""

from collections.abc import Mapping
from pathlib import Path

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.stack import (
    Stack,
    find_stack,
    launch_failed,
    wait_for_stack,
)
from sagetree.cloud.account.staging import staged
from sagetree.cloud.account.template import parameters_of
from sagetree.cloud.names import fault_of_stack
from sagetree.errors import UserError, did_you_mean, quote

# It makes roles, whose names CloudFormation chooses.
_CAPABILITIES = ["CAPABILITY_IAM"]


def launch(account: Account, template: Path, image: str, parameters: Mapping[str, str]) -> int:
    """Create the stack from a template, with the image and other parameters."""
    if fault := fault_of_stack(account.stack):
        raise UserError(fault, where=f"--stack {account.stack}", hint="Name another one")
    _check_names(parameters, parameters_of(template.read_text()))
    given = {"ImageUri": image, **parameters}
    if not account.dry_run and (stack := find_stack(account)):
        raise _exists(account, stack)
    with staged(account, template) as address:
        account.call(
            "cloudformation",
            "create_stack",
            StackName=account.stack,
            TemplateURL=address,
            Parameters=[{"ParameterKey": n, "ParameterValue": v} for n, v in given.items()],
            Capabilities=_CAPABILITIES,
        )
    account.type_out(
        "cloudformation", "wait", "stack-create-complete", "--stack-name", account.stack
    )
    where = f"CloudFormation, Create stack, Upload a template file: {template}"
    account.say(f"  or in the console: {where}")
    return 0 if account.dry_run else _await(account)


def _await(account: Account) -> int:
    created = find_stack(account)
    ended = created and wait_for_stack(account, created)
    if ended is None or ended.failed_at_launch:
        raise launch_failed(account, ended) if ended else _vanished(account)
    width = max(map(len, ended.outputs), default=0)
    account.say(f"{account.stack} is {ended.status}")
    for name, value in ended.outputs.items():
        account.say(f"  {name:<{width}}  {value}")
    account.say(f"To bring tables into it:  sagetree cloud upload {account.options} FILES")
    return 0


def _check_names(parameters: Mapping[str, str], known: list[str]) -> None:
    for name in parameters:
        if name == "ImageUri":
            raise UserError("the image is named twice", hint="Leave out --parameter ImageUri=...")
        if name not in known:
            raise UserError(
                f"the template has no parameter {quote(name)}{did_you_mean(name, known)}",
                hint=f"It has {', '.join(known)}",
            )


def _exists(account: Account, stack: Stack) -> UserError:
    if stack.failed_at_launch:
        return launch_failed(account, stack)
    return UserError(
        f"the stack {account.stack} exists already, it is {stack.status}",
        hint="Name another one with --stack; change this one in the console "
        "(CloudFormation, Update stack) or by 'aws cloudformation update-stack'",
    )


def _vanished(account: Account) -> UserError:
    return UserError(
        f"the stack {account.stack} was deleted while it was made", hint="Launch it again"
    )
