"""Log groups that outlive their stacks: CloudFormation keeps what its template says to keep."""

import re
from collections.abc import Iterable

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.refusals import UnchangedError
from sagetree.cloud.account.stack import (
    Stack,
    check_can_change,
    first_failure,
    resources_of,
    wait_for_stack,
)
from sagetree.errors import UserError

_TYPE = "AWS::Logs::LogGroup"
_KEPT = "DeletionPolicy: Retain"


def keep_logs(account: Account, stacks: Iterable[Stack]) -> list[str]:
    """Update stacks so that their log groups outlive them; return the groups' names.

    Raises UserError where a stack cannot be updated.
    """
    kept = []
    for stack in stacks:
        if names := resources_of(account, [stack.name]).get(_TYPE, []):
            _update(account, stack)
            kept += names
    return kept


def keeping(template: str) -> str:
    r"""Return a template of ours by which log groups stay, without comments: it has a limit.

    >>> keeping("  # logs\n  Log: {Type: AWS::Logs::LogGroup, Properties: {}}\n")
    '  Log: {Type: AWS::Logs::LogGroup, DeletionPolicy: Retain, Properties: {}}\n'
    """
    short = re.sub(r"^ *#.*\n", "", template, flags=re.MULTILINE)
    return re.sub(rf"{_TYPE}, (?!{_KEPT})", f"{_TYPE}, {_KEPT}, ", short)


def _update(account: Account, stack: Stack) -> None:
    check_can_change(account, stack)
    told = account.ask("cloudformation", "get_template", StackName=stack.name)
    account.type_out("cloudformation", "update-stack", "--stack-name", stack.name,
                     "--template-body", f"TEMPLATE WITH {_KEPT} FOR EACH {_TYPE}")  # fmt: skip
    try:
        account.ask(
            "cloudformation",
            "update_stack",
            StackName=stack.name,
            TemplateBody=keeping(told["TemplateBody"]),
            Parameters=[{"ParameterKey": n, "UsePreviousValue": True} for n in stack.parameters],
            Capabilities=["CAPABILITY_IAM"],
        )
    except UnchangedError:  # they are kept already
        return
    ended = wait_for_stack(account, stack)
    if ended is None or ended.status != "UPDATE_COMPLETE":
        reason = ended and (first_failure(account, ended) or ended.reason)
        raise UserError(
            f"the logs of {stack.name} cannot be kept: {reason or 'no reason is given'}",
            hint="Put that right, or delete without --keep-logs",
        )
