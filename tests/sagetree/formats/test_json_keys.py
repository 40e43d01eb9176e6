"""Keys that an object has twice are found, and nothing else is taken for one."""

import json
from typing import Any

import pytest

from sagetree.formats.json_keys import count_keys, repeated_key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"a": 1, "a": 2}', "a"),
        ('{"a":1,"b":2,"a":1}', "a"),
        ('[{"b": 1}, {"a" : 1, "a" : 2}]', "a"),
        ('{"a"\\n:1, "a"\\t:2}'.replace("\\n", "\n").replace("\\t", "\t"), "a"),
        ('{"instances": [{"a": 1, "b": "\\":", "b": 2}]}', "b"),
        ('{"inputs": {"a": [1], "a": [2]}}', "a"),
        ('{"a": NaN, "a": 2}', "a"),
        ('{"a": 1, "A": 2}', None),
        ('[{"a": 1}, {"a": 2}]', None),
        ('{"a": "\\"b\\":", "b": "x\\":"}', None),
        ('{"inputs": [{"name": "a", "data": [1], "parameters": {"name": 1}}]}', None),
        ('{"columns": ["a"], "data": [["\\":"]]}', None),
        ("[[1, 2]]", None),
        ("[" * 5000 + "]" * 5000, None),
        ('"a"', None),
    ],
)
def test_a_key_that_is_there_twice(text: str, key: str | None) -> None:
    shallow = text.startswith("[[[")
    value: Any = None if shallow else json.loads(text)
    assert repeated_key(text.encode(), count_keys(value)) == key


def test_deep_nesting_is_not_searched() -> None:
    """Such bodies are refused for their shape."""
    text = b'{"a":' * 5000 + b"1" + b"}" * 5000
    assert repeated_key(text, 1) is None
