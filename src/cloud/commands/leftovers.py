"""`sagetree cloud leftovers`: what bears the stack's name and is not in one of its stacks."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.kinds import KINDS, NAME, STACK, Kind
from sagetree.cloud.account.members import CORE, MEMBERS, find_members, longer_names
from sagetree.cloud.account.stack import resources_of


class Thing(NamedTuple):
    """Something that bears the stack's name, and by what it is removed."""

    kind: Kind
    name: str
    id: str


def leftovers(account: Account) -> int:
    """Say what is left and how each is removed; return 1 if deleting the stack leaves something."""
    there = {} if account.dry_run else find_members(account)
    own = [m.stack_of(account.stack) for m in (MEMBERS if account.dry_run else there)]
    inside = resources_of(account, own)
    others = longer_names(account, own)
    things = [
        thing
        for kind in KINDS
        for thing in _outside(account, kind, inside.get(kind.type, []), others)
    ]
    if account.dry_run:
        return 0
    cleaners = {member.name for member in there}
    made = [t for t in things if t.kind.is_cleaned and t.kind.cleaner in cleaners]
    left = [thing for thing in things if thing not in made]
    siblings = [] if CORE in there else [stack.name for stack in there.values()]
    for kind, name, _ in made:
        owner = f"{account.stack}-{kind.cleaner}" if kind.cleaner else account.stack
        account.say(f"{kind.title} {name}: goes with the stack {owner}")
    for kind, name, id_ in left:
        account.say(f"{kind.title} {name} is left. To remove it:")
        account.say(f"  {kind.removal.replace(NAME, id_)}")
    for name in siblings:
        account.say(f"stack {name} is left. To remove it:")
        account.say(f"  aws cloudformation delete-stack --stack-name {name}")
    count = len(left) + len(siblings)
    account.say(f"{count} left" + (f", {len(made)} go with the stack" if made else ""))
    return 1 if count else 0


def _outside(
    account: Account, kind: Kind, inside: Sequence[str], others: Sequence[str]
) -> Iterator[Thing]:
    """Yield what bears the stack's name and is not in it."""
    request = {key: text.replace(STACK, account.stack) for key, text in kind.request.items()}
    for entry in account.listed(kind.service, kind.operation, kind.key, **request):
        name = str(entry[kind.name]) if kind.name else str(entry)
        thing = Thing(kind, name, str(entry[kind.id]) if kind.id else name)
        if _bears(name, account.stack, others) and not _is_inside(thing.id, inside):
            yield thing


def _bears(name: str, stack: str, others: Sequence[str]) -> bool:
    """Say whether a part of a name or path is the stack's name, or begins with it and a hyphen.

    >>> _bears("/aws/lambda/fraud-score", "fraud", ["fraud-two"])
    True
    >>> _bears("fraud-two-deploy", "fraud", ["fraud-two"]), _bears("fraudulent", "fraud", [])
    (False, False)
    """
    parts = re.split(r"[/:]", name.lower())
    return any(_leads(part, stack) for part in parts) and not any(
        _leads(part, other) for part in parts for other in others
    )


def _leads(part: str, stack: str) -> bool:
    return f"{part}-".startswith(f"{stack.lower()}-")


def _is_inside(name: str, inside: Sequence[str]) -> bool:
    """Say whether a name is one of physical ids, which are names, ARNs or URLs of any host.

    >>> _is_inside("https://eu.queue.amazonaws.com/1/dead", ["https://sqs.eu.amazonaws.com/1/dead"])
    True
    """
    if name.startswith("http"):
        return any(urlsplit(known).path == urlsplit(name).path for known in inside)
    return any(name in (known, re.split(r"[/:|]", known)[-1]) for known in inside)
