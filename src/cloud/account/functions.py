"""A function of the stack, asked by a person."""

import json
from collections.abc import Mapping
from typing import Any

from sagetree.cloud.account.calls import Account
from sagetree.errors import UserError


def ask_function(account: Account, function: str, event: Mapping[str, object]) -> dict[str, Any]:
    """Say a function's call, make it, and return the answer, which is empty in a dry run.

    Raises UserError, with the function's own words, where it fails.
    """
    words = ["lambda", "invoke", "--function-name", function, "--payload", json.dumps(event)]
    account.type_out(*words, "--cli-binary-format", "raw-in-base64-out", "/dev/stdout")
    if account.dry_run:
        return {}
    given = account.ask_long(
        "lambda", "invoke", FunctionName=function, Payload=json.dumps(event).encode()
    )
    answer: dict[str, Any] = json.loads(given["Payload"].read())
    if "FunctionError" in given:
        raise UserError(
            str(answer.get("errorMessage")),
            where=function,
            hint=f"Its log: aws logs tail /aws/lambda/{function}",
        )
    return answer
