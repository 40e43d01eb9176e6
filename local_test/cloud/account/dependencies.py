"""In which order the resources of a template can go, and what it imports of other stacks."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

# ${Name} and ${Name.Attribute} in a text; ${!Name} stands for itself.
_IN_TEXT = re.compile(r"\$\{([A-Za-z0-9]+)[.}]")

Template = Mapping[str, Any]


def deletion_order(resources: Mapping[str, Template]) -> list[str]:
    """Return the resources' names: each after all that need it, a custom one as late as it can.

    CloudFormation deletes side by side what does not depend on each other, so that what a custom
    resource does not name may be gone when it is deleted. Here it always is.
    """
    needs = {name: _needed(template) & resources.keys() for name, template in resources.items()}
    left, order = list(resources), []
    while left:
        free = [name for name in left if not any(name in needs[other] for other in left)]
        plain = [name for name in free if not resources[name]["Type"].startswith("Custom::")]
        if not free:
            raise ValueError(f"these resources need each other: {', '.join(left)}")
        for name in plain or free:
            left.remove(name)
            order.append(name)
    return order


def imports(value: object) -> Iterator[object]:
    """Yield what names each export that a part of a template imports."""
    match value:
        case {"Fn::ImportValue": name}:
            yield name
        case {**members}:
            for member in members.values():
                yield from imports(member)
        case list(entries):
            for entry in entries:
                yield from imports(entry)


def _needed(template: Template) -> set[str]:
    named = template.get("DependsOn", [])
    return {*([named] if isinstance(named, str) else named), *_references(template)}


def _references(value: object) -> Iterator[str]:
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from _IN_TEXT.findall(text)
        case {"Fn::Sub": [str(text), values]}:
            yield from _IN_TEXT.findall(text)
            yield from _references(values)
        case {**members}:
            for member in members.values():
                yield from _references(member)
        case list(entries):
            for entry in entries:
                yield from _references(entry)
