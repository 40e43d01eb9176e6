"""`sagetree cloud erase`: remove what the stack keeps of one policy."""

import sys
from collections import Counter
from collections.abc import Sequence

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.stack import existing_stack, output_of
from sagetree.cloud.erasure.identifier import Identifier
from sagetree.cloud.erasure.objects import Bucket, Holding
from sagetree.cloud.erasure.places import FOLDERS
from sagetree.cloud.erasure.records import OnlineRecord, records_of, remove_record
from sagetree.cloud.erasure.search import Searched, search
from sagetree.cloud.scoring.outcomes import outcome_key
from sagetree.errors import SagetreeError, UserError, quote

# As many objects are named.
_NAMED = 20

REMAINS = """\
What this command cannot search:
  models that were trained on the policy's rows: train anew, and delete old packages
  reports of runs and mails of alerts, which show rows without their identifier
  claims in the queue and among the dead letters: run it again when they are scored
  requests and answers of an asynchronous endpoint: they go after 7 and 30 days
  records that were ingested in the last 15 minutes: run it again after that"""


def erase(account: Account, key: str, agreed: bool) -> int:
    """Remove a policy from tables, stores, captures, outcomes and files; return 1 for a rest."""
    if not key.strip():
        raise UserError("KEY is empty", hint="Name a policy by its identifier")
    name = output_of(account, "BucketName")
    if account.dry_run:
        _say_calls(account, name, key)
        return 0
    policy = Identifier(existing_stack(account).parameters["IdField"], key.strip())
    bucket = Bucket(account, name, policy)
    records = list(records_of(account, name, policy.key))
    for folder in FOLDERS:
        words = ("--bucket", name, "--prefix", f"{folder}/")
        account.type_out("s3api", "list-object-versions", *words)
    result = search(bucket, policy)
    _say_found(account, bucket, policy, result, records)
    left = list(result.unread)
    if records or result.found:
        if not agreed:
            _ask(account, policy)
        left += _removed(account, bucket, policy, result.found, records)
    for line in left:
        account.say(f"Not erased: {line}")
    account.say(REMAINS)
    return 1 if left else 0


def _say_found(
    account: Account,
    bucket: Bucket,
    policy: Identifier,
    result: Searched,
    records: Sequence[OnlineRecord],
) -> None:
    rows = Counter[str]()
    for version, filtered in result.found:
        state = "" if version.is_latest else ", an old version"
        rows[f"{bucket.uri(version.key)}{state}"] += max(1, len(filtered.found))
    account.say(f"Of {policy.field} {quote(policy.key)} there are:")
    for record in records:
        account.say(f"  a record in the online store {record.group}")
    for place, count in [*rows.items()][:_NAMED]:
        account.say(f"  {count} row{'s' if count > 1 else ''} in {place}")
    if len(rows) > _NAMED:
        account.say(f"  ... in {len(rows)} objects in all")
    if not (rows or records):
        account.say("  no records and no rows")


def _ask(account: Account, policy: Identifier) -> None:
    if not sys.stdin.isatty():
        raise UserError(
            f"this erases {quote(policy.key)} for good, and nobody is here to confirm it",
            hint="Confirm it with --yes",
        )
    account.say("This cannot be undone. To go on, type the identifier:")
    if sys.stdin.readline().strip() != policy.key:
        raise UserError("nothing was erased", hint="Type the identifier, or use --yes")


def _removed(
    account: Account, bucket: Bucket, policy: Identifier, found: Sequence[Holding],
    records: Sequence[OnlineRecord],
) -> list[str]:  # fmt: skip
    """Remove all that was found, the records first; return what could not be, and why."""
    left = []
    rows, gone, objects = 0, 0, set[str]()
    for record in records:
        try:
            remove_record(account, record, policy.key)
            gone += 1
        except SagetreeError as error:
            left.append(f"the record in {record.group}: {error}")
    for one in found:
        try:
            bucket.erase(one)
            rows += max(1, len(one.rows.found))
            objects.add(one.version.key)
        except SagetreeError as error:
            left.append(f"{bucket.uri(one.version.key)}: {error}")
    account.say(f"Erased: {gone} records, {rows} rows in {len(objects)} objects")
    return left


def _say_calls(account: Account, bucket: str, key: str) -> None:
    list(records_of(account, bucket, key))
    for folder in (*FOLDERS, outcome_key(key)):
        prefix = folder if folder.endswith(".jsonl") else f"{folder}/"
        words = ("--bucket", bucket, "--prefix", prefix)
        account.type_out("s3api", "list-object-versions", *words)
    remove_record(account, OnlineRecord("GROUP"), key)
    version = ("--bucket", bucket, "--key", "KEY", "--version-id", "VERSION")
    account.type_out("s3api", "get-object", *version, "old")
    new = ("--bucket", bucket, "--key", "KEY", "--if-match", "ETAG", "--body", "new")
    account.type_out("s3api", "put-object", *new)
    account.type_out("s3api", "delete-object", *version)
