"""`sagetree cloud drift`: check what was scored for drift, and say what was found."""

import json

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.functions import ask_function
from sagetree.cloud.account.jobs import wait_for_job
from sagetree.cloud.account.members import output_of_sibling
from sagetree.cloud.account.refusals import AbsentError
from sagetree.cloud.account.stack import is_asynchronous, output_of
from sagetree.errors import PlatformError, UserError


def drift(account: Account, days: int | None) -> int:
    """Start a job on what was captured lately and wait for it; return 1 if it found something."""
    if not account.dry_run and is_asynchronous(account):
        raise UserError(
            f"nothing is captured in the stack {account.stack}: its endpoint is asynchronous",
            hint="Only the other kinds of endpoint capture what they score",
        )
    function = output_of_sibling(account, "watch", "WatchFunctionName")
    bucket = output_of(account, "BucketName")
    event = {} if days is None else {"days": days}
    answer = ask_function(account, function, event)
    if account.dry_run:
        return 0
    if answer["action"] != "started":
        raise UserError(
            f"there is nothing to compare: {answer['reason']}",
            hint="Score claims first, or go further back with --days",
        )
    job = str(answer["job"])
    sampled = ", the first of each hour: there are more" if answer["sampled"] else ""
    account.say(f"{job} reads {answer['objects']} captures{sampled}")
    wait_for_job(account, "Processing", job)
    return _say(account, job, bucket)


def _say(account: Account, job: str, bucket: str) -> int:
    place = f"s3://{bucket}/runs/drift/{job}"
    key = f"runs/drift/{job}/constraint_violations.json"
    account.type_out("s3", "cp", f"{place}/constraint_violations.json", "-")
    try:
        body = account.ask("s3", "get_object", Bucket=bucket, Key=key)["Body"].read()
    except AbsentError as error:
        hint = "Read the job's log"
        raise PlatformError("the job has left no result", where=place, hint=hint) from error
    found = json.loads(body)["violations"]
    for violation in found:
        account.say(f"  {violation['feature_name']}: {violation['description']}")
    account.say(f"{len(found)} found" if found else "no drift found")
    account.say(f"The report:  aws s3 cp {place}/report.html .")
    return 1 if found else 0
