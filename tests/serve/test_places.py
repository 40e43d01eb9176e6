"""Every error of a request says where: in its `where`, or by the columns it names."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2] / "src" / "serve"

ERRORS = {
    "DecodingError", "HeadTooLargeError", "HttpVersionError", "NotAcceptableError",
    "PayloadTooLargeError", "RequestError", "TargetTooLongError", "TransferCodingError",
    "UnsupportedMediaTypeError",
}  # fmt: skip


def placeless(source: str) -> list[int]:
    """Return the lines that make an error of a request without a place."""
    calls = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    return [
        call.lineno
        for call in calls
        if _needs_a_place(call) and "where" not in {word.arg for word in call.keywords}
    ]


def _needs_a_place(call: ast.Call) -> bool:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    # a violation of a column names it
    return name in ERRORS or (name == "Violation" and ast.unparse(call.args[0]) == "''")


def test_an_error_without_a_place_is_found():
    assert placeless('raise DecodingError("it is empty", hint="Send rows")') == [1]
    assert placeless('Violation("", "it is empty")') == [1]
    assert placeless('DecodingError("it is empty", where="the body", hint="Send rows")') == []


def test_every_error_of_a_request_has_a_place():
    paths = sorted(ROOT.rglob("*.py"))
    found = {path.name: placeless(path.read_text("utf-8")) for path in paths}
    assert {name: lines for name, lines in found.items() if lines} == {}
