"""`sagetree cloud shift`, `shadow` and `rollback`: which packages get the requests."""

from collections.abc import Mapping

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.functions import ask_function
from sagetree.cloud.account.packages import chosen_version, version_variable
from sagetree.cloud.account.stack import existing_stack, output_of, parameter_of
from sagetree.errors import UserError, quote

SHIFT = """\
Compare two models on live requests: PERCENT of them go to the challenger, a package that
is named once by --package; 100 makes it the champion, 0 takes it away. One that is not
approved is noted, and comes into service when it is. Only an endpoint of instances serves
two models, and each is paid for; 100 works with every kind of endpoint.
"""

SHADOW = """\
Send copies of all requests to a package whose answers nobody gets; `off` ends it. They are
kept below captured/STACK/challenger/ in the bucket if CapturePercent is not 0. Only an
endpoint of instances has shadows, and the shadow's instances are paid for.
"""

ROLLBACK = """\
Go back to the approved package that was served before; again, once that is in service or
has failed, to the one before that. A deployment that is on its way or has failed is given
up for what is served. What was left is served again only after it has been approved anew,
or by `shift 100 --package`.
"""

OFF = "off"

# As many as a version has; Python reads no number of thousands.
_DIGITS = 9

# What has begun, by what the function answers.
_BEGUN = {
    "created": "the endpoint is being made",
    "updated": "it has begun",
    "unchanged": "nothing is to be changed",
    "waiting": "it is noted",
}


def shift(account: Account, percent: int, package: str | None) -> int:
    """Shift a percentage of the requests to a package, without one to the challenger."""
    named = {} if package is None else {"package": _arn(account, package)}
    return _change(account, {"shift": percent, **named})


def shadow(account: Account, package: str) -> int:
    """Send copies of all requests to a package, or to none: "off"."""
    return _change(account, {"shadow": OFF if package == OFF else _arn(account, package)})


def rollback(account: Account) -> int:
    """Serve what was served before the package that is wanted now."""
    return _change(account, {"rollback": parameter_of(account, "wanted-package")})


def percent_of(text: str) -> int:
    """Return a share in percent. Raises UserError for what is none."""
    if _is_number(text) and int(text) <= 100:
        return int(text)
    raise UserError(f"the share is {quote(text)}", hint="Name a whole number from 0 to 100")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS


def _change(account: Account, event: Mapping[str, object]) -> int:
    answer = ask_function(account, output_of(account, "DeployFunctionName"), event)
    if account.dry_run:
        return 0
    if answer["action"] == "refused":
        raise UserError(answer["reason"])
    said = _BEGUN.get(answer["action"], answer["action"])
    account.say(f"{said}: {answer['reason']}" if "reason" in answer else said)
    if "package" in answer:
        account.say(f"Back to {answer['package']}")
    account.say(f"To see it:  sagetree cloud status {account.options}")
    return 0


def _arn(account: Account, package: str) -> str:
    """Return the ARN of a package that is named by its version, or by its ARN."""
    if package.startswith("arn:"):
        return package
    if not _is_number(package):
        hint = "Name a model's version, or its ARN"
        raise UserError(f"the package is {quote(package)}", hint=hint)
    if account.dry_run:
        return version_variable(account, int(package))
    existing_stack(account)
    return chosen_version(account, int(package))
