"""What the fuzzer asks of the trial of a model, for any bytes: a reason, or a model.

A find is an answer without either, or an error that nobody foresaw.
"""

import tempfile
from functools import cache
from pathlib import Path

from sagetree.serve.models.trial import Question
from sagetree.serve.models.trials import Trials

SPACE = 2**28


def plain_model(data: bytes) -> None:
    """Try a model of XGBoost's own."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "xgboost-model").write_bytes(data)
        told = _trials().ask(Question(folder, ("score",), "sagetree", SPACE, weigh=False))
    reason = str(told.get("message", ""))
    assert "bytes" in told or reason, told
    assert len(reason) < 2000, len(reason)
    reason.encode()
    assert "cannot be served" not in reason, reason


@cache
def _trials() -> Trials:
    """The process that may die of a model; the fuzzer's own has handlers for every signal."""
    return Trials(Path(tempfile.mkdtemp(prefix="sagetree-fuzz-")))
