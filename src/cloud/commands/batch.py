"""`sagetree cloud batch`: score files by a batch transform job of the deployed model."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sagetree.cloud.account.batch_files import AT_ONCE, MEGABYTE, PART_MB, content_type, parts
from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.jobs import wait_for_job
from sagetree.cloud.account.refusals import AbsentError, refusals
from sagetree.cloud.account.stack import existing_stack, output_of, parameter_of
from sagetree.cloud.columns import InputColumns
from sagetree.cloud.names import NONE, Versions, job_name, name_of
from sagetree.errors import UserError

# The longest that a request may take: a part of a file on a small instance.
_REQUEST_SECONDS = 3600

_MOST_BYTES = 100 * MEGABYTE

# What the job adds to a file's name, and what that of a part's scores ends in.
_SUFFIX = ".out"
_PART = re.compile(r"\.\d{5}\.out$")


def batch(account: Account, source: str, target: str, instance_type: str) -> int:
    """Score the files at `source` into `target`: each a folder here, or an address in S3."""
    _check(source, target)
    bucket, role = (output_of(account, name) for name in ("BucketName", "ModelRoleArn"))
    job = job_name(account.stack, "batch", datetime.now(UTC))
    place = f"s3://{bucket}/batch/{job}"
    for given in filter(_is_s3, (source, target)):
        _check_place(given, f"s3://{bucket}/batch/")
    if _is_s3(source):
        inputs, kind, size = source, *_there(account, source)
    else:
        inputs, kind, size = f"{place}/input/", *_sent(account, Path(source), bucket, job)
    output = target.rstrip("/") if _is_s3(target) else f"{place}/output"
    account.call(
        "sagemaker",
        "create_transform_job",
        TransformJobName=job,
        ModelName=_model(account, role),
        MaxConcurrentTransforms=AT_ONCE if size <= PART_MB else 1,
        MaxPayloadInMB=size,
        ModelClientConfig={"InvocationsTimeoutInSeconds": _REQUEST_SECONDS},
        BatchStrategy="SingleRecord",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": inputs}},
            "ContentType": kind,
            "SplitType": "None",
        },
        TransformOutput={"S3OutputPath": output, "Accept": "text/csv", "AssembleWith": "None"},
        TransformResources={"InstanceType": instance_type, "InstanceCount": 1, **_key(account)},
    )
    account.type_out(
        "sagemaker", "wait", "transform-job-completed-or-stopped", "--transform-job-name", job
    )
    if not account.dry_run:
        wait_for_job(account, "Transform", job)
    if _is_s3(target):
        account.say(f"The scores are below {output}/, a file for each, a line for each row")
    else:
        _fetch(account, output, Path(target))
    return 0


def _check(source: str, target: str) -> None:
    if not _is_s3(target) and Path(target).is_file():
        raise UserError("it is a file", where=target, hint="Name a folder for the scores")
    if not _is_s3(source) and not _files(Path(source)):
        reason = "the folder is empty" if Path(source).is_dir() else "the file does not exist"
        raise UserError(reason, where=source, hint="Name a file, a folder, or an address in S3")


def _check_place(given: str, place: str) -> None:
    """Raise UserError for an address that the job's role may not use."""
    if not given.startswith(place) and "$" not in place:
        raise UserError(
            "the stack's jobs may not read or write there",
            where=given,
            hint=f"Name an address below {place}; 'aws s3 cp' copies to and from it",
        )


def _is_s3(place: str) -> bool:
    return place.startswith("s3://")


def _split(place: str) -> tuple[str, str]:
    """Return the bucket and the key in an address, in which ? and # are characters like others."""
    bucket, _, key = place.removeprefix("s3://").partition("/")
    return bucket, key


def _files(path: Path) -> list[Path]:
    """Return a file, or all files below a folder."""
    return [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())


def _there(account: Account, source: str) -> tuple[str, int]:
    """Return the media type of the files below an address, and the MB of the largest."""
    bucket, prefix = _split(source)
    found = account.listed("s3", "list_objects_v2", "Contents", Bucket=bucket, Prefix=prefix)
    if account.dry_run:
        return "text/csv", PART_MB
    files = [entry for entry in found if entry["Size"]]
    if not files:
        raise UserError("no file is there", where=source, hint="Name a file, or what is above some")
    for entry in files:
        if entry["Size"] > _MOST_BYTES:
            raise UserError(
                f"it has {entry['Size']} bytes, and one request may have at most {_MOST_BYTES}",
                where=f"s3://{bucket}/{entry['Key']}",
                hint="Copy it here, and name the copy: it is then sent in parts",
            )
    largest = max(entry["Size"] for entry in files)
    kind = _one_kind([f"s3://{bucket}/{entry['Key']}" for entry in files])
    return kind, max(PART_MB, -(-largest // MEGABYTE))


def _sent(account: Account, source: Path, bucket: str, job: str) -> tuple[str, int]:
    """Send files in parts; return their media type, and the MB that a part may have."""
    files = _files(source)
    kind = _one_kind([str(file) for file in files])
    key = f"batch/{job}/input"
    account.type_out("s3", "cp", "--recursive", str(source), f"s3://{bucket}/{key}/")
    if account.dry_run:
        return kind, PART_MB
    needed = frozenset(n.name for n in _columns(account).notes if n.required)
    root = source if source.is_dir() else source.parent
    for file in files:
        name = file.relative_to(root).as_posix()
        is_cut = file.stat().st_size > PART_MB * MEGABYTE
        for number, body in enumerate(parts(file, needed), 1):
            numbered = f"{name}.{number:05}" if is_cut else name
            account.ask("s3", "put_object", Bucket=bucket, Key=f"{key}/{numbered}", Body=body)
    return kind, PART_MB


def _one_kind(paths: Sequence[str]) -> str:
    kinds = {content_type(path): path for path in paths}
    if len(kinds) > 1:
        first, second, *_ = kinds.values()
        raise UserError(
            f"{first} and {second} are of different kinds", hint="Score files of one kind at a time"
        )
    return next(iter(kinds))


def _columns(account: Account) -> InputColumns:
    columns = InputColumns.of_text(parameter_of(account, "columns"))
    if columns is None:
        hint = f"Run 'sagetree cloud approve {account.options}'"
        raise UserError("no model has been deployed yet", hint=hint)
    return columns


def _model(account: Account, role: str) -> str:
    """Return the name of the deployed package's model for jobs, made where there is none yet."""
    package = parameter_of(account, "deployed-package")
    if package == NONE:
        hint = f"Run 'sagetree cloud approve {account.options}'"
        raise UserError("no model has been deployed yet", hint=hint)
    found = re.search(r"/(\d+)$", package)
    name = name_of(account.stack, Versions(int(found[1]) if found else 0), {"batch": package})
    if not account.dry_run:
        try:
            account.ask("sagemaker", "describe_model", ModelName=name)
        except AbsentError:
            pass
        else:
            return name
    account.call(
        "sagemaker",
        "create_model",
        ModelName=name,
        ExecutionRoleArn=role,
        Containers=[{"ModelPackageName": package}],
        EnableNetworkIsolation=True,
        **_network(account),
    )
    return name


def _key(account: Account) -> dict[str, str]:
    """Return the stack's key for the volume; what is stored in the bucket gets it there."""
    key = _parameters(account).get("KmsKeyArn")
    return {"VolumeKmsKeyId": key} if key else {}


def _parameters(account: Account) -> Mapping[str, str]:
    return {} if account.dry_run else existing_stack(account).parameters


def _network(account: Account) -> dict[str, Any]:
    given = _parameters(account)
    names = {"Subnets": "SubnetIds", "SecurityGroupIds": "SecurityGroupIds"}
    lists = {key: given[name].split(",") for key, name in names.items() if given.get(name)}
    return {"VpcConfig": lists} if lists else {}


def _fetch(account: Account, output: str, folder: Path) -> None:
    """Fetch the scores: one file for each that was sent, in which those of its parts follow."""
    account.type_out("s3", "cp", "--recursive", f"{output}/", str(folder))
    if account.dry_run:
        return
    bucket, prefix = _split(output)
    found = account.pages("s3", "list_objects_v2", "Contents", Bucket=bucket, Prefix=f"{prefix}/")
    written: set[Path] = set()
    for key in sorted(entry["Key"] for entry in found):
        file = folder / _PART.sub(_SUFFIX, key.removeprefix(f"{prefix}/"))
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab" if file in written else "wb") as target, refusals("s3", "GetObject"):
            account.client("s3").download_fileobj(bucket, key, target)
        written.add(file)
    files = "1 file" if len(written) == 1 else f"{len(written)} files"
    account.say(f"The scores of {files} are in {folder}, a line for each row")
