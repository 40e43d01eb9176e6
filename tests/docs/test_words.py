"""docs/words.md's patterns: no text of ours, in code or documentation, has them."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# A pattern -> what to write instead.
PATTERNS = {
    r"\bso many\b(?! (\w+ )?(that|it)\b)": "this many, or the number",
    r"\bso much of\b": "this much of",
    r"\brows left out\b": "held-out rows",
    r"\blooked (at|for)\b": "read, checked, detected or searched for",
    r"(?<![`'])\btold\b(?! (apart|from)\b)(?!')": "set, given, sent, reported or shown",
    r"\bof which\b": "a full clause",
    r"\bsa(y|ys|id) of\b": "say about",
    r"\bhence\b": "so",
    r"\bbe it\b": "even, or whether",
    r"\bfor want of\b": "because ... ran out",
    r"\botherwise than\b": "differently from",
    r"(?<![tT]here )\bis no (?!(longer|more|such)\b)": "is not a",
    r"\bthere is no (such )?((label|group|key|event) )?(column|stack|file|folder|path)\b": (
        "is missing, or does not exist"
    ),
}

# Files in which a pattern may stand are few; only these are parsed.
ANY = re.compile("|".join(f"(?:{pattern})" for pattern in PATTERNS))

FOLDERS = ("src", "container", "local_test", "tests")


def texts_of_code(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the comments and the strings of a module, each with its line."""
    source = path.read_text("utf-8")
    if not ANY.search(" ".join(source.replace('"', " ").replace("#", " ").split())):
        return
    comments = ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            comments += f" {token.string.lstrip('# ')}"
        elif token.type not in (tokenize.NL, tokenize.NEWLINE):
            if comments:
                yield token.start[0], comments
            comments = ""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = " ".join(node.value.split())
            if " " in text and "import " not in text:  # names and programs are no texts
                yield node.lineno, text


def faults(line: int, text: str) -> list[str]:
    return [
        f"line {line}: {found.group()!r}, write {instead}"
        for pattern, instead in PATTERNS.items()
        for found in re.finditer(pattern, text)
    ]


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_text_of_the_code_has_a_pattern(folder: str):
    found = [
        f"{path.relative_to(ROOT)} {fault}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path != Path(__file__) and not {p for p in path.parents if p.is_symlink()}
        for line, text in texts_of_code(path)
        for fault in faults(line, text)
    ]
    assert found == []
