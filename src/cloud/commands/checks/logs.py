"""Log groups: what is in them goes after the days that the launch named."""

from collections.abc import Iterator

from sagetree.cloud.account.calls import Account
from sagetree.cloud.commands.checks.finding import Finding, Launched


def check_logs(account: Account, launched: Launched) -> Iterator[Finding]:
    """Compare each log group of the stack."""
    wanted = int(launched.stack.parameters["LogDays"])
    for name in launched.of_type("AWS::Logs::LogGroup"):
        listed = account.listed("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name)
        found = {group["logGroupName"]: group.get("retentionInDays") for group in listed}
        command = f"aws logs put-retention-policy --log-group-name {name}"
        yield Finding(
            f"{name} keeps its lines for {wanted} days",
            found.get(name) == wanted,
            f"'{command} --retention-in-days {wanted}'"
            if name in found
            else "it is missing; update the stack to make it again",
        )
