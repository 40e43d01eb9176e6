"""The stack of the solution: what it is, what it gave out, and how it comes and goes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.refusals import AbsentError
from sagetree.cloud.account.typed import line_of
from sagetree.errors import UserError

# Between two checks of something that takes minutes.
PAUSE_SECONDS = 5.0

# The state of a stack for which a change set was made that nobody has executed.
_REVIEW = "REVIEW_IN_PROGRESS"

# What CloudFormation says about a resource that did not fail itself.
_CANCELLED = "Resource creation cancelled"


@dataclass(frozen=True)
class Stack:
    """A stack as CloudFormation describes it."""

    id: str
    name: str
    status: str
    reason: str
    created: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]

    @property
    def failed_at_launch(self) -> bool:
        """Whether all that is left of it is its name."""
        return self.status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", _REVIEW)

    @property
    def is_changing(self) -> bool:
        """Whether CloudFormation is at work on it."""
        return self.status.endswith("_IN_PROGRESS") and self.status != _REVIEW


def find_stack(account: Account, name: str = "") -> Stack | None:
    """Return the stack as it is now, None where there is none; `name` may be its id."""
    try:
        answer = account.ask("cloudformation", "describe_stacks", StackName=name or account.stack)
    except AbsentError:
        return None
    (found,) = answer["Stacks"]
    return Stack(
        found["StackId"],
        found["StackName"],
        found["StackStatus"],
        found.get("StackStatusReason", ""),
        f"{found['CreationTime']:%Y-%m-%d %H:%M}",
        {entry["OutputKey"]: entry["OutputValue"] for entry in found.get("Outputs", [])},
        {e["ParameterKey"]: e["ParameterValue"] for e in found.get("Parameters", [])},
    )


def describe_stack(account: Account) -> Stack:
    """Return the stack, which must be there and whole; say the call."""
    account.type_out("cloudformation", "describe-stacks", "--stack-name", account.stack)
    return existing_stack(account)


def existing_stack(account: Account) -> Stack:
    """Return the stack, which must be there and whole."""
    stack = find_stack(account)
    name = account.stack
    if stack is None:
        raise UserError(
            f"the stack {name} does not exist in {account.session.region_name}",
            hint=(
                f"Launch it with 'sagetree cloud launch {account.options} --image URI', or name "
                "another one with --stack and --region"
            ),
        )
    check_is_ours(account, stack)
    if stack.failed_at_launch:
        raise launch_failed(account, stack)
    return stack


def is_asynchronous(account: Account) -> bool:
    """Return whether the stack, which must be there, has an endpoint that answers later."""
    return existing_stack(account).parameters["EndpointKind"] == "asynchronous"


def check_is_ours(account: Account, stack: Stack) -> None:
    """Raise UserError for a stack of another template: nothing is done to it, nor deleted."""
    if stack.status == _REVIEW:  # it has neither parameters nor anything else yet
        return
    if core := stack.parameters.get("Stack"):
        raise UserError(
            f"the stack {account.stack} is a sibling of the stack {core}",
            hint=f"Name that one with --stack {core}",
        )
    if missing := {"ImageUri", "EndpointKind"} - set(stack.parameters):
        raise UserError(
            f"the stack {account.stack} is not from sagetree's template: it lacks "
            f"{' and '.join(sorted(missing))}",
            hint="Name the one that was launched with --stack",
        )


def resources_of(account: Account, stacks: Iterable[str]) -> dict[str, list[str]]:
    """Return the physical ids of what the stacks have, by CloudFormation's types."""
    found: dict[str, list[str]] = {}
    for stack in stacks:
        listed = account.listed(
            "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=stack
        )
        for entry in listed:
            if physical := entry.get("PhysicalResourceId"):
                found.setdefault(entry["ResourceType"], []).append(physical)
    return found


def launch_failed(account: Account, stack: Stack) -> UserError:
    """Return the error of a stack whose launch failed."""
    reason = first_failure(account, stack) or stack.reason
    return UserError(
        f"the launch of {stack.name} failed, the stack is {stack.status}"
        + (f": {reason.rstrip('.')}" if reason else ""),
        hint=(
            f"Delete it with '{_deletion(account, stack)}', correct the cause, and launch it again"
        ),
    )


def check_can_change(account: Account, stack: Stack) -> None:
    """Raise UserError for a stack that CloudFormation does not update as it is now."""
    if stack.failed_at_launch:
        raise launch_failed(account, stack)
    named = line_of(["--stack-name", stack.name, *account.chosen])
    hints = {
        "DELETE_FAILED": f"Delete it with '{_deletion(account, stack)}', and launch it again",
        "UPDATE_ROLLBACK_FAILED": (
            f"Let it roll back with 'aws cloudformation continue-update-rollback {named}', and "
            "launch it again"
        ),
    }
    if stack.is_changing:
        hints[stack.status] = (
            f"Launch it when 'sagetree cloud status {account.options}' says that it is complete"
        )
    if stack.status in hints:
        raise UserError(
            f"the stack {stack.name} is {stack.status}, and cannot be updated",
            hint=hints[stack.status],
        )


def _deletion(account: Account, stack: Stack) -> str:
    """Return the command that deletes the core, or a stack beside it."""
    if stack.name == account.stack:
        return f"sagetree cloud delete {account.options}"
    options = line_of(["--stack-name", stack.name, *account.chosen])
    return f"aws cloudformation delete-stack {options}"


def output_of(account: Account, name: str) -> str:
    """Return an output of the stack; of a dry run the shell variable that would hold it."""
    if account.dry_run:
        return output_variable(account, account.stack, name)
    return output_in(account, describe_stack(account), name)


def output_in(account: Account, stack: Stack, name: str) -> str:
    """Return an output of a stack. Raises UserError where it has none yet."""
    if name not in stack.outputs:
        raise UserError(
            f"the stack {stack.name} has no {name} yet, it is {stack.status}",
            hint=f"Wait until 'sagetree cloud status {account.options}' says that it is complete",
        )
    return stack.outputs[name]


def output_variable(account: Account, stack: str, name: str) -> str:
    """Say how a shell variable gets an output of a stack, and return the variable."""
    from botocore import xform_name

    return account.type_variable(
        xform_name(name).upper(),
        *("cloudformation", "describe-stacks", "--stack-name", stack),
        query=f"Stacks[0].Outputs[?OutputKey=='{name}'].OutputValue",
    )


def parameter_of(account: Account, name: str) -> str:
    """Return what the stack's functions have noted; of a dry run the variable that would hold it.

    `name` is of Parameter Store, such as wanted-package.
    """
    path = f"/{account.stack}/{name}"
    if account.dry_run:
        words = ("ssm", "get-parameter", "--name", path)
        variable = name.upper().replace("-", "_")
        return account.type_variable(variable, *words, query="Parameter.Value")
    return str(account.call("ssm", "get_parameter", Name=path)["Parameter"]["Value"])


def first_failure(account: Account, stack: Stack) -> str:
    """Return which resource failed first in the stack's last change, and why; "" if none did."""
    for event in reversed(_events_of_last_change(account, stack)):
        reason = event.get("ResourceStatusReason", "")
        if event["ResourceStatus"].endswith("_FAILED") and not reason.startswith(_CANCELLED):
            return f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}"
    return ""


def _events_of_last_change(account: Account, stack: Stack) -> list[Any]:
    """Return the events of the stack since its last change began, the newest first."""
    events = account.pages(
        "cloudformation", "describe_stack_events", "StackEvents", StackName=stack.id
    )
    began = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")
    for number, event in enumerate(events):
        if event["PhysicalResourceId"] == stack.id and event["ResourceStatus"] in began:
            return events[: number + 1]
    return events


def wait_for_stack(account: Account, stack: Stack) -> Stack | None:
    """Say what changes until the stack changes no more; return it, None if it is gone."""
    said = ""
    while True:
        now = find_stack(account, stack.id)
        if now is None or now.status == "DELETE_COMPLETE":
            return None
        if not now.is_changing:
            return now
        if (progress := _progress(account, now)) != said:
            account.say(progress)
            said = progress
        account.pause(PAUSE_SECONDS)


def _progress(account: Account, stack: Stack) -> str:
    """Return how many resources are done and which are under way."""
    resources = account.pages(
        "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=stack.id
    )
    done = [r for r in resources if r["ResourceStatus"].endswith("_COMPLETE")]
    pending = [r["LogicalResourceId"] for r in resources if r not in done]
    shown = ", ".join(pending[:4]) + (f" and {len(pending) - 4} more" if len(pending) > 4 else "")
    return f"{stack.status}: {len(done)} resources done" + (f", now {shown}" if shown else "")
