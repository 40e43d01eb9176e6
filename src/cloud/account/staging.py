"""A template in S3 for as long as CloudFormation reads it: by itself a call takes 51,200 bytes."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sagetree.cloud.account.calls import Account

_KEY = "template.yaml"


@contextmanager
def staged(account: Account, template: Path) -> Iterator[str]:
    """Put a template into a bucket of its own, yield its address, and remove both.

    CloudFormation keeps a copy, so nothing has to stay.
    """
    # a name that nobody can guess cannot have been taken before
    bucket, region = f"sagetree-launch-{uuid.uuid4().hex}", account.region()
    _make(account, bucket, region)
    try:
        account.type_out("s3", "cp", str(template), f"s3://{bucket}/{_KEY}")
        if not account.dry_run:
            account.ask("s3", "put_object", Bucket=bucket, Key=_KEY, Body=template.read_bytes())
        domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        yield f"https://{bucket}.s3.{region}.{domain}/{_KEY}"
    finally:
        account.type_out("s3", "rb", f"s3://{bucket}", "--force")
        if not account.dry_run:
            account.ask("s3", "delete_object", Bucket=bucket, Key=_KEY)
            account.ask("s3", "delete_bucket", Bucket=bucket)


def _make(account: Account, bucket: str, region: str) -> None:
    account.type_out("s3", "mb", f"s3://{bucket}")
    if not account.dry_run:
        # the first region is the only one that S3 does not want to be named
        elsewhere = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        account.ask(
            "s3", "create_bucket", Bucket=bucket, **(elsewhere if region != "us-east-1" else {})
        )
