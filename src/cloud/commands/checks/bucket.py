"""The bucket: encrypted, closed to the public, by TLS only."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sagetree.cloud.account.calls import Account, Answer
from sagetree.cloud.account.refusals import AbsentError
from sagetree.cloud.commands.checks.finding import Finding, Launched


def check_bucket(account: Account, launched: Launched) -> Iterator[Finding]:
    """Compare each bucket of the stack."""
    for name in launched.of_type("AWS::S3::Bucket"):
        yield _encryption(account, name, launched.stack.parameters.get("KmsKeyArn", ""))
        yield _public_access(account, name)
        yield _transport(account, name)


def _encryption(account: Account, name: str, key: str) -> Finding:
    answer = _asked(account, "get_bucket_encryption", name)
    rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    defaults = [rule.get("ApplyServerSideEncryptionByDefault", {}) for rule in rules]
    wanted = f"the key {key}" if key else "a key that AWS manages"
    return Finding(
        f"the bucket {name} is encrypted with {wanted}",
        any(entry.get("KMSMasterKeyID") == key if key else entry for entry in defaults),
        "set its default encryption again (S3, Properties)",
    )


def _public_access(account: Account, name: str) -> Finding:
    answer = _asked(account, "get_public_access_block", name)
    blocked = answer.get("PublicAccessBlockConfiguration", {})
    open_ways = [way for way in _WAYS if not blocked.get(way)]
    return Finding(
        f"the bucket {name} blocks public access",
        not open_ways,
        f"turn on {', '.join(open_ways)} (S3, Permissions)",
    )


_WAYS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def _transport(account: Account, name: str) -> Finding:
    policy = json.loads(_asked(account, "get_bucket_policy", name).get("Policy", "{}"))
    return Finding(
        f"the bucket {name} is reached by TLS only",
        any(_denies_plain(entry, name) for entry in policy.get("Statement", [])),
        "put the template's policy back: deny s3:* where aws:SecureTransport is false",
    )


def _denies_plain(statement: Mapping[str, Any], name: str) -> bool:
    """Say whether a statement denies everybody everything in the bucket without TLS."""
    condition = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
    resources = " ".join(_list(statement.get("Resource")))
    return (
        statement.get("Effect") == "Deny"
        and statement.get("Principal") in ("*", {"AWS": "*"})
        and str(condition).lower() == "false"
        and bool({"s3:*", "*"} & set(_list(statement.get("Action"))))
        and f":::{name}/*" in resources
    )


def _list(value: object) -> Sequence[str]:
    return value if isinstance(value, list) else [str(value)]


def _asked(account: Account, operation: str, name: str) -> Answer:
    """Return what S3 says about a bucket, nothing where nothing is set."""
    try:
        return account.call("s3", operation, Bucket=name)
    except AbsentError:
        return {}
