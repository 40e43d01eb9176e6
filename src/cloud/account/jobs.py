"""Jobs of SageMaker that a command has started: waiting for their end."""

from typing import Literal

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.stack import PAUSE_SECONDS
from sagetree.errors import PlatformError

_DONE = ("Completed", "Failed", "Stopped")


def wait_for_job(account: Account, kind: Literal["Processing", "Transform"], job: str) -> None:
    """Wait until a job is completed, and say its status when that changes.

    Raises PlatformError, with the job's own reason, for one that failed or was stopped.
    """
    named = {f"{kind}JobName": job}
    said = ""
    while True:
        found = account.ask("sagemaker", f"describe_{kind.lower()}_job", **named)
        status = found[f"{kind}JobStatus"]
        if status in _DONE:
            break
        if status != said:
            account.say(f"{job} is {status}")
        said = status
        account.pause(PAUSE_SECONDS)
    if status != "Completed":
        reason = found.get("FailureReason") or "no reason is given"
        log = f"aws logs tail /aws/sagemaker/{kind}Jobs --log-stream-name-prefix {job}"
        raise PlatformError(f"it is {status}: {reason}", where=job, hint=f"Its log: {log}")
