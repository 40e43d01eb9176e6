"""Columns that only name rows: the index that pandas writes along, and keys by their names."""

import re
from collections.abc import Collection, Mapping, Sequence

import orjson

# What pandas calls a column without a name, such as an index that was written along.
_INDEX_NAME = re.compile(r"Unnamed: \d+|__index_level_\d+__")

_KEY_NAME = re.compile(r"(?i)(.*_)?(id|key|uuid|guid)")


def is_index_name(name: str) -> bool:
    """Say whether a column is an index by its name.

    >>> [is_index_name(name) for name in ("Unnamed: 0", "__index_level_0__", "index")]
    [True, True, False]
    """
    return _INDEX_NAME.fullmatch(name) is not None


def is_key_name(name: str) -> bool:
    """Say whether a column is called as keys are: id, policy_id, UUID."""
    return _KEY_NAME.fullmatch(name) is not None


def index_columns(metadata: Mapping[bytes, bytes] | None) -> tuple[str, ...]:
    """Return the columns that pandas says are a frame's index, by an Arrow schema's metadata."""
    try:
        pandas = orjson.loads((metadata or {}).get(b"pandas", b"{}"))
    except orjson.JSONDecodeError:
        return ()
    names = pandas.get("index_columns") if isinstance(pandas, dict) else None
    # An index of consecutive numbers is described by an object, and has no column.
    return tuple(n for n in names if isinstance(n, str)) if isinstance(names, list) else ()


def first_column(names: Sequence[str], index: Collection[str] = ()) -> str:
    """Return the first column that is not an index, neither by its name nor one of `index`.

    Where there is none, it is the first of all.
    """
    others = (name for name in names if name not in index and not is_index_name(name))
    return next(others, names[0])
