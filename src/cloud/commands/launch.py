"""`sagetree cloud launch`: make the stacks or update them, and wait until they stand."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.members import CORE, MEMBERS, SIBLINGS, Member, find_members, is_sibling
from sagetree.cloud.account.refusals import UnchangedError
from sagetree.cloud.account.stack import (
    Stack,
    check_can_change,
    find_stack,
    first_failure,
    launch_failed,
    output_variable,
    wait_for_stack,
)
from sagetree.cloud.account.template import outputs_of, parameters_of
from sagetree.cloud.account.typed import words_of
from sagetree.cloud.names import fault_of_stack
from sagetree.errors import UserError, did_you_mean, quote

# It makes roles, whose names CloudFormation chooses.
_CAPABILITIES = ["CAPABILITY_IAM"]

# That of a core that was given none.
_KIND = "serverless"

# What the command itself gives a value.
_IMAGE, _CORE = "ImageUri", "Stack"

# The core's tables of the feature store.
_ONLINE = "OnlineTables"


def launch(
    account: Account, templates: Path, image: str, parameters: Mapping[str, str],
    siblings: Sequence[str] = (),
) -> int:  # fmt: skip
    """Create the stack, or update it, with the image and other parameters; then its siblings.

    `siblings` names those that are wanted; those that are there are updated, too.
    """
    if fault := fault_of_stack(account.stack):
        raise UserError(fault, where=f"--stack {account.stack}", hint="Name another one")
    there = {} if account.dry_run else find_members(account)
    chosen = [m for m in MEMBERS if m is CORE or m in there or m.name in siblings]
    texts = {member: (templates / member.template).read_text() for member in MEMBERS}
    _check_names(account, parameters, {member: texts[member] for member in chosen}, texts)
    for member in chosen:
        _check_place(account, member, there.get(member))
    _check_kind(account, parameters, chosen, there)
    _check_needs(parameters, chosen, there)
    _check_online(account, parameters, chosen, there)
    taken: dict[str, str] = {}
    ended = []
    for number, member in enumerate(chosen):
        values = {**taken, **parameters, _IMAGE: image, _CORE: account.stack}
        path = templates / member.template
        stack = _made(account, member.stack_of(account.stack), path, values, there.get(member))
        ended += [stack] if stack else []
        wanted = {name for later in chosen[number + 1 :] for name in parameters_of(texts[later])}
        taken |= _given_out(account, member, stack, wanted & set(outputs_of(texts[member])))
    for stack in ended:
        _say(account, stack)
    if ended:
        account.say(f"To bring tables into it:  sagetree cloud upload {account.options} FILES")
    return 0


def siblings_of(text: str) -> list[str]:
    """Return the siblings that a list with commas names. Raises UserError for one there is not."""
    names = [name for entry in text.split(",") if (name := entry.strip())]
    for name in names:
        if name not in SIBLINGS:
            raise UserError(
                f"--with is {quote(text)}{did_you_mean(name, list(SIBLINGS))}",
                hint=f"Name some of {', '.join(SIBLINGS)}, with commas between",
            )
    return names


def _made(
    account: Account, name: str, template: Path, values: Mapping[str, str], old: Stack | None
) -> Stack | None:
    """Create or update one stack; return it as it is then, None of a dry run."""
    verb = "update" if old else "create"
    known = parameters_of(template.read_text())
    kept = [n for n in known if n not in values and old and n in old.parameters]
    request: dict[str, object] = {
        "StackName": name,
        "TemplateBody": f"file://{template}",
        "Parameters": [
            *({"ParameterKey": n, "ParameterValue": values[n]} for n in known if n in values),
            *({"ParameterKey": n, "UsePreviousValue": True} for n in kept),
        ],
        "Capabilities": _CAPABILITIES,
    }
    account.type_out(*words_of("cloudformation", f"{verb}_stack", request))
    account.type_out("cloudformation", "wait", f"stack-{verb}-complete", "--stack-name", name)
    way = f"{name}, Update, Replace existing template, " if old else "Create stack, "
    account.say(f"  or in the console: CloudFormation, {way}Upload a template file: {template}")
    if account.dry_run:
        return None
    request["TemplateBody"] = template.read_text()
    try:
        account.ask("cloudformation", f"{verb}_stack", **request)
    except UnchangedError:
        return old
    return _awaited(account, name, old)


def _awaited(account: Account, name: str, old: Stack | None) -> Stack:
    begun = find_stack(account, name)
    ended = begun and wait_for_stack(account, begun)
    if ended is None:
        raise UserError(f"the stack {name} was deleted in the meantime", hint="Launch it again")
    if old is None and ended.failed_at_launch:
        raise launch_failed(account, ended)
    if old and ended.status != "UPDATE_COMPLETE":
        reason = first_failure(account, ended) or ended.reason or "no reason is given"
        raise UserError(
            f"the update of {name} failed, the stack is {ended.status}: {reason.rstrip('.')}",
            hint="Correct the cause, and launch it again",
        )
    return ended


def _given_out(
    account: Account, member: Member, stack: Stack | None, wanted: Iterable[str]
) -> dict[str, str]:
    """Return what stacks that come later take: outputs, and all that the core was given."""
    if stack is None:
        name = member.stack_of(account.stack)
        return {output: output_variable(account, name, output) for output in sorted(wanted)}
    return {**(stack.parameters if member is CORE else {}), **stack.outputs}


def _say(account: Account, stack: Stack) -> None:
    width = max(map(len, stack.outputs), default=0)
    account.say(f"{stack.name} is {stack.status}")
    for name, value in stack.outputs.items():
        account.say(f"  {name:<{width}}  {value}")


def _check_names(
    account: Account, parameters: Mapping[str, str], chosen: Mapping[Member, str],
    texts: Mapping[Member, str],
) -> None:  # fmt: skip
    known = list(dict.fromkeys(n for text in chosen.values() for n in parameters_of(text)))
    known = [name for name in known if name != _CORE]
    for name in parameters:
        if name == _IMAGE:
            raise UserError("the image is named twice", hint="Leave out --parameter ImageUri=...")
        if name in known:
            continue
        for member, text in texts.items():
            if name != _CORE and name in parameters_of(text):
                raise UserError(
                    f"{name} is a parameter of {member.stack_of(account.stack)}, which is not "
                    "launched",
                    hint=f"Launch it, too, by --with {member.name}",
                )
        raise UserError(
            f"parameter {quote(name)} does not exist in the template{did_you_mean(name, known)}",
            hint=f"It has {', '.join(known)}",
        )


def _check_kind(
    account: Account, parameters: Mapping[str, str], chosen: Iterable[Member],
    there: Mapping[Member, Stack],
) -> None:  # fmt: skip
    """Refuse what the templates' own rules would refuse when other stacks are already changed."""
    told = there[CORE].parameters["EndpointKind"] if CORE in there else _KIND
    kind = parameters.get("EndpointKind", told)
    for member in chosen:
        if kind == member.unfit:
            name = member.stack_of(account.stack)
            way = f"delete {name} first" if member in there else f"launch without {member.name}"
            raise UserError(
                f"{name} cannot be combined with EndpointKind {kind}",
                hint=f"Choose another EndpointKind, or {way}",
            )


def _check_needs(
    parameters: Mapping[str, str], chosen: Iterable[Member], there: Mapping[Member, Stack]
) -> None:
    """Refuse what CloudFormation would refuse when other stacks are already made."""
    for member in chosen:
        for name in member.needs if member not in there else ():
            if name not in parameters:
                raise UserError(
                    f"--with {member.name} needs {name}", hint=f"Add --parameter {name}=..."
                )


def _check_online(
    account: Account, parameters: Mapping[str, str], chosen: Iterable[Member],
    there: Mapping[Member, Stack],
) -> None:  # fmt: skip
    """Refuse tables that a claim's columns could never be looked up in."""
    told = {member: {**old.parameters, **parameters} for member, old in there.items()}
    values = {member: told.get(member, parameters) for member in chosen}
    if not values[CORE].get(_ONLINE):
        return
    features, network = SIBLINGS["features"], SIBLINGS["network"]
    if features not in values:
        raise UserError(
            f"{_ONLINE} needs the stack {features.stack_of(account.stack)}",
            hint=f"Launch it, too, by --with {features.name}",
        )
    if network in values and values[network].get("Features") != "yes":
        raise UserError(
            f"{_ONLINE} needs a way to the feature store out of {network.stack_of(account.stack)}",
            hint="Add --parameter Features=yes",
        )


def _check_place(account: Account, member: Member, there: Stack | None) -> None:
    """Raise UserError where a stack cannot be made, or updated, under its name."""
    if there:
        check_can_change(account, there)
    if there or account.dry_run or member is CORE:
        return
    name = member.stack_of(account.stack)
    if (other := find_stack(account, name)) and not is_sibling(account, other):
        raise UserError(
            f"the stack {name} exists already, and it is not a sibling of {account.stack}",
            hint="Name another core by --stack",
        )
