"""CloudFormation's order on the desk: one stack at a time, and deletion the other way round.

moto makes resources lazily: the answer of a custom resource walks all of them in another thread,
and makes those that are not yet made a second time. It deletes in any order until nothing fails,
leaves gaps in lists, says nothing of a bucket that stays, tells no custom resource that its stack
goes, lets a stack go whose exports others import, and makes anew what an update only keeps.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import ExitStack, contextmanager
from typing import Any

from moto import settings
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import CloudFormationBackend, Stack
from moto.cloudformation.parsing import ResourceMap
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.common_models import CloudFormationModel
from moto.s3.models import FakeBucket

from local_test.cloud.account.dependencies import deletion_order, imports
from local_test.cloud.account.replacing import replaced

# Tells a custom resource that it goes: its properties and logical name in, the reason for which
# it failed out, or nothing.
Farewell = Callable[[Mapping[str, Any], str, str], str]

KEPT = ("Retain", "RetainExceptOnCreate")


@contextmanager
def stacks(
    port: int, made: Mapping[str, type[CloudFormationModel]], farewell: Farewell
) -> Iterator[None]:
    """Have CloudFormation make these types too, and delete as the service does."""
    known, listed = parsing.get_model_map(), parsing.get_model_list()
    others = [model for model in listed if model.cloudformation_type() not in made]
    lock = threading.RLock()
    with ExitStack() as parts:
        for owner, functions in (
            (parsing, {
                "clean_json": _without_gaps(parsing.clean_json),
                "get_model_map": lambda: {**known, **made},
                "get_model_list": lambda: [*made.values(), *others],
                "resource_class_from_type": _known(parsing.resource_class_from_type),
            }),
            (ResourceMap, {
                "create": _locked(lock, ResourceMap.create),
                "creation_complete": _locked(lock, ResourceMap.creation_complete),
                "build_resource_diff": _differences,
            }),
            (CloudFormationBackend, {
                "delete_stack": _delete_by(farewell),
                "_resolve_update_parameters": _values,
            }),
            (CloudFormationResponse, {
                "process_cfn_response": _heard(CloudFormationResponse.process_cfn_response),
            }),
            (settings, {
                "moto_server_host": lambda: "http://127.0.0.1",
                "moto_server_port": lambda: str(port),
            }),
        ):  # fmt: skip
            parts.enter_context(replaced(owner, **functions))
        yield


def _without_gaps(clean: Callable[..., Any]) -> Callable[..., Any]:
    """Leave out of a list what AWS::NoValue stands for: moto leaves an empty place there."""

    def clean_json(resource_json: Any, resources_map: ResourceMap) -> Any:
        cleaned = clean(resource_json, resources_map)
        if isinstance(cleaned, list):
            return [entry for entry in cleaned if entry is not None]
        return cleaned

    return clean_json


def _locked(lock: threading.RLock, function: Callable[..., bool]) -> Callable[..., bool]:
    def call(*arguments: Any) -> bool:
        with lock:
            return function(*arguments)

    return call


def _heard(hear: Callable[[CloudFormationResponse], Any]) -> Callable[..., Any]:
    """Let a custom resource's refusal end a stack's creation; moto waits on."""

    def process_cfn_response(self: CloudFormationResponse) -> Any:
        if self._get_param("Status") == "FAILED":
            stack = self.cloudformation_backend.get_stack(self._get_param("StackId"))
            stack.status = "CREATE_FAILED"
            stack._add_stack_event(stack.status, str(self._get_param("Reason")))
        return hear(self)

    return process_cfn_response


def _known(find: Callable[[str], Any]) -> Callable[[str], Any]:
    """Let no resource be left out: moto makes the rest of a stack without what it does not know."""

    def resource_class_from_type(resource_type: str) -> Any:
        found = find(resource_type)
        if found is None:
            raise ValidationError(message=f"the desk cannot make {resource_type}")
        return found

    return resource_class_from_type


def _differences(
    self: ResourceMap, other: Mapping[str, Any], parameters: Mapping[str, Any] | None = None
) -> dict[str, list[str]]:
    """Return what an update adds, changes and removes; what is only kept otherwise is the same."""
    old, new = self._resource_json_map, other["Resources"]
    known = self.resolved_parameters
    changed = {n for n, value in (parameters or {}).items() if str(known.get(n)) != str(value)}
    return {
        "Add": [name for name in new if name not in old],
        "Remove": [name for name in old if name not in new],
        "Modify": [
            name
            for name in new.keys() & old.keys()
            if _made_of(new[name]) != _made_of(old[name])
            or changed & {*parsing.get_references_from_template(new[name])}
        ],
    }


def _made_of(resource: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name != "DeletionPolicy"}


def _values(
    _backend: CloudFormationBackend, instance: Stack, incoming_params: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return an update's parameters; moto knows no previous value of one that was not given."""
    known = instance.resource_map.resolved_parameters
    return {
        one["ParameterKey"]: str(known[one["ParameterKey"]])
        if one.get("UsePreviousValue")
        else one.get("ParameterValue")
        for one in incoming_params
    }


def _delete_by(farewell: Farewell) -> Callable[[CloudFormationBackend, str], None]:
    def delete_stack(self: CloudFormationBackend, name_or_stack_id: str) -> None:
        found = [s for s in self.stacks.values() if name_or_stack_id in (s.name, s.stack_id)]
        for stack in found:  # deleting a stack that is not there does nothing, and is not an error
            stack._add_stack_event("DELETE_IN_PROGRESS", "User Initiated")
            stack.status = "DELETE_IN_PROGRESS"
            exports = {e.name for e in self.exports.values() if _of(stack, e)}
            reasons = _in_use(self, exports) or _delete_resources(stack, farewell)
            stack.status = "DELETE_FAILED" if reasons else "DELETE_COMPLETE"
            stack._add_stack_event(stack.status, "; ".join(reasons) or None)
            if not reasons:
                # whoever asks for an output would have moto make again what it is of
                stack.output_map._output_json_map = {}
                for name in exports:
                    del self.exports[name]
                self.deleted_stacks[stack.stack_id] = self.stacks.pop(stack.stack_id)

    return delete_stack


def _of(stack: Stack, export: parsing.Export) -> bool:
    return bool(export.exporting_stack_id == stack.stack_id)


def _in_use(backend: CloudFormationBackend, exports: Set[str]) -> list[str]:
    """Return why a stack stays with all that it has: others import what it exports."""
    return [
        f"Export {name} cannot be deleted as it is in use by {other.name}"
        for other in backend.stacks.values()
        for name in sorted(exports & _imported(other))
    ]


def _imported(stack: Stack) -> set[str]:
    found = imports(stack.template_dict)
    return {str(parsing.clean_json(name, stack.resource_map)) for name in found}


def _delete_resources(stack: Stack, farewell: Farewell) -> list[str]:
    """Delete all there is, and return why some of it stays: what it needs then stays too."""
    resources = stack.resource_map
    templates = resources._resource_json_map
    for name in deletion_order(templates):
        resource = resources._parsed_resources.get(name)
        policy = parsing.clean_json(templates[name].get("DeletionPolicy"), resources)
        if resource is None or policy in KEPT:
            continue
        try:
            reason = _delete(resources, name, resource, farewell, stack.stack_id)
        except Exception as error:
            reason = str(error)
        if reason:
            return [f"{name}: {reason}"]
        del resources._parsed_resources[name]
    return []


def _delete(
    resources: ResourceMap, name: str, resource: Any, farewell: Farewell, stack_id: str
) -> str:
    template = resources._resource_json_map[name]
    if template["Type"].startswith("Custom::"):
        properties = parsing.clean_json(template["Properties"], resources)
        return farewell(properties, name, stack_id)
    resources._delete_resource(resource, template)
    if isinstance(resource, FakeBucket) and resource.keys:
        return "The bucket you tried to delete is not empty"
    return ""
