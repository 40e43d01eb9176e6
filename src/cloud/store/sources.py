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
from typing import IO, Any
from urllib.parse import SplitResult, quote, urlsplit

from botocore.exceptions import ClientError

from sagetree.cloud.clients import Clients
from sagetree.errors import UserError

_SECONDS = 60

# Where a secret has several fields, the one with the token.
_FIELD = "token"

_TOKEN = re.compile(r"[!-~]+( [!-~]+)*")

# What a server's path and query may have; the rest, such as a space or an umlaut, is escaped.
_AS_IT_IS = "!$%&'()*+,/:;=?@~"

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
    if not bucket or not key:
        raise UserError(
            "it does not name an object", where=source, hint="Write it as s3://BUCKET/KEY, such as "
            "s3://my-bucket/tables/customers.csv",
        )  # fmt: skip
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
    _check_way(source)
    parts = _parts(source)
    escaped = {name: quote(getattr(parts, name), safe=_AS_IT_IS) for name in ("path", "query")}
    url = parts._replace(**escaped).geturl()
    request = urllib.request.Request(url)  # noqa: S310 - http or https, by `_check_way`
    if token:  # a server that sends elsewhere is not followed with it
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    path = folder / _file_name(parts.path)
    try:
        with (
            urllib.request.build_opener(_Redirects()).open(request, timeout=_SECONDS) as answer,
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
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        raise UserError(
            f"the server does not answer: {getattr(error, 'reason', error)}",
            where=source,
            hint="Check the address, and try again",
        ) from None
    if cut:
        raise UserError("the server's answer was cut off", where=source, hint="Try again")
    return path


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a server that sends elsewhere, unless everybody on that way could read the table."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        *told: Any,  # noqa: ANN401
    ) -> urllib.request.Request | None:
        """Return the request to the new address, which is the last line that is printed."""
        try:
            _check_way(told[-1])
        except UserError:
            fp.close()
            raise
        return super().redirect_request(req, fp, *told)


def _check_way(source: str) -> None:
    parts = _parts(source)
    if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in _HERE):
        raise UserError(
            "anybody on the way could read it", where=source, hint="Use an https:// address"
        )


def _parts(source: str) -> SplitResult:
    try:
        return urlsplit(source)
    except ValueError as error:
        raise UserError(
            f"it is not an address: {error}", where=source, hint="Check the address"
        ) from error


def server_of(source: str) -> str:
    """Return the server that a source is fetched from, "" for another source.

    >>> server_of("https://example.org:8443/customers.csv"), server_of("s3://bucket/customers.csv")
    ('example.org:8443', '')
    """
    return "" if source.startswith("s3://") or not is_remote(source) else _parts(source).netloc


def _file_name(path: str) -> str:
    """Return a name for the file of a remote path, as messages call it.

    >>> _file_name("exports/2026/customers.csv"), _file_name("/")
    ('customers.csv', 'source')
    """
    return re.sub(r"[^A-Za-z0-9._-]", "_", path.rpartition("/")[2]).lstrip(".") or "source"


def table_of(source: str) -> str:
    """Return what a source's table is called, if nobody names it.

    >>> table_of("https://example.org/customers.csv?day=1"), table_of("data/claims/")
    ('customers', 'claims')
    """
    path = _parts(source).path if is_remote(source) else str(Path(source).resolve())
    return path.rstrip("/").rpartition("/")[2].partition(".")[0]
