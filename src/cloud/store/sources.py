"""Where a table comes from: a file here, an object in S3, or a server that may want a token.

The token is a secret of Secrets Manager. It goes into one header of one request, to no other
server than the one that was named, and never into a message.
"""

import http.client
import json
import re
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from sagetree.cloud.clients import Clients
from sagetree.errors import UserError

_SECONDS = 60

# Where a secret has several fields, the one with the token.
_FIELD = "token"

_TOKEN = re.compile(r"[!-~]+( [!-~]+)*")

_HERE = ("127.0.0.1", "::1", "localhost")


def is_remote(source: str) -> bool:
    """Return whether a source is fetched, and no file here."""
    return source.startswith(("s3://", "https://", "http://"))


def fetch(clients: Clients, source: str, secret: str, folder: Path) -> Path:
    """Return the file of a source, which is fetched into the folder where it is remote.

    Raises UserError for a source that cannot be had.
    """
    if source.startswith("s3://"):
        return _from_s3(clients["s3"], source, folder)
    if is_remote(source):
        return _from_server(source, token_of(clients, secret) if secret else "", folder)
    return Path(source)


def token_of(clients: Clients, secret: str) -> str:
    """Return the token in a secret. Raises UserError where there is none in it."""
    try:
        text = clients["secretsmanager"].get_secret_value(SecretId=secret).get("SecretString", "")
    except ClientError as error:
        told = error.response["Error"]
        raise UserError(
            f"it cannot be read: {told['Code']}: {told.get('Message', '')}".rstrip(": "),
            where=f"the secret {secret}",
            hint="Name the secret that SourceSecretArn of the stack names, by its ARN",
        ) from error
    token = _token_in(text)
    if not _TOKEN.fullmatch(token):
        raise UserError(
            "there is no token in it that a header could hold",
            where=f"the secret {secret}",
            hint=f'Store the token itself, or {{"{_FIELD}": "..."}}',
        )
    return token


def _token_in(text: str) -> str:
    if not text.lstrip().startswith("{"):
        return text.strip()
    try:
        found = json.loads(text).get(_FIELD, "")
    except ValueError:
        return ""
    return found.strip() if isinstance(found, str) else ""


def _from_s3(s3: Any, source: str, folder: Path) -> Path:  # noqa: ANN401 - a client
    bucket, _, key = source.removeprefix("s3://").partition("/")
    path = folder / _file_name(key)
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"]
    except ClientError as error:
        told = error.response["Error"]
        raise UserError(
            f"it cannot be read: {told['Code']}: {told.get('Message', '')}".rstrip(": "),
            where=source,
            hint="Name one object that the role may read",
        ) from error
    with body, path.open("wb") as file:
        shutil.copyfileobj(body, file)
    return path


def _from_server(source: str, token: str, folder: Path) -> Path:
    parts = urlsplit(source)
    if parts.scheme == "http" and parts.hostname not in _HERE:
        raise UserError(
            "everybody on the way could read it", where=source, hint="Use an https:// address"
        )
    request = urllib.request.Request(source)  # noqa: S310 - http or https, by `is_remote`
    if token:  # a server that sends elsewhere is not followed with it
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    path = folder / _file_name(parts.path)
    try:
        with (
            urllib.request.urlopen(request, timeout=_SECONDS) as answer,  # noqa: S310
            path.open("wb") as file,
        ):
            promised = answer.length
            shutil.copyfileobj(answer, file)
            cut = promised not in (None, file.tell())
    except urllib.error.HTTPError as error:
        error.close()
        denied = error.code in (401, 403)
        raise UserError(
            f"the server answers {error.code}",
            where=source,
            hint="Name the secret with its token by --secret, or put the right one into it"
            if denied
            else "Check the address",
        ) from None  # its headers are the server's
    except (OSError, http.client.HTTPException) as error:
        raise UserError(
            f"the server does not answer: {getattr(error, 'reason', error)}",
            where=source,
            hint="Check the address, and try again",
        ) from None
    if cut:
        raise UserError("the server's answer was cut off", where=source, hint="Try again")
    return path


def _file_name(path: str) -> str:
    """Return a name for the file of a remote path, which is told in messages.

    >>> _file_name("exports/2026/customers.csv"), _file_name("/")
    ('customers.csv', 'source')
    """
    return re.sub(r"[^A-Za-z0-9._-]", "_", path.rpartition("/")[2]).lstrip(".") or "source"


def table_of(source: str) -> str:
    """Return what a source's table is called, if nobody names it.

    >>> table_of("https://example.org/customers.csv?day=1"), table_of("data/claims/")
    ('customers', 'claims')
    """
    path = urlsplit(source).path if is_remote(source) else str(Path(source).resolve())
    return path.rstrip("/").rpartition("/")[2].partition(".")[0]
