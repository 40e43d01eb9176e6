"""What botocore leaves to the service: enums, patterns, lengths and ranges, from its own models.

`hold(client.meta.events)` holds a client's requests to them; `hold(session.events)` those of
every client that a boto3 session makes from then on. A request that the service would refuse
is an `InvalidRequest` before it is sent, with all its faults.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial

from botocore.hooks import BaseEventHooks
from botocore.model import OperationModel, Shape

# Java's classes of characters that the models' patterns use.
_CLASSES = {
    "L": "A-Za-z\u00aa-\u02af\u0370-\u1fff\u3040-\ud7ff",
    "M": "\u0300-\u036f",
    "N": "0-9",
    "Z": " \u00a0\u2000-\u200a",
    "Zs": " \u00a0\u2000-\u200a",
    "S": "$+<=>\\^`|~\u00a2-\u00a9",
    "P": "!-#%-*,-/:;?@\\[-\\]_{}\u00a1\u2010-\u2027",
    "Alnum": "A-Za-z0-9",
    "Print": "\\x20-\\x7e",
    "ASCII": "\\x00-\\x7f",
}
_CLASS = re.compile(r"\\p\{(\w+)\}")

# What else they say in another way than Python: beyond 16 bits, the end, a hyphen after \w, from
# where on case does not count, and a slip of the service's (how often, after the end).
_WORDS = {
    r"\uD800\uDC00-\uDBFF\uDFFF": "\U00010000-\U0010ffff",
    r"\z": r"\Z",
    r"[\w-": r"[\w\-",
    "(?i).*<script>.*</script>.*": "(?i:.*<script>.*</script>.*)",
    "${1,": "{1,",
}


class InvalidRequest(Exception):  # noqa: N818 - it says what the request is
    """A request that fits the shape of its operation, but none of the service's values."""


def hold(events: BaseEventHooks) -> None:
    """Check every request of the client or session whose `events` these are."""
    events.register("before-parameter-build", _check)


def faults(shape: Shape, value: object, where: str) -> Iterator[str]:
    """Yield what is wrong with a request's `value`, each with its place."""
    match shape.type_name, value:
        case "structure", Mapping():
            for name, member in value.items():
                if name in shape.members:  # an unknown one is botocore's own error
                    yield from faults(shape.members[name], member, f"{where}.{name}")
        case "list", Sequence():
            yield from _out_of_range(shape, len(value), "entries", where)
            for number, entry in enumerate(value):
                yield from faults(shape.member, entry, f"{where}[{number}]")
        case "map", Mapping():
            yield from _out_of_range(shape, len(value), "entries", where)
            for key, entry in value.items():
                yield from faults(shape.key, key, f"{where}: key")
                yield from faults(shape.value, entry, f"{where}.{key}")
        case "string", str():
            yield from _text_faults(shape, value, where)
        case "integer" | "long" | "float" | "double", int() | float():
            yield from _out_of_range(shape, value, "", where)


def _check(params: Mapping[str, object], model: OperationModel, **_: object) -> None:
    if model.input_shape is None:
        return
    found = list(faults(model.input_shape, params, model.name))
    if found:
        raise InvalidRequest("; ".join(found))


def _text_faults(shape: Shape, text: str, where: str) -> Iterator[str]:
    known = shape.metadata.get("enum")
    if known and text not in known:
        yield f"{where}: {text!r} is not one of {', '.join(known[:8])}"
    yield from _out_of_range(shape, len(text), "characters", where)
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(text):
        yield f"{where}: {text!r} does not match {pattern}"


def _out_of_range(shape: Shape, amount: float, unit: str, where: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if (least is not None and amount < least) or (most is not None and amount > most):
        what = f"{amount} {unit}".rstrip()
        yield f"{where}: {what}, allowed are {least} to {most}"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    for theirs, ours in _WORDS.items():
        pattern = pattern.replace(theirs, ours)
    return re.compile(_CLASS.sub(partial(_class, pattern), pattern))


def _class(pattern: str, found: re.Match[str]) -> str:
    characters = _CLASSES[found[1]]
    before = pattern[: found.start()]
    inside = before.rfind("[") > before.rfind("]")
    return characters if inside else f"[{characters}]"
