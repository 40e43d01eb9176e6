"""The answer to CloudFormation, which waits for it: an hour, if it never comes."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.request import Request, urlopen

# CloudFormation takes 4096 bytes in all, and the stack's ARN and the rest need some hundred of
# them.
REASON_BYTES = 2000

ANSWER_SECONDS = 15


def answered(
    event: Mapping[str, Any], resource: str, data: Mapping[str, int], fault: str
) -> dict[str, object]:
    """Send the answer, a failure where there is a `fault`, and return it.

    An event without an address is a person's, who is given the answer: `sagetree cloud delete`.
    """
    body: dict[str, object] = {
        "Status": "FAILED" if fault else "SUCCESS",
        "Reason": _cut(fault) or "done",
        "PhysicalResourceId": event.get("PhysicalResourceId", resource),
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": {name: str(count) for name, count in data.items()},
    }
    if "ResponseURL" not in event:
        return body
    # the address is one of S3's that CloudFormation has signed, without a content type
    request = Request(  # noqa: S310 - the address is CloudFormation's
        event["ResponseURL"], json.dumps(body).encode(), {"Content-Type": ""}, method="PUT"
    )
    with urlopen(request, timeout=ANSWER_SECONDS):  # noqa: S310
        return body


def _cut(text: str) -> str:
    """Return as much of a text as CloudFormation takes; in JSON, a character may be twelve."""
    while len(json.dumps(text)) > REASON_BYTES:
        text = text[: len(text) * 9 // 10]
    return text
