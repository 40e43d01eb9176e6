"""A name is defined once in a module: the second definition would replace the first unseen.

Mypy sees it in src alone; ruff lets it pass where the first one is used above the second.
"""

import ast
import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("bench", "cloud", "container", "docs", "local_test", "make", "tests")


def twice(text: str) -> list[str]:
    """Return the functions and classes of a module that are defined again."""
    if not repeated(re.findall(r"^(?:async )?(?:def|class) (\w+)", text, re.MULTILINE)):
        return []  # to parse every file would take seconds
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return repeated([node.name for node in ast.parse(text).body if isinstance(node, kinds)])


def repeated(names: list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def test_a_module_defines_a_name_once() -> None:
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    found = {str(path.relative_to(ROOT)): twice(path.read_text()) for path in files}
    assert len(found) > 500
    assert {path: names for path, names in found.items() if names} == {}


def test_the_rule_finds_a_second_definition() -> None:
    assert twice(
        "def f(a): ...\n\n\nf(1)\n\n\ndef f(a, b): ...\n\n\nclass A:\n    def f(): ...\n"
    ) == ["f"]
