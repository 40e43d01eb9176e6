"""`sagetree cloud check`: is the account as the template promised?"""

from collections.abc import Iterator

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.members import CORE, MEMBERS, find_members
from sagetree.cloud.account.stack import Stack, describe_stack, resources_of
from sagetree.cloud.commands.checks.alarms import check_alarms, check_subscription
from sagetree.cloud.commands.checks.bucket import check_bucket
from sagetree.cloud.commands.checks.drift import check_drift
from sagetree.cloud.commands.checks.finding import Finding, Launched
from sagetree.cloud.commands.checks.functions import check_functions
from sagetree.cloud.commands.checks.logs import check_logs
from sagetree.cloud.commands.checks.roles import check_roles
from sagetree.cloud.commands.checks.serving import check_api, check_endpoint

_CHECKS = (
    check_bucket,
    check_logs,
    check_roles,
    check_functions,
    check_api,
    check_endpoint,
    check_alarms,
    check_subscription,
    check_drift,
)


# Of a dry run: the shell variable for one resource of each type that is asked about.
_VARIABLES = {
    "BUCKET": "AWS::S3::Bucket",
    "LOG_GROUP": "AWS::Logs::LogGroup",
    "ROLE": "AWS::IAM::Role",
    "FUNCTION": "AWS::Lambda::Function",
    "API": "AWS::ApiGatewayV2::Api",
    "ALARM": "AWS::CloudWatch::Alarm",
}


def check(account: Account) -> int:
    """Say for each promise whether it holds, and what to do; return 1 if one does not."""
    launched = _unseen(account) if account.dry_run else _seen(account)
    findings = list(_findings(account, launched))
    if account.dry_run:
        return 0
    for finding in findings:
        account.say(str(finding))
    broken = sum(not finding.holds for finding in findings)
    account.say(f"{len(findings) - broken} ok, {broken} not ok")
    return 1 if broken else 0


def _seen(account: Account) -> Launched:
    core = describe_stack(account)
    siblings = [stack for member, stack in find_members(account).items() if member is not CORE]
    stacks = [core, *siblings]
    return Launched(core, stacks, resources_of(account, [stack.name for stack in stacks]))


def _unseen(account: Account) -> Launched:
    """Return what stands for the stacks in a dry run: variables that would hold their parts."""
    words = ("cloudformation", "list-stack-resources", "--stack-name", account.stack)
    resources = {
        type_: [
            account.type_variable(
                name,
                *words,
                query=f"StackResourceSummaries[?ResourceType=='{type_}'].PhysicalResourceId | [0]",
            )
        ]
        for name, type_ in _VARIABLES.items()
    }
    parameters = {"ImageUri": "$IMAGE_URI", "LogDays": "30", "EndpointKind": "serverless"}
    names = [member.stack_of(account.stack) for member in MEMBERS]
    stacks = {name: Stack("", name, "", "", "", {}, parameters) for name in names}
    return Launched(stacks[account.stack], [*stacks.values()], resources)


def _findings(account: Account, launched: Launched) -> Iterator[Finding]:
    for stack in launched.stacks:
        yield Finding(
            f"the stack {stack.name} stands",
            stack.status.endswith("_COMPLETE") and "ROLLBACK" not in stack.status,
            f"it is {stack.status}: see its events in the console, under CloudFormation",
        )
    for compare in _CHECKS:
        yield from compare(account, launched)
