"""Users' pandas code in a flow: the few forms that are known, which are never run as code."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

# In a pattern NAME_... stands for any name, ANY_... for any expression, 'COLUMN' for any text.
_LOWER = """
NAME_columns = df.dtypes[df.dtypes == object].index
df[NAME_columns] = df[NAME_columns].apply(lambda NAME_x: NAME_x.str.lower())
"""
_REPLACE = """
NAME_values = ANY_values
df['COLUMN'] = df['COLUMN'].replace(NAME_values)
"""
_NOW = """
import pandas as pd
df['COLUMN'] = pd.to_datetime('now').timestamp()
"""

Value = str | int | float


@dataclass(frozen=True)
class LowerTexts:
    """All columns of text in small letters."""


@dataclass(frozen=True)
class SetNow:
    """A column that holds the time of the run."""

    column: str


@dataclass(frozen=True)
class ReplaceTexts:
    """Texts of a column for which others, or numbers, are put."""

    column: str
    values: Mapping[str, Value]


PandasCode = LowerTexts | SetNow | ReplaceTexts


def read_code(code: str) -> PandasCode | None:
    """Return what code does; None if it is none of the forms that are known."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if _fits(_LOWER, tree) is not None:
        return LowerTexts()
    if (found := _fits(_NOW, tree)) is not None:
        return SetNow(str(found["COLUMN"]))
    if (found := _fits(_REPLACE, tree)) is not None:
        values = _texts_and_values(found["ANY_values"])
        return ReplaceTexts(str(found["COLUMN"]), values) if values else None
    return None


def _texts_and_values(node: object) -> Mapping[str, Value]:
    """Return a literal dict from texts to texts or to numbers; an empty one for anything else."""
    try:
        values = ast.literal_eval(node) if isinstance(node, ast.Dict) else {}
    except (ValueError, TypeError):  # names in it, or keys that no dict can have
        return {}
    kinds = {type(value) for value in values.values()}
    known = kinds in ({str}, {int}, {float}, {int, float})
    return values if known and all(isinstance(key, str) for key in values) else {}


def _fits(pattern: str, tree: ast.AST) -> Mapping[str, object] | None:
    found: dict[str, object] = {}
    return found if _same(ast.parse(pattern), tree, found) else None


def _same(pattern: object, part: object, found: dict[str, object]) -> bool:
    """Say whether a part of code is as in the pattern; put its variables into `found`."""
    if isinstance(pattern, ast.Name) and pattern.id.startswith("ANY_"):
        return found.setdefault(pattern.id, part) is part
    if isinstance(pattern, str) and (pattern.startswith("NAME_") or pattern == "COLUMN"):
        return isinstance(part, str) and found.setdefault(pattern, part) == part
    if isinstance(pattern, list):
        return (
            isinstance(part, list)
            and len(part) == len(pattern)
            and all(_same(p, n, found) for p, n in zip(pattern, part, strict=True))
        )
    if isinstance(pattern, ast.AST):
        return type(pattern) is type(part) and all(
            _same(getattr(pattern, field), getattr(part, field), found) for field in pattern._fields
        )
    return pattern == part
