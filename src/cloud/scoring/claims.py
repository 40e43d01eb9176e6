"""Events of the API to claims: what was asked, by whom it is called, and which rows may leave."""

import base64
import binascii
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from sagetree.errors import DecodingError, UnsupportedMediaTypeError, quote

MOST_CLAIMS = 100

REQUEST_ID = "X-Request-Id"

# What SageMaker takes as InferenceId, and what cannot forge a log line.
_ID = re.compile(r"[!-~]{1,64}")

_JSON = re.compile(r"application/(?:[\w.+-]+\+)?json", re.IGNORECASE)

_HALF = re.compile("[\ud800-\udfff]")

Claim = Mapping[str, object]


@dataclass(frozen=True)
class ApiRequest:
    """A request as API Gateway hands it on (payload format 2.0); headers in lower case."""

    route: str
    request_id: str
    headers: Mapping[str, str]
    body: bytes | None

    @classmethod
    def of_event(cls, event: Mapping[str, object]) -> "ApiRequest":
        """Return the request of an event; a body that cannot be decoded is None."""
        context = _mapping(event.get("requestContext"))
        http = _mapping(context.get("http"))
        route = str(event.get("routeKey", "$default"))
        if route == "$default":  # a function's own address has no routes
            route = f"{http.get('method', '')} {event.get('rawPath', '')}"
        # the gateway writes names in lower case, other callers as they like
        headers = {k.lower(): str(v) for k, v in _mapping(event.get("headers")).items()}
        return cls(route, _request_id(headers, context), headers, _body(event))

    def claims(self) -> tuple[Claim, ...]:
        """Return the claims in the body. Raises RequestError for a body that holds none."""
        return self.listed("claim")

    def listed(self, noun: str) -> tuple[Claim, ...]:
        """Return the claims in the body, or what else `noun` names. Raises as `claims`."""
        content_type = self.headers.get("content-type", "")
        if content_type and not _JSON.fullmatch(content_type.partition(";")[0].strip()):
            hint = "Send JSON, with the header Content-Type: application/json"
            raise UnsupportedMediaTypeError(
                f"it is {quote(content_type)}", where="Content-Type", hint=hint
            )
        if self.body is None:
            raise _unreadable("it is marked as base64 and is not base64", noun)
        try:
            content = json.loads(self.body, parse_constant=_constant, parse_float=_float)
        except (ValueError, RecursionError) as error:
            raise _unreadable(f"it is not JSON ({error})", noun) from error
        return _listed(content, noun)


@dataclass(frozen=True)
class Rows:
    """What of the claims a model gets, and which other fields they had."""

    rows: Sequence[Claim]
    unused_fields: tuple[str, ...]

    @classmethod
    def of(cls, claims: Sequence[Claim], columns: AbstractSet[str], id_field: str) -> "Rows":
        """Keep the fields that are among `columns`; `id_field` is known to be none of them."""
        rows = [{k: v for k, v in claim.items() if k in columns} for claim in claims]
        others = {name: None for claim in claims for name in claim if name not in columns}
        others.pop(id_field, None)
        return cls(rows, tuple(others))

    def to_json(self) -> bytes:
        """Return the rows as the body of a request to the model."""
        return json.dumps(self.rows).encode()


def has_half_a_character(text: str) -> bool:
    """Return whether a text has what JSON can name by itself, and no file of text can hold."""
    return _HALF.search(text) is not None


def _constant(text: str) -> object:
    """Refuse NaN and Infinity, which Python reads, and which would stand in the answer's JSON."""
    raise ValueError(f"{text} is not a JSON value")


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{quote(text)} is too large a number")
    return value


def _listed(content: object, noun: str) -> tuple[Claim, ...]:
    entries, plural = content, f"{noun}s"
    if isinstance(content, Mapping):
        entries = content.get(plural, [content])
    if not isinstance(entries, list):
        raise _unreadable(
            f'its "{plural}" are not a list'
            if isinstance(content, Mapping)
            else f"it is neither {_a(noun)} nor a list of {plural}",
            noun,
        )
    if not entries:
        raise _unreadable(f"it holds no {noun}", noun)
    if len(entries) > MOST_CLAIMS:
        others = ", or score them by a batch transform job" if noun == "claim" else ""
        raise DecodingError(
            f"it holds {len(entries)} {plural}, and one request may hold at most {MOST_CLAIMS}",
            where="the body",
            hint=f"Send them in several requests{others}",
        )
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, Mapping) or not entry:
            reason = f"{noun} {number} is not an object with a value for each column"
            raise _unreadable(reason, noun)
    return tuple(entries)


def _a(noun: str) -> str:
    return f"an {noun}" if noun.startswith("o") else f"a {noun}"


def _unreadable(reason: str, noun: str) -> DecodingError:
    form = f'Send one {noun} as {{"column": value, ...}}, or up to 100 as {{"{noun}s": [...]}}'
    return DecodingError(reason, where="the body", hint=form)


def _body(event: Mapping[str, object]) -> bytes | None:
    text = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(text).encode(errors="surrogatepass")
    try:
        return base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        return None


def _request_id(headers: Mapping[str, str], context: Mapping[str, object]) -> str:
    for given in (headers.get(REQUEST_ID.lower()), context.get("requestId")):
        if isinstance(given, str) and _ID.fullmatch(given):
            return given
    return os.urandom(16).hex()


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
