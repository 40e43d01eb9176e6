"""Feature groups: SageMaker's operations on them. moto has two, and simplifies both.

A group is Creating until the desk has done what was asked for before, and its table then stands in
Glue under the names that were given. Deleting one leaves its files and that table.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.sagemaker.responses import SageMakerResponse

from local_test.cloud.account.actors import ACCOUNT, REGION, SERVICE, Actors
from local_test.cloud.account.backstage import Backstage
from local_test.cloud.account.replacing import replaced

# A description tells as many features on a page.
_PAGE = 20

_GLUE_TYPES = {"Integral": "bigint", "Fractional": "double", "String": "string"}

Operation = Callable[[SageMakerResponse], ActionResult]


@dataclass
class Group:
    """A group as it was asked for, and its records: the latest of each online, all of them kept."""

    request: Mapping[str, Any]
    created: Any = field(default_factory=utcnow)
    status: str = "Creating"
    online: dict[str, dict[str, str]] = field(default_factory=dict)
    kept: list[dict[str, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.request["FeatureGroupName"])

    @property
    def types(self) -> Mapping[str, str]:
        """The types of its features, by name."""
        definitions = self.request["FeatureDefinitions"]
        return {feature["FeatureName"]: feature["FeatureType"] for feature in definitions}

    @property
    def uri(self) -> str:
        """Where its files go."""
        base = self.request["OfflineStoreConfig"]["S3StorageConfig"]["S3Uri"].rstrip("/")
        epoch = int(self.created.timestamp())
        return f"{base}/{ACCOUNT}/sagemaker/{REGION}/offline-store/{self.name}-{epoch}/data"

    def described(self) -> dict[str, Any]:
        """Return it as the service describes it."""
        offline = self.request["OfflineStoreConfig"]
        storage = {**offline["S3StorageConfig"], "ResolvedOutputS3Uri": self.uri}
        return {
            **self.request,
            "FeatureGroupArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:feature-group/{self.name}",
            "CreationTime": self.created,
            "FeatureGroupStatus": self.status,
            "OfflineStoreConfig": {**offline, "S3StorageConfig": storage},
        }


class Absent(JsonRESTError):  # noqa: N818 - it says what it is
    """SageMaker's answer for a group that does not exist."""

    code = 400

    def __init__(self, name: str) -> None:
        super().__init__("ResourceNotFound", f"Resource Not Found: FeatureGroup {name}.")


@dataclass
class Groups:
    """The account's feature groups, by name."""

    actors: Actors
    backstage: Backstage
    made: dict[str, Group] = field(default_factory=dict)

    @contextmanager
    def operations(self) -> Iterator[None]:
        """Have moto's SageMaker answer by these."""
        with replaced(
            SageMakerResponse,
            create_feature_group=lambda asked: self._create(json.loads(asked.body)),
            describe_feature_group=lambda asked: self._describe(json.loads(asked.body)),
            list_feature_groups=lambda asked: self._list(json.loads(asked.body)),
            delete_feature_group=lambda asked: self._delete(json.loads(asked.body)),
        ):
            yield

    def _create(self, request: Mapping[str, Any]) -> ActionResult:
        name = request["FeatureGroupName"]
        if name in self.made:
            raise JsonRESTError("ResourceInUse", f"Resource Already Exists: FeatureGroup {name}")
        group = self.made[name] = Group(request)
        self.backstage.later(lambda: self._finish(group))
        return ActionResult({"FeatureGroupArn": group.described()["FeatureGroupArn"]})

    def _finish(self, group: Group) -> None:
        """Make the group's table in Glue, and let records in."""
        catalog = group.request["OfflineStoreConfig"]["DataCatalogConfig"]
        columns = [{"Name": n.lower(), "Type": _GLUE_TYPES[k]} for n, k in group.types.items()]
        self.actors.client(SERVICE, "glue").create_table(
            DatabaseName=catalog["Database"],
            TableInput={
                "Name": catalog["TableName"],
                "StorageDescriptor": {"Columns": columns, "Location": group.uri},
            },
        )
        group.status = "Created"

    def _describe(self, request: Mapping[str, Any]) -> ActionResult:
        given = self._found(request).described()
        begin = int(request.get("NextToken") or 0)
        features = given["FeatureDefinitions"]
        token = str(begin + _PAGE) if begin + _PAGE < len(features) else ""
        given["FeatureDefinitions"] = features[begin : begin + _PAGE]
        return ActionResult({**given, "NextToken": token})

    def _list(self, request: Mapping[str, Any]) -> ActionResult:
        part = request.get("NameContains", "")
        summaries = [
            {key: given[key] for key in ("FeatureGroupName", "FeatureGroupArn", "CreationTime")}
            for given in (group.described() for group in self.made.values())
            if part in given["FeatureGroupName"]
        ]
        return ActionResult({"FeatureGroupSummaries": summaries})

    def _delete(self, request: Mapping[str, Any]) -> ActionResult:
        group = self._found(request)
        group.status = "Deleting"
        self.backstage.later(lambda: self.made.pop(group.name, None))
        return EmptyResult()

    def _found(self, request: Mapping[str, Any]) -> Group:
        name = request["FeatureGroupName"]
        if name not in self.made:
            raise Absent(name)
        return self.made[name]
