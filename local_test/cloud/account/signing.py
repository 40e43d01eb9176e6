"""Requests to an API that only the account's own may call, signed as SDKs do it (SigV4)."""

from collections.abc import Mapping

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local_test.cloud.account.actors import KEYS, REGION


def sign(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a request to an API, signed with the account's keys."""
    request = AWSRequest(method=method, url=url, data=body, headers=dict(headers))
    _signer().add_auth(request)
    return dict(request.headers.items())


def signed(method: str, path: str, given: Mapping[str, str], body: bytes) -> bool:
    """Return whether a request is signed with the account's keys, and for what it asks."""
    claim = given.get("authorization", "")
    names = claim.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    if not claim.startswith("AWS4-HMAC-SHA256") or "host" not in names:
        return False
    headers = {name: given.get(name, "") for name in names}
    url = f"http://{given['host']}{path}"
    again = AWSRequest(method=method, url=url, data=body, headers=headers)
    again.context["timestamp"] = given.get("x-amz-date", "")
    signer = _signer()
    text = signer.string_to_sign(again, signer.canonical_request(again))
    return claim.endswith(f"Signature={signer.signature(text, again)}")


def _signer() -> SigV4Auth:
    keys = Credentials(KEYS["aws_access_key_id"], KEYS["aws_secret_access_key"])
    return SigV4Auth(keys, "execute-api", REGION)
