"""The kinds as moto wants them: classes that CloudFormation makes, changes and deletes by."""

import json
from collections.abc import Callable
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.model import Shape
from moto.core.common_models import CloudFormationModel

from local_test.cloud.account.kinds import Answer, Kind, Properties

# The desk's client of a service, by the service's name.
Clients = Callable[[str], Any]


class UnknownProperty(Exception):  # noqa: N818 - it says what there is
    """A property that the type's operation does not know, or an attribute that the desk lacks."""


def model(kind: Kind, clients: Clients) -> type[CloudFormationModel]:
    """Return the class that makes and deletes resources of a kind."""

    class Model(CloudFormationModel):
        def __init__(self, properties: Properties, answer: Answer) -> None:
            self.properties = properties
            self.answer = answer
            self.physical_resource_id = kind.ref(properties, answer)

        @staticmethod
        def cloudformation_name_type() -> str:
            return kind.name

        @staticmethod
        def cloudformation_type() -> str:
            return kind.type

        @classmethod
        def has_cfn_attr(cls, attr: str) -> bool:
            return attr in kind.attributes

        @classmethod
        def create_from_cloudformation_json(
            cls, resource_name: str, cloudformation_json: Any, *_: Any, **__: Any
        ) -> "Model":
            properties = dict(cloudformation_json.get("Properties", {}))
            if kind.name:
                properties.setdefault(kind.name, resource_name)
            if not kind.create:
                return cls(properties, {})
            answer = _call(clients, kind, kind.create, kind.request(properties))
            for operation, request in kind.then.items():
                _call(clients, kind, operation, request(properties))
            return cls(properties, answer)

        def get_cfn_attribute(self, attribute_name: str) -> Any:
            if attribute_name not in kind.attributes:
                raise UnknownProperty(f"{kind.type}: the desk knows no attribute {attribute_name}")
            return kind.attributes[attribute_name](self.properties, self.answer)

        def delete(self, *_: Any) -> None:
            if kind.delete:
                named = {
                    name: read(self.properties, self.answer)
                    for name, read in kind.deleted_by.items()
                }
                getattr(clients(kind.service), xform_name(kind.delete))(**named)

    return Model


def _call(clients: Clients, kind: Kind, operation: str, request: Properties) -> Answer:
    service = botocore.session.get_session().get_service_model(kind.service)
    shape = service.operation_model(operation).input_shape
    # Tags are lists for some services and maps for others, and nothing here depends on them.
    request = {name: value for name, value in request.items() if name != "Tags"}
    unknown = request.keys() - shape.members.keys()
    if unknown:
        raise UnknownProperty(f"{kind.type}: {operation} knows no {', '.join(sorted(unknown))}")
    call = getattr(clients(kind.service), xform_name(operation))
    answer: Answer = call(**_as(shape, request))
    return answer


def _as(shape: Shape, value: Any) -> Any:
    """Return a property as its parameter: CloudFormation has numbers as text too."""
    match shape.type_name:
        case "structure":
            return {
                name: _as(shape.members[name], member)
                for name, member in value.items()
                if name in shape.members
            }
        case "list":
            return [_as(shape.member, entry) for entry in value]
        case "map":
            return {key: _as(shape.value, entry) for key, entry in value.items()}
        case "integer" | "long":
            return int(value)
        case "float" | "double":
            return float(value)
        case "boolean":
            return value if isinstance(value, bool) else str(value).lower() == "true"
        case _:
            return json.dumps(value) if isinstance(value, dict | list) else str(value)
