"""Columns that pandas writes for a frame's index: they number rows and say nothing of them."""

import re
from collections.abc import Collection, Sequence

# What pandas calls a column without a name, such as an index that was written along.
_INDEX_NAME = re.compile(r"Unnamed: \d+|__index_level_\d+__")


def is_index_name(name: str) -> bool:
    """Say whether a column is an index by its name.

    >>> [is_index_name(name) for name in ("Unnamed: 0", "__index_level_0__", "index")]
    [True, True, False]
    """
    return _INDEX_NAME.fullmatch(name) is not None


def first_column(names: Sequence[str], index: Collection[str] = ()) -> str:
    """Return the first column that is no index, neither by its name nor one of `index`.

    Where there is none, it is the first of all.
    """
    others = (name for name in names if name not in index and not is_index_name(name))
    return next(others, names[0])
