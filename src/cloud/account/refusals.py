"""What AWS refuses, as one sentence with what to do about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sagetree.errors import PlatformError, SagetreeError, UserError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_LOGIN = "Log in again with 'aws sso login', or set new keys with 'aws configure'"
_CONFIGURE = "Run 'aws configure', or name a profile with --profile"

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_UNKNOWN = frozenset(
    {
        "AuthFailure",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"})
_QUOTA = frozenset(
    {
        "LimitExceeded",
        "LimitExceededException",
        "ResourceLimitExceeded",
        "ServiceQuotaExceededException",
    }
)
_TOO_FAST = frozenset({"Throttling", "ThrottlingException", "TooManyRequestsException", "SlowDown"})


class AbsentError(UserError):
    """What was asked for is not in the account."""


class UnchangedError(UserError):
    """A stack is already what it was to become."""


@contextmanager
def refusals(service: str, operation: str) -> Iterator[None]:
    """Raise what AWS refuses in here as a UserError, and what keeps it from answering.

    `operation` is the API's name, such as CreateStack.
    """
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        raise _refused(error, f"{service}:{operation}") from error
    except (Boto3Error, BotoCoreError) as error:
        raise _unasked(error) from error
    except (ResponseParserError, KeyError) as error:  # what the parser makes of a web page
        hint = "Check the proxy on the way, and AWS_ENDPOINT_URL"
        raise PlatformError(f"what answers {service}:{operation} is not AWS", hint=hint) from error


def _refused(error: "ClientError", what: str) -> UserError:
    code = str(error.response["Error"].get("Code", ""))
    message = str(error.response["Error"].get("Message", "")).strip().rstrip(".") or code
    if code in _EXPIRED:
        return UserError("the credentials for AWS have expired", hint=_LOGIN)
    if code in _UNKNOWN:
        return UserError(f"AWS does not accept the credentials ({code})", hint=_CONFIGURE)
    if code in _DENIED:
        hint = f"Ask whoever administers the account to allow {what}"
        return UserError(f"AWS denies {what}: {message}", hint=hint)
    if code in _QUOTA:
        hint = "Ask for more in the console, under Service Quotas, or delete what is not used"
        return UserError(f"a quota of the account is reached: {message}", hint=hint)
    if code in _TOO_FAST:
        return UserError(f"AWS received too many calls of {what}", hint="Try again in a minute")
    if message == "No updates are to be performed":
        return UnchangedError(f"{what} changes nothing: {message}", hint="Name what to change")
    if _says_absent(code, message):
        return AbsentError(f"{what} finds nothing: {message}", hint="Check --stack and --region")
    return UserError(f"AWS refuses {what}: {message}", hint="Change what it names, and try again")


def _says_absent(code: str, message: str) -> bool:
    if code in ("ValidationError", "ValidationException"):  # what has no code of its own
        return any(words in message for words in ("does not exist", "Could not find"))
    return "NotFound" in code or code.startswith("NoSuch") or code == "404"


def _unasked(error: Exception) -> SagetreeError:
    """Return why AWS was not even asked, or did not answer."""
    name = type(error).__name__
    if name == "NoRegionError":
        return UserError("no region is set", hint="Use --region, or run 'aws configure'")
    if name == "ProfileNotFound":
        return UserError(
            str(error), hint="'aws configure list-profiles' lists the existing profiles"
        )
    if "SSO" in name or name == "TokenRetrievalError":
        return UserError("the login to AWS has expired", hint=_LOGIN)
    if "Credentials" in name or name == "CredentialRetrievalError":
        return UserError(f"there are no credentials for AWS ({name})", hint=_CONFIGURE)
    if "Connect" in name or "Timeout" in name:
        return PlatformError(f"AWS does not answer: {error}", hint="Check the network and --region")
    return UserError(f"AWS cannot be called: {error}", hint="Correct that, and try again")
