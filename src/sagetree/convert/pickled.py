"""The booster in a pickle, taken out as bytes: nothing of the pickle is run.

XGBoost's Booster pickles itself as the bytes of its model, under the name
`handle`; the scikit-learn wrapper holds a Booster. So it is enough to read the
pickle's instructions from there on, and to carry out none of them.
"""

import pickletools
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from sagetree.errors import ArtifactError

# From 1.0 on a pickled model is its old binary form, with its configuration behind it.
_OFFSET = b"CONFIG-offset:"

# Later it is an object of both, in JSON and then in UBJSON.
_MODEL_KEY = re.compile(rb"(?:[LlIiU]\x00{0,7}\x05Model|\"Model\":)(?=\{)")

# What is once in each booster: the name of its objective and kind, or of its configuration.
_BEGINNING = re.compile(
    rb"[\x01-\x40]\x00{7}[a-z]+:[a-z0-9_]+[\x04\x06\x08]\x00{7}(?:gbtree|gblinear|dart)"
    rb"|\{(?:[LlIiU]\x00{0,7}\x06Config|\"Config\":)\{"
)

# The attributes of a Booster or wrapper in which old versions keep their best round alone.
BEST = ("best_iteration", "best_ntree_limit")

# Instructions that remember the last value, and change nothing.
_MEMO = frozenset({"MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT", "FRAME"})

# The bytes come within this many instructions after the name, in every protocol.
_NEAR = 16

Value = TypeVar("Value")


@dataclass(frozen=True)
class PickledBooster:
    """A booster's model, and those attributes that say where early stopping found it best."""

    model: bytes
    best: Mapping[str, int]


def pickled_booster(data: bytes, where: str) -> PickledBooster:
    """Return the booster in a pickle. Raises ArtifactError where there is not exactly one."""
    handles = [found for found in _after(data, "handle", _bytes) if len(found) > len(_OFFSET)]
    # of several boosters only the first one's name is spelled out
    count = max(len(handles), sum(1 for _ in _BEGINNING.finditer(data)))
    if len(handles) != 1 or count > 1:
        raise ArtifactError(
            f"the pickle holds {count} boosters" if handles else "the pickle holds no booster",
            where=where,
            hint="Pickle one xgboost.Booster, or one model of XGBoost's scikit-learn wrapper, "
            "without compression",
        )
    best = {name: values[-1] for name in BEST if (values := [*_after(data, name, _number)])}
    return PickledBooster(_model(handles[0], where), best)


def _model(handle: bytes, where: str) -> bytes:
    """Return a model without the configuration that XGBoost pickles beside it."""
    if handle.startswith(_OFFSET):
        begin = len(_OFFSET) + 8
        (size,) = struct.unpack_from("<q", handle, len(_OFFSET))
        return handle[begin : begin + size]
    if not handle.startswith(b"{"):  # of 0.90 and before
        return handle
    keys = [*_MODEL_KEY.finditer(handle)]
    if not keys:
        raise ArtifactError(
            "the form of the booster in the pickle is unknown",
            where=where,
            hint="Save it with save_model, using the XGBoost that wrote it",
        )
    return handle[keys[-1].end() : -1]


def _after(data: bytes, name: str, read: Callable[[bytes], Value | None]) -> Iterator[Value]:
    """Yield what `read` finds after each key `name`, however the protocol spells it."""
    key = name.encode()
    spelled = (
        b"\x8c" + bytes([len(key)]) + key,
        b"X" + struct.pack("<I", len(key)) + key,
        b"V" + key + b"\n",
    )
    for written in spelled:
        begin = data.find(written)
        while begin >= 0:
            found = read(data[begin:])
            if found is not None:
                yield found
            begin = data.find(written, begin + 1)


def _bytes(data: bytes) -> bytes | None:
    for name, argument in _instructions(data):
        if isinstance(argument, bytes | bytearray):
            return bytes(argument)
        # up to protocol 2 bytes are written as text
        if "UNICODE" in name and isinstance(argument, str) and len(argument) > len(_OFFSET):
            try:
                return argument.encode("latin-1")
            except UnicodeEncodeError:
                return None
    return None


def _number(data: bytes) -> int | None:
    for name, argument in _instructions(data):
        if name not in _MEMO:
            return argument if isinstance(argument, int) and "INT" in name else None
    return None


def _instructions(data: bytes) -> Iterator[tuple[str, object]]:
    """Yield name and argument of the next instructions after the first one, the key."""
    try:
        for code, argument, _ in islice(pickletools.genops(data), 1, _NEAR):
            yield code.name, argument
    except ValueError:  # it is not an instruction, or cut off
        return
