"""What a host calls of XGBoost's library, in order: with a group each call may be an exchange.

A call that only one host makes is not an error to XGBoost: it adds up what does not belong
together. So what all hosts call is compared, over every job of several hosts in the suite.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# What only looks at what is there, or belongs to one process.
_LOCAL = ("Get", "Free", "Num", "Slice", "Serialize", "SaveModelToBuffer", "Dump", "Register")
_LOCAL += ("SetStrFeatureInfo",)  # the names of features, which a host without rows is given later


class _Recorder:
    """XGBoost's library, with a line in a file before each call."""

    def __init__(self, library: Any, path: Path) -> None:
        self._library = library
        self._file = path.open("w", buffering=1)

    def __getattr__(self, name: str) -> Any:
        function: Callable[..., Any] = getattr(self._library, name)
        if any(word in name for word in _LOCAL):
            return function

        def call(*given: Any) -> Any:
            self._file.write(f"{name}{_told(name, given)}\n")
            return function(*given)

        return call


def _told(name: str, given: tuple[Any, ...]) -> str:
    """Return what has to be the same on all hosts: of an exchange its size, kind and operation."""
    if name == "XGCommunicatorAllreduce":
        return f" {given[1:]}"
    if name in ("XGBoosterUpdateOneIter", "XGBoosterTrainOneIter", "XGBoosterEvalOneIter"):
        return f" {given[1]}"
    return ""


def record(path: Path) -> None:
    """Write what this process calls of the library, from now on, to a file."""
    import xgboost.core

    library = xgboost.core._LIB
    recorder = _Recorder(library, path)
    for name, module in list(sys.modules.items()):
        if name.startswith("xgboost") and getattr(module, "_LIB", None) is library:
            module._LIB = recorder  # type: ignore[attr-defined]


def first_difference(paths: Sequence[Path]) -> str:
    """Return where the calls of hosts part, "" where they are the same up to the group's end."""
    calls = [path.read_text().partition("XGCommunicatorFinalize")[0].splitlines() for path in paths]
    for number, found in enumerate(zip(*calls, strict=False)):
        if len(set(found)) > 1:
            return f"call {number}: {found}, after {calls[0][max(0, number - 5) : number]}"
    lengths = {len(found) for found in calls}
    return "" if len(lengths) == 1 else f"numbers of calls: {lengths}"
