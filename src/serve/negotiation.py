"""What the headers ask for, settled before any work is done.

Clients send the same headers again and again: what they mean is remembered. Those
that are a plain name are known by it; werkzeug, which reads the others, takes a
fifth of a server's start to import and comes with the first of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from sagetree.errors import NotAcceptableError, UnsupportedMediaTypeError, quote
from sagetree.formats.media_types import (
    ACCEPTS,
    CSV,
    JSON,
    LABEL_SIZE,
    OTHER_NAMES,
    PARQUET,
    label_size,
)
from sagetree.serve.bodies.decoders import DECODERS
from sagetree.serve.bodies.hints import Decoder

# Headers remembered; a longer one than usual clients send is not worth its memory.
REMEMBERED = 256


@dataclass(frozen=True)
class BodyFormat:
    """How a body is to be read: its decoder and the content type's parameters."""

    decode: Decoder
    parameters: Mapping[str, str]


@lru_cache(REMEMBERED)
def choose_accept(header: str, default: str) -> str:
    """Return the type of the answer; `default` where the client (header Accept) leaves the choice.

    Parameters such as charset do not matter: there is one form of each type.
    Raises NotAcceptableError where no type fits.
    """
    if header in ("", "*/*"):
        return default
    if header in ACCEPTS:
        return header
    from werkzeug.datastructures import MIMEAccept
    from werkzeug.http import parse_accept_header

    accept = parse_accept_header(header, MIMEAccept)
    plain = MIMEAccept([(item.split(";")[0].strip(), quality) for item, quality in accept])
    offered = [default, *(name for name in ACCEPTS if name != default)]
    chosen = plain.best_match(offered)
    if chosen is None:
        raise NotAcceptableError(
            f"the answer cannot be {quote(header)}",
            where="Accept",
            hint=f"Accept one of {', '.join(ACCEPTS)}",
        )
    return chosen


@lru_cache(REMEMBERED)
def default_accept(content_type: str, *, batch: bool) -> str:
    """Return the type of the answer to a client that leaves the choice, by the request's own.

    CSV is SageMaker's; JSON, in which SageMaker's container takes no request, is answered
    in JSON. In a batch transform job each record is a line, whatever it came as.
    """
    return JSON if not batch and _parsed(content_type)[0] == JSON else CSV


@lru_cache(REMEMBERED)
def is_packed(content_type: str) -> bool:
    """Say whether a few bytes of this type can be many rows: its reading may take long."""
    return _parsed(content_type)[0] == PARQUET


def _parsed(content_type: str) -> tuple[str, Mapping[str, str]]:
    """Return the content type by its usual name, and its parameters."""
    name = content_type.strip().lower()
    parameters: Mapping[str, str] = {}
    if ";" in name:
        from werkzeug.http import parse_options_header

        name, parameters = parse_options_header(content_type)
        name = name.lower()
    return OTHER_NAMES.get(name, name), parameters


@lru_cache(REMEMBERED)
def choose_decoder(content_type: str, encoding: str) -> BodyFormat:
    """Return how to read a body with these headers (Content-Type, Content-Encoding).

    Raises UnsupportedMediaTypeError for a type that is absent or not known.
    """
    refuse_packed(encoding)
    name, parameters = _parsed(content_type)
    decoder = DECODERS.get(name)
    if decoder is None:
        problem = f"{quote(content_type)} is not supported" if name else "the header is missing"
        raise UnsupportedMediaTypeError(
            problem, where="Content-Type", hint=f"Send one of {', '.join(DECODERS)}"
        )
    if name == CSV:
        _check_label_size(content_type)
    return BodyFormat(decoder, MappingProxyType(parameters))


def _check_label_size(content_type: str) -> None:
    """Raise UnsupportedMediaTypeError for another label_size than that of training's files."""
    size = label_size(content_type)  # as it is written: werkzeug reads 1=1 as 1
    if size != LABEL_SIZE:
        raise UnsupportedMediaTypeError(
            f"the parameter label_size is {quote(size)}",
            where="Content-Type",
            hint=(
                "Write label_size=1, as for training's files, or leave it out; rows of a request "
                "have no label in either case"
            ),
        )


def refuse_packed(encoding: str) -> None:
    """Raise UnsupportedMediaTypeError for a body that is compressed (header Content-Encoding)."""
    if encoding.lower() not in ("", "identity"):
        raise UnsupportedMediaTypeError(
            f"the body is compressed as {quote(encoding)}",
            where="Content-Encoding",
            hint="Send the body uncompressed",
        )
