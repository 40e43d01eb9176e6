"""Templates as CloudFormation sees them: their functions worked out for a stack's parameters."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

CLOUD = Path(__file__).parents[3] / "cloud"
TEMPLATE = CLOUD / "template.yaml"

IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/sagetree@sha256:" + "0" * 64

PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-central-1",
    "AWS::StackName": "fraud",
    "AWS::URLSuffix": "amazonaws.com",
}

# What has to be given: the image, and to siblings the core's name and one for its API.
GIVEN = {"ImageUri": IMAGE, "Stack": "fraud", "DomainName": "claims.example.com"}

# What the core gives out to its siblings.
EXPORTS = {
    "fraud-alerts": "arn:aws:sns:eu-central-1:123456789012:fraud-alerts",
    "fraud-api": "a1b2c3",
    "fraud-api-target": "integrations/d4e5f6",
    "fraud-bucket": "fraud-bucket",
    "fraud-dead": "fraud-dead",
    "fraud-job-role": "arn:aws:iam::123456789012:role/fraud-job",
    "fraud-pipeline": "fraud",
}

# What a list leaves out, and a mapping too.
NO_VALUE = object()


class _Loader(yaml.CSafeLoader):
    """YAML with CloudFormation's short forms, as their long forms."""


def _short_form(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in ("Ref", "Condition") else f"Fn::{tag}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if tag == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short_form)


def read(name: str = TEMPLATE.name) -> dict[str, Any]:
    """Return a template with its functions in their long form."""
    return yaml.load((CLOUD / name).read_text(), _Loader)


class Stack:
    """A stack of the template with some parameters, the others at their defaults.

    What refers to a resource is worked out to its name in angle brackets, or kept.
    """

    def __init__(
        self, template: Mapping[str, Any], *, keeps_references: bool = False, **parameters: str
    ) -> None:
        self.template = template
        self._keeps = keeps_references
        self.parameters = {
            name: str(parameters.get(name, GIVEN.get(name, told.get("Default"))))
            for name, told in template["Parameters"].items()
        }
        assert parameters.keys() <= self.parameters.keys()

    def broken_rules(self) -> list[str]:
        """Return the sentences of the rules that refuse these parameters."""
        return [
            assertion["AssertDescription"]
            for rule in self.template.get("Rules", {}).values()
            if self.value(rule.get("RuleCondition", {"Fn::Equals": ["", ""]}))
            for assertion in rule["Assertions"]
            if not self.value(assertion["Assert"])
        ]

    def resources(self) -> dict[str, Any]:
        """Return the resources whose conditions hold, worked out."""
        return {
            name: self.value({key: part for key, part in told.items() if key != "Condition"})
            for name, told in self.template["Resources"].items()
            if "Condition" not in told or self.holds(told["Condition"])
        }

    def holds(self, condition: str) -> bool:
        """Return whether a condition of the template holds."""
        return bool(self.value(self.template["Conditions"][condition]))

    def value(self, node: Any) -> Any:
        """Return a part of the template, worked out."""
        if isinstance(node, list):
            return [found for item in node if (found := self.value(item)) is not NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1 and (name := next(iter(node))) in _OWN | _FUNCTIONS.keys():
            return self._function(name, node[name])
        pairs = ((key, self.value(item)) for key, item in node.items())
        return {key: found for key, found in pairs if found is not NO_VALUE}

    def _function(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self._named(argument)
            case "Fn::GetAtt":
                return {name: argument} if self._keeps else self._named(".".join(argument))
            case "Fn::If":
                return self.value(argument[1 if self.holds(argument[0]) else 2])
            case "Fn::Sub":
                return self._filled(*(argument if isinstance(argument, list) else (argument, {})))
            case "Fn::ImportValue":
                return EXPORTS[self.value(argument)]
        return _FUNCTIONS[name](self.value(argument))

    def _filled(self, text: str, own: Mapping[str, Any]) -> Any:
        values = {key: self.value(item) for key, item in own.items()}

        def written(found: re.Match[str]) -> str:
            name = found[1]
            value = values[name] if name in values else self._named(name)
            if isinstance(value, dict):  # a reference that is kept, or a text with some in it
                return str(value.get("Fn::Sub", f"${{{name}}}"))
            return str(value)

        filled = re.sub(r"\$\{([^}]+)\}", written, text)
        return {"Fn::Sub": filled} if "${" in filled else filled

    def _named(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.parameters:
            return self.parameters[name]
        assert name.partition(".")[0] in self.template["Resources"], name
        return {"Ref": name} if self._keeps else f"<{name}>"


_OWN = {"Ref", "Fn::GetAtt", "Fn::If", "Fn::ImportValue", "Fn::Sub"}
_FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "Fn::Equals": lambda pair: str(pair[0]) == str(pair[1]),
    "Fn::Not": lambda only: not only[0],
    "Fn::And": all,
    "Fn::Or": any,
    "Fn::Contains": lambda pair: str(pair[1]) in map(str, pair[0]),
    "Fn::Join": lambda pair: pair[0].join(pair[1]),
    "Fn::Split": lambda pair: pair[1].split(pair[0]),
    "Fn::Select": lambda pair: pair[1][int(pair[0])],
    "Fn::GetAZs": lambda region: [f"{region or PSEUDO['AWS::Region']}{zone}" for zone in "abc"],
}
