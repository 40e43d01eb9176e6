"""The one header SageMaker hands through in both directions.

    X-Amzn-SageMaker-Custom-Attributes: inference_output=score,contributions;top_k=5;trace=17
    X-Amzn-SageMaker-Custom-Attributes: inference_output=predicted_label;decision=recall>=0.8

Parts are separated by semicolons. Those this server does not know are the
caller's own, and come back to it with the rest.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from sagetree.errors import RequestError, quote
from sagetree.predictions.keys import EXPLAINING, Output, parse_keys

HEADER = "X-Amzn-SageMaker-Custom-Attributes"
HEADER_KEY = HEADER.lower()
OUTPUT_ATTRIBUTE = "inference_output"
TOP_ATTRIBUTE = "top_k"
DECISION_ATTRIBUTE = "decision"

# Headers whose meaning is remembered.
REMEMBERED = 256

# SageMaker's limit, and what may stand in a response header.
_RETURNABLE = re.compile(r"[ -~]{1,1024}")
_COUNT = re.compile(r"[1-9]\d{0,5}")


def returnable(text: str) -> bool:
    """Say whether the attributes can go back to the caller as they came."""
    return _RETURNABLE.fullmatch(text) is not None


def parse_attributes(text: str) -> Mapping[str, str]:
    """Return the parts of the header that are written `name=value`.

    Raises RequestError for what SageMaker would not let through.
    """
    if text and not returnable(text):
        hint = "Send at most 1024 visible ASCII characters"
        raise RequestError("the custom attributes cannot be returned", where=HEADER, hint=hint)
    parts = (part.partition("=") for part in text.split(";"))
    return {name.strip(): value.strip() for name, equals, value in parts if equals}


@lru_cache(REMEMBERED)
def choose_output(header: str, default: tuple[str, ...], available: tuple[str, ...]) -> Output:
    """Return what a request with this header (custom attributes) asks for, else `default`.

    Raises RequestError for a key that does not exist or that the model cannot give.
    """
    attributes = parse_attributes(header)
    return Output(_keys(attributes, default, available), _top(attributes))


@lru_cache(REMEMBERED)
def chosen_decision(header: str) -> str:
    """Return the score or the rule by which a request has its rows called, "" for none.

    Raises RequestError for a header that cannot be returned.
    """
    return parse_attributes(header).get(DECISION_ATTRIBUTE, "")


@lru_cache(REMEMBERED)
def may_explain(header: str, default: tuple[str, ...]) -> bool:
    """Say whether a request with this header, else `default`, may ask for contributions."""
    return any(key in header.lower() or key in default for key in EXPLAINING)


def _keys(
    attributes: Mapping[str, str], default: tuple[str, ...], available: tuple[str, ...]
) -> tuple[str, ...]:
    text = attributes.get(OUTPUT_ATTRIBUTE)
    if text is None:
        return default
    hint = f"This model gives {', '.join(available)}"
    where = f"{HEADER}, {OUTPUT_ATTRIBUTE}"
    try:
        keys = parse_keys(text)
    except ValueError as error:
        raise RequestError(str(error), where=where, hint=hint) from error
    for key in keys:
        if key not in available:
            raise RequestError(f"this model cannot give {key}", where=where, hint=hint)
    return keys


def _top(attributes: Mapping[str, str]) -> int | None:
    text = attributes.get(TOP_ATTRIBUTE)
    if text is None:
        return None
    if not _COUNT.fullmatch(text):
        raise RequestError(
            f"it is {quote(text)}",
            where=f"{HEADER}, {TOP_ATTRIBUTE}",
            hint="Write how many columns the contributions should name, such as top_k=5",
        )
    return int(text)
