"""What a definition's expressions are worth, once the steps before have run."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

# A name after a dot, or one in brackets and quotes, or a number in brackets.
_PART = re.compile(r"\.?([^.\[\]]+)|\['([^']*)'\]|\[(\d+)\]")

Json = Any


class Unknown(Exception):  # noqa: N818 - it says what it is
    """An expression for which there is no value: a step that has not run, or a field it lacks."""


@dataclass
class Values:
    """Parameters, facts of the execution, and what each step that has run is known for."""

    parameters: Mapping[str, Json]
    execution: Mapping[str, str]
    # Returns the JSON in an object of S3.
    read: Callable[[str], Json]
    steps: dict[str, Json] = field(default_factory=dict)
    # For each step its property files, each with its S3 address.
    files: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, value: Json) -> Json:
        """Return a value with all expressions in it replaced by theirs."""
        match value:
            case {"Get": str(path)} if len(value) == 1:
                return self._get(path)
            case {"Std:Join": {"On": on, "Values": list(values)}}:
                return str(on).join(str(self.of(part)) for part in values)
            case {"Std:JsonGet": {"PropertyFile": {"Get": str(file)}, "Path": str(path)}}:
                _, step, _, name = file.split(".")
                return _walk(self.read(self.files[step][name]), path, file)
            case {**members}:
                return {name: self.of(member) for name, member in members.items()}
            case list(entries):
                return [self.of(entry) for entry in entries]
        return value

    def holds(self, condition: Mapping[str, Json]) -> bool:
        """Return whether a condition of a Condition step is true."""
        kind = condition["Type"]
        if kind == "Not":
            return not self.holds(condition["Expression"])
        if kind == "Or":
            return any(self.holds(part) for part in condition["Conditions"])
        if kind == "In":
            return self.of(condition["QueryValue"]) in self.of(condition["Values"])
        left, right = self.of(condition["LeftValue"]), self.of(condition["RightValue"])
        if kind == "Equals":
            return bool(left == right)
        difference = float(left) - float(right)
        return {
            "GreaterThan": difference > 0,
            "GreaterThanOrEqualTo": difference >= 0,
            "LessThan": difference < 0,
            "LessThanOrEqualTo": difference <= 0,
        }[kind]

    def _get(self, path: str) -> Json:
        root, _, rest = path.partition(".")
        if root == "Parameters":
            return _walk(self.parameters, rest, path)
        if root == "Execution":
            return _walk(self.execution, rest, path)
        if root == "Steps":
            return _walk(self.steps, rest, path)
        raise Unknown(f"{path} is neither a parameter nor a step's")


def parameters(definition: Mapping[str, Json], given: Mapping[str, str]) -> dict[str, Json]:
    """Return the pipeline's parameters: what is given, as their types say, else their defaults."""
    declared = {entry["Name"]: entry for entry in definition.get("Parameters", [])}
    unknown = given.keys() - declared.keys()
    if unknown:
        raise Unknown(f"the pipeline has no parameter {', '.join(sorted(unknown))}")
    types: dict[str, Callable[[str], Json]] = {
        "Float": float,
        "Integer": int,
        "Boolean": json.loads,
    }
    found = {}
    for name, entry in declared.items():
        if name in given:
            found[name] = types.get(entry["Type"], str)(given[name])
        elif "DefaultValue" in entry:
            found[name] = entry["DefaultValue"]
        else:
            raise Unknown(f"the pipeline's parameter {name} has no default and is not given")
    return found


def _walk(value: Json, path: str, whole: str) -> Json:
    for name, quoted, number in _PART.findall(path):
        try:
            value = value[int(number)] if number else value[name or quoted]
        except (KeyError, IndexError, TypeError) as error:
            raise Unknown(
                f"{whole} has no value: there is no {name or quoted or number}"
            ) from error
    return value
