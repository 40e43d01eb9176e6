"""The payloads for the small model of numbers: one for each type that holds nothing else."""

import re
from pathlib import Path

import pytest

from sagetree.serve.bodies.decoders import DECODERS
from tests.serve.artifacts import client_for

DESK = Path(__file__).parents[2] / "local_test"

# The endings and types of predict.sh.
TYPES = dict(re.findall(r"\*(\.\w+)\) type=(\S+) ;;", (DESK / "predict.sh").read_text())) | {
    ".csv": "text/csv"
}


def test_every_content_type_has_a_payload() -> None:
    kinds = {TYPES[path.suffix] for path in (DESK / "payloads").glob("*.*") if path.suffix in TYPES}
    assert kinds == set(DECODERS)


@pytest.mark.parametrize(
    "path", sorted((DESK / "payloads").glob("numbers.*")), ids=lambda p: p.name
)
def test_the_answer_is_the_expected_one(path: Path) -> None:
    if path.suffix == ".expected":
        assert path.with_suffix("").exists()
        return
    client = client_for(DESK / "numbers_dir" / "model")
    answer = client.post("/invocations", data=path.read_bytes(), content_type=TYPES[path.suffix])
    assert answer.data == Path(f"{path}.expected").read_bytes()
