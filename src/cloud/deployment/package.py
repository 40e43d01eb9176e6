"""A model package of the registry, and the columns of the model in it."""

import re
import tarfile
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Self

from botocore.exceptions import ClientError

from sagetree.cloud.clients import Clients
from sagetree.cloud.columns import InputColumns
from sagetree.cloud.deployment.errors import Busy, Refused
from sagetree.cloud.names import Settings
from sagetree.errors import quote

SCHEMA_FILE = "sagetree/schema.json"

# The schema of a table with thousands of columns and categories takes a few.
MAX_SCHEMA_BYTES = 64 * 2**20

UNFINISHED = ("Pending", "InProgress")

POLL_SECONDS = 1

# Whoever may not list a bucket does not learn that an object is gone, but that he may not have it.
_NOT_GIVEN = ("NoSuchKey", "NoSuchBucket", "AccessDenied")

_ARN = re.compile(
    r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\d{12}:model-package/([a-zA-Z0-9-]{1,63})/(\d{1,9})"
)


def version_of(arn: str) -> int:
    """Return the version that a package's ARN names."""
    return int(arn.rpartition("/")[2])


@dataclass(frozen=True)
class Package:
    """One version in the stack's group; `changed` is when it was approved, or made."""

    arn: str
    version: int
    approval: str
    status: str
    changed: datetime
    created: datetime
    containers: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, clients: Clients, settings: Settings, arn: str) -> Self:
        """Return the package of an ARN. Raises Refused for any of another group."""
        found = _ARN.fullmatch(arn)
        if not found:
            raise Refused(f"{quote(arn)} is not an ARN of a model package's version")
        # SageMaker writes names in ARNs in lower case
        if found[1].lower() != settings.stack.lower():
            raise _foreign(settings, arn)
        try:
            told = clients["sagemaker"].describe_model_package(ModelPackageName=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationException":
                raise
            raise Refused(error.response["Error"]["Message"], where=arn) from error
        if told.get("ModelPackageGroupName") != settings.stack:
            raise _foreign(settings, arn)
        return cls(
            arn=arn,
            version=version_of(arn),
            approval=told.get("ModelApprovalStatus", "not judged"),
            status=told["ModelPackageStatus"],
            changed=told.get("LastModifiedTime", told["CreationTime"]),
            created=told["CreationTime"],
            containers=told.get("InferenceSpecification", {}).get("Containers", ()),
        )

    @classmethod
    def found(cls, clients: Clients, settings: Settings, arn: str) -> Self | None:
        """Return the package as `of` does, None where it has been deleted."""
        try:
            return cls.of(clients, settings, arn)
        except Refused:
            return None

    @classmethod
    def finished(cls, clients: Clients, settings: Settings, arn: str, deadline: float) -> Self:
        """Return the package as `of` does, once SageMaker has finished making it.

        The pipeline asks a moment after it has registered it. Raises Busy at the deadline.
        """
        package = cls.of(clients, settings, arn)
        while package.status in UNFINISHED:
            if time.time() + POLL_SECONDS >= deadline:
                raise Busy(f"{arn} is still {package.status}")
            time.sleep(POLL_SECONDS)
            package = cls.of(clients, settings, arn)
        return package

    def check(self) -> None:
        """Raise Refused for a package that must not be served."""
        if not self.is_approved:
            hint = "Approve it with sagetree cloud approve, or in SageMaker Studio"
            raise Refused(f"its status is {self.approval}, not Approved", where=self.arn, hint=hint)
        self.check_whole()

    def check_whole(self) -> None:
        """Raise Refused for a package that could not be served if it were approved."""
        if self.status != "Completed" or len(self.containers) != 1:
            hint = "Run the pipeline, which registers another"
            state = f"its status is {self.status}, with {len(self.containers)} containers"
            raise Refused(state, where=self.arn, hint=hint)

    @property
    def is_approved(self) -> bool:
        """Whether a person, or the pipeline, has approved it."""
        return self.approval == "Approved"

    @property
    def model_data(self) -> str:
        """The address of the model's archive in S3."""
        container = self.containers[0]
        source = container.get("ModelDataSource", {}).get("S3DataSource", {})
        return str(container.get("ModelDataUrl") or source.get("S3Uri", ""))

    def columns(self, clients: Clients) -> str:
        """Return the model's columns as the parameter's text. Raises Refused if there are none."""
        columns = self.input_columns(clients)
        try:
            return columns.to_text()
        except ValueError as error:
            raise Refused(str(error), where=self.model_data) from error

    def input_columns(self, clients: Clients) -> InputColumns:
        """Return the columns that the model is sent. Raises Refused if there are none."""
        schema = self._schema(clients)
        try:
            return InputColumns.of_schema(schema)
        except ValueError as error:  # which would show the model's own values
            hint = "Train it again with the image of this stack"
            raise Refused(
                f"its {SCHEMA_FILE} cannot be read", where=self.model_data, hint=hint
            ) from error

    def _schema(self, clients: Clients) -> bytes:
        bucket, _, key = self.model_data.removeprefix("s3://").partition("/")
        if not key:
            raise Refused("it does not name a model in S3", where=self.arn)
        try:
            body = clients["s3"].get_object(Bucket=bucket, Key=key)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NOT_GIVEN:
                raise
            hint = "The function reads the stack's bucket below models/; run the pipeline again"
            reason = "S3 does not return its model: it is gone or lies elsewhere"
            raise Refused(reason, where=self.model_data, hint=hint) from error
        try:
            schema = next(_schemas(body), None)
        except (tarfile.TarError, zlib.error, EOFError) as error:
            raise Refused(f"it is not a model.tar.gz: {error}", where=self.model_data) from error
        if schema is None:
            hint = "The score function asks by column names; train with target=NAME"
            raise Refused(f"{SCHEMA_FILE} is missing from it", where=self.model_data, hint=hint)
        return schema


def _schemas(body: IO[bytes]) -> Iterator[bytes]:
    # as it comes from S3, only up to the schema
    with _opened(body) as archive:
        for member in archive:
            if member.name.removeprefix("./") == SCHEMA_FILE and member.isfile():
                file = archive.extractfile(member)
                if file is not None:
                    yield file.read(MAX_SCHEMA_BYTES)


def _opened(body: IO[bytes]) -> tarfile.TarFile:
    try:
        return tarfile.open(fileobj=body, mode="r|gz")
    except TypeError as error:  # a header that is cut off, and read byte by byte
        raise EOFError("unexpected end of data") from error


def _foreign(settings: Settings, arn: str) -> Refused:
    hint = f"This stack serves only packages of the group {settings.stack}"
    return Refused("it is of another group", where=arn, hint=hint)
