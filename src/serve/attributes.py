"""The one header SageMaker hands through in both directions.

    X-Amzn-SageMaker-Custom-Attributes: inference_output=score,reasons;trace=17

Parts are separated by semicolons. Those this server does not know are the
caller's own, and come back to it with the rest.
"""

import re
from collections.abc import Mapping

from sagetree.errors import RequestError
from serve.output_keys import parse_keys

HEADER = "X-Amzn-SageMaker-Custom-Attributes"
OUTPUT_ATTRIBUTE = "inference_output"

# SageMaker's limit, and what may stand in a response header.
_RETURNABLE = re.compile(r"[ -~]{1,1024}")


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


def choose_output(
    attributes: Mapping[str, str], default: tuple[str, ...], available: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the keys a request asks for, else `default`.

    Raises RequestError for a key that does not exist or that the model cannot give.
    """
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
