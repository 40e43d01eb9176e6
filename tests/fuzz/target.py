"""What one fuzzer asks, of bytes that atheris makes: python -m tests.fuzz.target NAME [OPTIONS].

Options are libFuzzer's. A find is also an input that takes longer than its
-timeout.
"""

import sys

import atheris

with atheris.instrument_imports(include=["sagetree"]):
    from sagetree.formats import csv_text
    from tests.fuzz.decoding import BULK_BYTES, INPUTS
    from tests.fuzz.models import plain_model

if __name__ == "__main__":
    csv_text.BULK_BYTES = BULK_BYTES
    program, name, *options = sys.argv
    atheris.Setup([program, *options], {**INPUTS, "model": plain_model}[name])
    atheris.Fuzz()
