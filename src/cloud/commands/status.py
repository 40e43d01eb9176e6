"""`sagetree cloud status`: what stands, what ran, what is served, what is wrong, what it costs."""

from collections.abc import Collection, Iterator, Mapping

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.endpoint import EndpointStatus, describe_endpoint
from sagetree.cloud.account.members import CORE, find_members, longer_names
from sagetree.cloud.account.packages import list_versions, read_package
from sagetree.cloud.account.stack import Stack, existing_stack

# Of runs and of packages, the newest.
_SHOWN = 5

# What is paid for each kind of endpoint; one of instances never has fewer than one.
_COSTS = {
    "serverless": "nothing while nobody calls; the endpoint by the millisecond of a request",
    "instance": "the endpoint's instances by the hour, used or not",
    "asynchronous": "the endpoint's instances by the hour, used or not",
    "lambda": "nothing while nobody calls; Lambda by the millisecond of a request",
}
# And for what is beside the core, where it is more than cents.
_COSTS_BESIDE = {"network": "an endpoint for each service, by the hour, used or not"}


def status(account: Account) -> int:
    """Say how the whole solution is."""
    account.type_out("cloudformation", "describe-stacks", "--stack-name", account.stack)
    stack = None if account.dry_run else existing_stack(account)
    there = find_members(account) if stack else {}
    executions = list(_executions(account))
    packages = _packages(account)
    alarms = list(_alarms(account, [found.name for found in there.values()]))
    kind = stack.parameters["EndpointKind"] if stack else ""
    endpoint = [] if kind == "lambda" else list(_endpoint(describe_endpoint(account), account))
    if stack is None:
        return 0
    beside = {m.name: found for m, found in there.items() if m is not CORE}
    _say(account, "stack", _stack(stack, beside))
    _say(account, "pipeline", executions or ["has not run yet"])
    _say(account, "models", packages or ["none yet"])
    _say(account, "endpoint", endpoint or ["none: the model runs inside the score function"])
    _say(account, "alarms", alarms or ["there are none"])
    costs = [f"{name}: {text}" for name, text in _COSTS_BESIDE.items() if name in beside]
    jobs = "jobs: by the second"
    _say(account, "cost", [f"{kind}: {_COSTS.get(kind, 'unknown')}", *costs, jobs])
    return 0


def _say(account: Account, title: str, lines: list[str]) -> None:
    for line in lines:
        account.say(f"{title:<9} {line}")
        title = ""


def _stack(stack: Stack, beside: Mapping[str, Stack]) -> list[str]:
    url = stack.outputs.get("ScoreUrl")
    stacks = [stack, *beside.values()]
    lines = [f"{found.name} is {found.status}, made {found.created}" for found in stacks]
    return lines + ([f"claims are scored at {url}"] if url else [])


def _executions(account: Account) -> Iterator[str]:
    listed = account.call(
        "sagemaker",
        "list_pipeline_executions",
        PipelineName=account.stack,
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=_SHOWN,
    )
    for entry in listed.get("PipelineExecutionSummaries", []):
        reason = entry.get("PipelineExecutionFailureReason", "")
        yield f"{entry['StartTime']:%Y-%m-%d %H:%M} {entry['PipelineExecutionStatus']}" + (
            f": {reason}" if reason else ""
        )


def _packages(account: Account) -> list[str]:
    newest = list(list_versions(account).values())[:_SHOWN]
    return [str(read_package(account, arn)) for arn in newest]


def _endpoint(endpoint: EndpointStatus, account: Account) -> Iterator[str]:
    if not endpoint.status:
        wanted = endpoint.wanted_config
        yield f"none, though {wanted} is wanted" if wanted else "none yet: approve a model"
        return
    yield f"{account.stack} is {endpoint.status}" + (
        f": {endpoint.failure}" if endpoint.failure else ""
    )
    if endpoint.config:
        yield f"serves {endpoint.config}"
    if endpoint.beside:
        yield endpoint.beside
    if not endpoint.is_as_wanted and endpoint.wanted_config:
        yield f"wanted is {endpoint.wanted_config}"


def _alarms(account: Account, own: Collection[str]) -> Iterator[str]:
    """Yield the alarms of the solution's own stacks."""
    prefix = f"{account.stack}-"
    others = [] if account.dry_run else [f"{name}-" for name in longer_names(account, own)]
    for alarm in account.listed(
        "cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=prefix
    ):
        if not alarm["AlarmName"].startswith(tuple(others)):
            yield f"{alarm['AlarmName']}: {alarm['StateValue']}"
