"""Keys that a JSON object has twice: a reader keeps one of the values and says nothing."""

import json
from collections import Counter
from typing import Any

_NESTED = frozenset((dict, list))

# Records and tensors with their parameters lie less deep; a body may be nested a thousand times.
_DEEPEST = 8


def count_keys(value: Any, levels: int = _DEEPEST) -> int:  # noqa: ANN401 - whatever JSON can hold
    """Return how many keys the objects of `levels` have, that rows or tensors come in.

    Deeper ones, and those below records of single values, are not counted.

    >>> count_keys({"instances": [{"a": 1, "b": 2}, {"a": 3}]})
    4
    >>> count_keys({"inputs": [{"name": "x", "parameters": {"a": 1}, "data": [1, 2]}]})
    5
    """
    if not levels:
        return 0
    if type(value) is dict:
        if _NESTED.isdisjoint(map(type, value.values())):  # one record, the usual request
            return len(value)
        return len(value) + sum(count_keys(each, levels - 1) for each in value.values())
    if type(value) is list and value and type(value[0]) is dict:
        if _NESTED.isdisjoint(map(type, value[0].values())):
            return sum(len(record) for record in value if type(record) is dict)
        return sum(count_keys(each, levels - 1) for each in value)
    return 0


def repeated_key(text: bytes, keys: int) -> str | None:
    """Return a key that an object in a JSON text has twice, None where there is none.

    `keys` are those of its objects as they were read. The text is read once more, at a
    tenth of the speed, only if it seems to have another number of them.

    >>> repeated_key(b'[{"a": 1, "b": 2, "a": 3}]', 2)
    'a'
    """
    found = text.count(b'":')
    if found == keys or found + text.count(b'" :') == keys:
        return None
    repeated: list[str] = []

    def see(pairs: list[tuple[str, Any]]) -> None:  # what it returns stands for the object
        counts = Counter(name for name, _ in pairs)
        if len(counts) < len(pairs):
            repeated.append(counts.most_common(1)[0][0])

    try:
        json.loads(text, object_pairs_hook=see)
    except (RecursionError, ValueError):  # nested too deeply to be rows
        return None
    return repeated[0] if repeated else None
