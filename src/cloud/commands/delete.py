"""`sagetree cloud delete`: remove the stack and its siblings, and say what went with it."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.logs import keep_logs
from sagetree.cloud.account.members import CORE, MEMBERS, SIBLINGS, Member, find_members
from sagetree.cloud.account.stack import Stack, first_failure, wait_for_stack
from sagetree.cloud.account.typed import words_of
from sagetree.errors import SagetreeError, UserError

# Lambda takes up to 45 minutes to remove an interface whose last function is gone.
_LONGEST_SECONDS = 3600
_PAUSE_SECONDS = 15


def delete(account: Account, *, agreed: bool, logs: bool = False) -> int:
    """Delete siblings, then the stack with endpoint, models and data, unless it keeps its data.

    `logs` are kept where that is asked for.
    """
    there = {} if account.dry_run else _found(account)
    if there and not agreed:
        _ask(account, there)
    kept = keep_logs(account, there.values()) if logs else []
    # deleting a stack that is not there is no error
    for member in reversed(MEMBERS if account.dry_run else [*there]):
        stack = there.get(member)
        if stack and "CleanFunctionName" in stack.outputs:
            _clean(account, stack)
        if stack and member is SIBLINGS["network"]:
            _await_interfaces(account, stack)
        _delete(account, member.stack_of(account.stack), stack)
        if stack:
            _say_stays(account, member, stack)
    if CORE in there:
        _say_kept(account, there[CORE])
    for name in kept:
        account.say(f"{name} is kept (--keep-logs): remove it before a launch under this name")
    if there:
        account.say(f"To see that nothing is left:  sagetree cloud leftovers {account.options}")
    return 0


def _say_kept(account: Account, core: Stack) -> None:
    if core.parameters["KeepData"] == "yes":
        what = "tables, stores, runs, models, captures, outcomes, batches"
        account.say(f"{core.outputs.get('BucketName')} is kept (KeepData): {what}")


def _found(account: Account) -> dict[Member, Stack]:
    there = find_members(account)
    if not there:
        raise UserError(
            f"the stack {account.stack} does not exist in {account.session.region_name}",
            hint=f"'sagetree cloud leftovers {account.options}' lists what is left of it",
        )
    return there


def _delete(account: Account, name: str, stack: Stack | None) -> None:
    """Delete one stack, and wait until it is gone."""
    account.call("cloudformation", "delete_stack", StackName=stack.id if stack else name)
    account.type_out("cloudformation", "wait", "stack-delete-complete", "--stack-name", name)
    if stack is None:
        return
    ended = wait_for_stack(account, stack)
    if ended is not None:
        raise _failed(account, ended)
    account.say(f"{name} is deleted")


def _await_interfaces(account: Account, stack: Stack) -> None:
    """Wait until nobody is left in a network that is to be deleted.

    Lambda and SageMaker remove their interfaces themselves, some time after what used them.
    """
    words = {"Name": "subnet-id", "Values": stack.outputs.get("SubnetIds", "").split(",")}
    request = {"Filters": [words]}
    account.type_out(*words_of("ec2", "describe_network_interfaces", request))
    waited, said = 0, ""
    while ids := _interfaces(account, request):
        text = f"{len(ids)} network interfaces are still in {stack.name}: {', '.join(ids[:4])}"
        if waited >= _LONGEST_SECONDS:
            raise UserError(
                f"{text} after {waited // 60} minutes",
                hint="See in the console, under EC2, whose they are, and delete the stack again",
            )
        if text != said:
            account.say(f"{text}; Lambda takes up to 45 minutes to remove its own")
        said, waited = text, waited + _PAUSE_SECONDS
        account.pause(_PAUSE_SECONDS)


def _interfaces(account: Account, request: Mapping[str, object]) -> list[str]:
    """Return what is in a network but its own endpoints, which go with it."""
    listed = account.pages("ec2", "describe_network_interfaces", "NetworkInterfaces", **request)
    return [e["NetworkInterfaceId"] for e in listed if e.get("InterfaceType") != "vpc_endpoint"]


def _say_stays(account: Account, member: Member, stack: Stack) -> None:
    for output, removal in member.stays:
        if output in stack.outputs:
            account.say(f"{stack.outputs[output]} stays. To remove it:")
            account.say(f"  {removal} {stack.outputs[output]}")


def _ask(account: Account, there: Mapping[Member, Stack]) -> None:
    keep = CORE in there and there[CORE].parameters.get("KeepData") == "yes"
    what = "its endpoint and models" if keep else "its endpoint, its models and all its data"
    others = [stack.name for member, stack in there.items() if member is not CORE]
    what = ", ".join([*others, what])
    if not sys.stdin.isatty():
        raise UserError(
            f"deleting {account.stack} deletes {what}, and nobody is here to confirm it",
            hint="Confirm it with --yes",
        )
    account.say(f"This deletes {account.stack} with {what}. To go on, type its name:")
    if sys.stdin.readline().strip() != account.stack:
        raise UserError("nothing was deleted", hint="Type the name of the stack, or use --yes")


def _clean(account: Account, stack: Stack) -> None:
    """Have the stack's own function remove what the stack does not know, and say how much.

    CloudFormation calls it too, but keeps its counts to itself. What goes wrong here is only
    logged: it goes wrong there again, where it ends the deletion.
    """
    function = stack.outputs["CleanFunctionName"]
    payload = json.dumps(_event(account, stack))
    words = ("--payload", payload, "--cli-binary-format", "raw-in-base64-out")
    patience = ("--cli-read-timeout", "0", "/dev/stdout")
    account.type_out("lambda", "invoke", "--function-name", function, *words, *patience)
    try:
        answer = account.ask_long("lambda", "invoke", FunctionName=function, Payload=payload)
    except SagetreeError as error:
        account.say(f"The counts are unknown: {error}")
        return
    _say_counts(account, json.loads(answer["Payload"].read() or "null"))


def _event(account: Account, stack: Stack) -> dict[str, object]:
    """Return CloudFormation's event of a deletion, without an address to answer to."""
    return {
        "RequestType": "Delete",
        "StackId": stack.id,
        "RequestId": "sagetree-cloud-delete",
        "LogicalResourceId": "Clean",
        "ResourceProperties": {"Stack": account.stack, "KeepData": stack.parameters["KeepData"]},
    }


def _say_counts(account: Account, answer: Mapping[str, Any] | None) -> None:
    counts = (answer or {}).get("Data")
    if not isinstance(counts, dict):
        account.say(f"The counts are unknown: {(answer or {}).get('errorMessage', 'no answer')}")
        return
    account.say("Removed: " + ", ".join(f"{count} {kind}" for kind, count in counts.items()))
    if answer and answer.get("Status") != "SUCCESS":
        account.say(str(answer.get("Reason")))


def _failed(account: Account, stack: Stack) -> UserError:
    reason = first_failure(account, stack) or stack.reason or "no reason is given"
    return UserError(
        f"{stack.name} is {stack.status}: {reason.rstrip('.')}",
        hint="Correct that, and delete it again",
    )
