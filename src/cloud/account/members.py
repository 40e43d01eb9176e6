"""The stacks that a solution is made of: the core, and siblings beside it that are optional.

A sibling takes what never changes of the core by CloudFormation's exports, and what may change by
parameters, which have the names of the core's own parameters or outputs. Its parameter `Stack`
names the core.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.stack import (
    Stack,
    check_is_ours,
    existing_stack,
    find_stack,
    launch_failed,
    output_in,
    output_variable,
)
from sagetree.errors import UserError


@dataclass(frozen=True)
class Member:
    """One of the stacks: what follows the core's name in its own, "" for the core; its template.

    `unfit` is the kind of endpoint that it does not go with; `needs` are its parameters without a
    default; `stays` is what outlives it: an output's name, and how that is removed.
    """

    name: str
    template: str
    unfit: str = ""
    needs: tuple[str, ...] = ()
    stays: tuple[tuple[str, str], ...] = ()

    def stack_of(self, core: str) -> str:
        """Return the stack's name.

        >>> Member("queue", "queue.yaml").stack_of("fraud"), CORE.stack_of("fraud")
        ('fraud-queue', 'fraud')
        """
        return f"{core}-{self.name}" if self.name else core


CORE = Member("", "template.yaml")

# In the order in which they are launched, which is the reverse of that in which they are deleted:
# each may take the outputs of those before it.
MEMBERS = (
    Member(
        "network", "network.yaml", unfit="serverless",
        stays=(("CreatedKeyArn", "aws kms schedule-key-deletion --key-id"),),
    ),
    CORE,
    Member("queue", "queue.yaml", unfit="asynchronous"),
    Member("watch", "watch.yaml", unfit="asynchronous"),
    Member("features", "features.yaml"),
    Member("retrain", "retrain.yaml"),
    Member("dashboard", "dashboard.yaml"),
    Member("domain", "domain.yaml", needs=("DomainName",)),
    Member("account", "account.yaml"),
)  # fmt: skip

# CloudFormation's word for a stack that is gone.
_GONE = "DELETE_COMPLETE"

SIBLINGS: Mapping[str, Member] = {member.name: member for member in MEMBERS if member.name}


def find_members(account: Account) -> dict[Member, Stack]:
    """Return the stacks of the solution that are there, in the order of MEMBERS.

    Raises UserError where the core's name is that of a stack of another kind.
    """
    found = {member: find_member(account, member) for member in (CORE, *SIBLINGS.values())}
    return {member: stack for member in MEMBERS if (stack := found[member])}


def find_member(account: Account, member: Member) -> Stack | None:
    """Return one of the solution's stacks as it is now, None where there is none."""
    stack = find_stack(account, member.stack_of(account.stack))
    if stack and member is CORE:
        check_is_ours(account, stack)
    return stack if stack and (member is CORE or is_sibling(account, stack)) else None


def is_sibling(account: Account, stack: Stack) -> bool:
    """Return whether a stack is beside this core: its name alone does not say so."""
    return stack.parameters.get("Stack") == account.stack


def longer_names(account: Account, own: Collection[str]) -> list[str]:
    """Return other stacks whose names begin with this one's: what bears theirs is theirs."""
    listed = account.listed("cloudformation", "list_stacks", "StackSummaries")
    return [
        entry["StackName"]
        for entry in listed
        if entry["StackStatus"] != _GONE
        and entry["StackName"].startswith(f"{account.stack}-")
        and entry["StackName"] not in own
    ]


def output_of_sibling(account: Account, sibling: str, name: str) -> str:
    """Return an output of a sibling; of a dry run the shell variable that would hold it.

    Raises UserError, with the command that launches it, where the core has no such sibling.
    """
    member = SIBLINGS[sibling]
    own = member.stack_of(account.stack)
    if account.dry_run:
        return output_variable(account, own, name)
    core = existing_stack(account)
    account.type_out("cloudformation", "describe-stacks", "--stack-name", own)
    stack = find_member(account, member)
    if stack is None:
        raise UserError(
            f"the stack {own} does not exist beside the stack {account.stack}",
            hint=f"Launch it with 'sagetree cloud launch {account.options} --image "
            f"{core.parameters['ImageUri']} --with {sibling}'",
        )
    if stack.failed_at_launch:
        raise launch_failed(account, stack)
    return output_in(account, stack, name)
