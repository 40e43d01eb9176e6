"""What the fuzzers have come to, decoded again: seeds, finds, and inputs that reach new code."""

import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagetree.formats import csv_text
from tests.fuzz.decoding import BULK_BYTES, INPUTS

CORPUS = Path(__file__).parent / "corpus"

# libFuzzer's own -timeout for one input, which a busy machine must not meet by chance.
SECONDS = 5.0


def inputs(name: str) -> Iterator[tuple[str, bytes]]:
    """Each input with its name."""
    for path in sorted((CORPUS / name).iterdir()):
        yield path.name, path.read_bytes()
    with tarfile.open(CORPUS / f"{name}.tar.gz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is not None:
                yield member.name, file.read()


@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", INPUTS)
def test_every_input_is_read_or_the_clients_fault(
    name: str, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the suite each fifth of them."""
    monkeypatch.setattr(csv_text, "BULK_BYTES", BULK_BYTES)
    found = list(inputs(name))
    assert len(found) > 40
    for named, data in found[::step]:
        begin = time.process_time()
        INPUTS[name](data)
        assert time.process_time() - begin < SECONDS, named
