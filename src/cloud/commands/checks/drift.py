"""Drift: CloudFormation's own comparison of each resource with the template, policies too."""

from collections.abc import Iterator, Mapping
from typing import Any

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.stack import PAUSE_SECONDS
from sagetree.cloud.commands.checks.finding import Finding, Launched

_REMEDY = "set it back, or launch the stack anew"

# Of a resource's differences, this many are named.
_SHOWN = 3


def check_drift(account: Account, launched: Launched) -> Iterator[Finding]:
    """Compare all resources that CloudFormation can compare, by its detection of drift."""
    for stack in launched.stacks:
        yield from _compared(account, stack.name)


def _compared(account: Account, stack: str) -> Iterator[Finding]:
    started = account.call("cloudformation", "detect_stack_drift", StackName=stack)
    fault = "" if account.dry_run else _await(account, started["StackDriftDetectionId"])
    drifts = account.listed(
        "cloudformation",
        "describe_stack_resource_drifts",
        "StackResourceDrifts",
        StackName=stack,
    )
    compared = [entry for entry in drifts if entry["StackResourceDriftStatus"] != "NOT_CHECKED"]
    changed = [entry for entry in compared if entry["StackResourceDriftStatus"] != "IN_SYNC"]
    for entry in changed:
        yield Finding(f"{_named(entry)} is as the template has it", False, _difference(entry))
    roles = sum(entry["ResourceType"] == "AWS::IAM::Role" for entry in compared)
    yield Finding(
        f"{len(compared) - len(changed)} of {len(compared)} resources of {stack} that "
        "CloudFormation compares are as the template has them, roles with their policies "
        f"({roles}) among them",
        bool(compared) and not changed and not fault,
        fault or (_REMEDY if changed else "nothing was compared; try again in a minute"),
    )


def _await(account: Account, detection: str) -> str:
    """Wait until the detection has ended; return why it could not compare all, or ""."""
    operation = "describe_stack_drift_detection_status"
    while True:
        answer = account.ask("cloudformation", operation, StackDriftDetectionId=detection)
        if answer["DetectionStatus"] == "DETECTION_FAILED":
            return str(answer.get("DetectionStatusReason") or "the comparison failed; try again")
        if answer["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            return ""
        account.pause(PAUSE_SECONDS)


def _named(entry: Mapping[str, Any]) -> str:
    return f"{entry['LogicalResourceId']} ({entry['ResourceType']})"


def _difference(entry: Mapping[str, Any]) -> str:
    """Return which properties differ."""
    if entry["StackResourceDriftStatus"] == "DELETED":
        return "it is deleted; launch the stack anew"
    paths = [difference["PropertyPath"] for difference in entry.get("PropertyDifferences", [])]
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return f"{', '.join(paths[:_SHOWN])}{more} differ; {_REMEDY}"
