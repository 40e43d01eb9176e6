"""Fuzzing of the Open Inference Protocol's tensors; see tests/fuzz/target.py."""

import sys

import atheris

from tests.fuzz.target import SCHEMA

with atheris.instrument_imports(include=["serve"]):
    from sagetree.errors import RequestError, SchemaError
    from serve.json_body import parse_json
    from serve.kserve import table_of_tensors


def one_input(data: bytes) -> None:
    """A body's inputs become a table or the client's fault."""
    try:
        asked = parse_json(data)
        table_of_tensors(asked.get("inputs") if isinstance(asked, dict) else asked, SCHEMA)
    except (RequestError, SchemaError):
        pass


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
