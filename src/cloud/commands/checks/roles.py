"""Roles: what they may do is what the template says, and nothing is attached to them."""

from collections.abc import Iterator

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.refusals import AbsentError
from sagetree.cloud.commands.checks.finding import Finding, Launched


def check_roles(account: Account, launched: Launched) -> Iterator[Finding]:
    """Compare each role of the stack; what its own policies say is compared as drift."""
    for name in launched.of_type("AWS::IAM::Role"):
        try:
            attached = account.listed(
                "iam", "list_attached_role_policies", "AttachedPolicies", RoleName=name
            )
        except AbsentError:
            yield Finding(f"the role {name} is there", False, "update the stack to make it again")
            continue
        arns = ", ".join(policy["PolicyArn"] for policy in attached)
        yield Finding(
            f"the role {name} has no policy of others",
            not attached,
            f"detach {arns} ('aws iam detach-role-policy')",
        )
