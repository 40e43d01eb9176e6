"""What the fuzzer asks of the trial of a model: a reason, or a model.

A find is an answer without either, or an error that nobody foresaw. An input
says which model is changed and how: the library's own code tells the fuzzer
nothing, so that whole models would shrink to nothing.
"""

import tempfile
from functools import cache
from pathlib import Path

from sagetree.serve.models.trials import Trials
from tests.sagetree.damaged import KINDS, model

SPACE = 2**28
MODELS = tuple((kind, form) for kind in KINDS for form in ("ubj", "json"))

# This many bytes of an input say one change: where, and what byte stands there then.
CHANGE, MOST_CHANGES = 4, 8


def plain_model(data: bytes) -> None:
    """Try a model of XGBoost's own; the first byte chooses it, the others change it."""
    if not data:
        return
    changed = bytearray(_whole(data[0] % len(MODELS)))
    for begin in range(1, min(len(data), MOST_CHANGES * CHANGE) - CHANGE + 1, CHANGE):
        place = int.from_bytes(data[begin : begin + CHANGE - 1]) % len(changed)
        changed[place] = data[begin + CHANGE - 1]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "xgboost-model").write_bytes(changed)
        told = _trials().ask(Path(folder), SPACE)
    reason = str(told.get("message", ""))
    assert "bytes" in told or reason, told
    assert len(reason) < 2000, len(reason)
    reason.encode()
    assert "cannot be served" not in reason, reason


@cache
def _whole(number: int) -> bytes:
    return model(*MODELS[number])


@cache
def _trials() -> Trials:
    """The process that may die of a model; the fuzzer's own has handlers for every signal."""
    folder = Path(tempfile.mkdtemp(prefix="sagetree-fuzz-"))
    return Trials(folder, {"output": ("score",)})
