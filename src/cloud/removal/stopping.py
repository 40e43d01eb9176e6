"""Whatever of the stack is at work is stopped, and waited for until it has ended."""

import time
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

from botocore.exceptions import ClientError

from sagetree.cloud.deployment.errors import Busy

# A job that is stopped has two minutes to end.
POLL_SECONDS = 5

Work = TypeVar("Work", bound=Hashable)


def stop_all(
    running: Callable[[], Mapping[Work, bool]], stop: Callable[[Work], object], until: float
) -> int:
    """Stop what `running` says has not ended, and wait for its end; return how many there were.

    `running` says for each whether it is still at work, or is being stopped; `stop` asks for the
    end of one. Raises Busy where one has not ended by `until`, a time in seconds since 1970, and
    the service's error where it refuses to stop one that goes on.
    """
    left = running()
    count = len(left)
    refusals: dict[Work, ClientError] = {}
    for work in (work for work, is_at_work in left.items() if is_at_work):
        try:
            stop(work)
        except ClientError as error:  # it may have ended by itself meanwhile
            refusals[work] = error
    while left:
        left = running()
        for work, is_at_work in left.items():
            if is_at_work and work in refusals:
                raise refusals[work]
        if left and time.time() + POLL_SECONDS > until:
            raise Busy(f"{', '.join(sorted(map(str, left)))} is still being stopped")
        if left:
            time.sleep(POLL_SECONDS)
    return count
