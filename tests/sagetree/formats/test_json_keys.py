"""Keys that an object has twice are found, and nothing else is taken for one."""

import json
from typing import Any

import orjson
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


@pytest.mark.parametrize("depth", [10, 500, 1000])
def test_nested_bodies_are_counted_as_far_as_rows_are_nested(depth: int) -> None:
    text = b'{"a":' * depth + b"1" + b"}" * depth
    value = orjson.loads(text)
    assert count_keys(value) == 8
    assert repeated_key(text, count_keys(value)) is None


def test_a_tensor_with_parameters_is_not_read_once_more() -> None:
    tensor = {"name": "a", "parameters": {"content_type": "np"}, "data": [1, 2]}
    text = json.dumps({"inputs": [tensor, tensor], "parameters": {"b": 1}})
    assert count_keys(json.loads(text)) == text.count('":')
