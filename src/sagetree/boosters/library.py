"""XGBoost's C library, as much of it as predicting needs, without its Python package.

The package costs a process 30 MB and half a second, and one prediction of a
row 300 us where the library itself takes 90. Source of the functions and of
their JSON arguments: XGBoost's C API documentation.
"""

import ctypes
import json
import sys
import threading
import warnings
from functools import cache
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]

# How a DMatrix or a dense matrix spells a missing value.
_MISSING = b'{"missing":NaN,"nthread":1}'

# Kinds of prediction, by the number the library gives them.
VALUE, MARGIN, CONTRIBUTIONS = 0, 1, 2


class LibraryError(Exception):
    """The library refused a call; the text is its own message, on one line."""


@cache
def library() -> ctypes.CDLL:
    """Return the shared library of the installed XGBoost; the same one its package loads."""
    package = find_spec("xgboost")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("xgboost is not installed", name="xgboost")
    folder = Path(package.origin).parent / "lib"
    names = ("libxgboost.so", "libxgboost.dylib")
    path = next(folder / name for name in names if (folder / name).exists())
    loaded = ctypes.CDLL(str(path))
    loaded.XGBGetLastError.restype = ctypes.c_char_p
    if "xgboost" not in sys.modules:  # the package has set where the library's messages go
        loaded.XGBRegisterLogCallback(_ON_WORDS)
    return loaded


def _warn(words: bytes) -> None:
    """Make what the library says a warning, as its package does: else it goes to stderr as is."""
    warnings.warn(words.decode(errors="replace"), UserWarning, stacklevel=2)


# The library keeps no hold of it.
_ON_WORDS = ctypes.CFUNCTYPE(None, ctypes.c_char_p)(_warn)


def library_version() -> str:
    """Return the library's version, such as 3.2.0."""
    parts = [ctypes.c_int() for _ in range(3)]
    library().XGBoostVersion(*map(ctypes.byref, parts))
    return ".".join(str(part.value) for part in parts)


def check(code: int) -> None:
    """Raise LibraryError with the library's own message if a call returned a `code` but 0."""
    if code:
        message = library().XGBGetLastError().decode(errors="replace")
        raise LibraryError(next(iter(message.strip().splitlines()), "unknown"))


def _array_interface(matrix: Matrix) -> bytes:
    rows, columns = matrix.shape
    address = matrix.__array_interface__["data"][0]
    return (
        b'{"data":[%d,true],"shape":[%d,%d],"typestr":"<f4","version":3}'
        % (address, rows, columns)
    )  # fmt: skip


class _Proxy:
    """The matrix that a prediction in place is set into.

    Without one the library makes one for each call, which costs 40 us.
    """

    def __init__(self) -> None:
        self.handle = ctypes.c_void_p()
        self._free = library().XGDMatrixFree
        check(library().XGProxyDMatrixCreate(ctypes.byref(self.handle)))

    def __del__(self) -> None:
        self._free(self.handle)


_NOTHING = np.zeros(0, np.float32)


class _Calls(threading.local):
    """What the predictions of one thread are given and answered in."""

    def __init__(self) -> None:
        self._proxy = _Proxy()
        self.proxy = self._proxy.handle
        self._shape = ctypes.POINTER(ctypes.c_uint64)()
        self._dimensions = ctypes.c_uint64()
        self._result = ctypes.c_void_p()
        self.outputs = (
            ctypes.byref(self._shape), ctypes.byref(self._dimensions), ctypes.byref(self._result),
        )  # fmt: skip
        self._rows: dict[int, tuple[Matrix, bytes]] = {}
        self._views: dict[int, tuple[tuple[object, ...], Matrix]] = {}

    def interface(self, matrix: Matrix) -> bytes:
        """Return the library's description of `matrix`; a single row is copied to a known place."""
        rows, columns = matrix.shape
        if rows != 1:
            return _array_interface(matrix)
        found = self._rows.get(columns)
        if found is None:
            row = np.empty((1, columns), np.float32)
            found = self._rows[columns] = row, _array_interface(row)
        found[0][:] = matrix
        return found[1]

    def result(self) -> Matrix:
        """Copy a prediction out of the library's own memory, which its next call overwrites."""
        dimensions = self._dimensions.value
        shape = self._shape[:dimensions]
        place = (self._result.value, *shape)
        seen, view = self._views.get(dimensions, ((), _NOTHING))
        if seen != place:  # else the view is of this memory: making one takes as long as the rest
            view = self._view(self._result.value, shape)
            self._views[dimensions] = place, view
        return view.copy()

    @staticmethod
    def _view(address: int | None, shape: list[int]) -> Matrix:
        count = prod(shape)
        if not count or address is None:
            return np.zeros(shape, np.float32)
        memory = memoryview((ctypes.c_float * count).from_address(address))
        return np.frombuffer(memory, np.float32).reshape(shape)


@cache
def _calls() -> _Calls:
    return _Calls()


def _prediction_config(kind: int) -> bytes:
    return (
        b'{"type":%d,"training":false,"iteration_begin":0,"iteration_end":0,'
        b'"strict_shape":true,"cache_id":0,"missing":NaN}' % kind
    )


_CONFIGS = tuple(map(_prediction_config, (VALUE, MARGIN, CONTRIBUTIONS)))


def _learner(booster: ctypes.c_void_p) -> dict[str, Any]:
    length, text = ctypes.c_uint64(), ctypes.c_void_p()
    check(
        library().XGBoosterSaveModelToBuffer(
            booster, b'{"format":"json"}', ctypes.byref(length), ctypes.byref(text)
        )
    )
    learner: dict[str, Any] = json.loads(ctypes.string_at(text, length.value))["learner"]
    return learner


class NativeBooster:
    """A booster that only predicts, on one thread; calls from several threads may overlap.

    Never make one in a process that forks afterwards: the child would hang.
    """

    def __init__(self, model: bytes) -> None:
        """Load a model in UBJSON or JSON. Raises LibraryError for what cannot be read."""
        self._handle = ctypes.c_void_p()
        self._lib = library()
        check(self._lib.XGBoosterCreate(None, ctypes.c_uint64(0), ctypes.byref(self._handle)))
        check(self._lib.XGBoosterSetParam(self._handle, b"nthread", b"1"))
        size = ctypes.c_uint64(len(model))
        check(self._lib.XGBoosterLoadModelFromBuffer(self._handle, model, size))
        # a model may bring the number of threads it was trained with
        check(self._lib.XGBoosterSetParam(self._handle, b"nthread", b"1"))

    def __del__(self) -> None:
        if self._handle:
            self._lib.XGBoosterFree(self._handle)

    @property
    def feature_count(self) -> int:
        """The number of features it was trained on."""
        count = ctypes.c_uint64()
        check(self._lib.XGBoosterGetNumFeature(self._handle, ctypes.byref(count)))
        return count.value

    @property
    def rounds(self) -> int:
        """The number of boosting rounds it holds."""
        count = ctypes.c_int()
        check(self._lib.XGBoosterBoostedRounds(self._handle, ctypes.byref(count)))
        return count.value

    def attribute(self, name: str) -> str | None:
        """Return a stored attribute, such as best_iteration; None if there is none."""
        text, is_there = ctypes.c_char_p(), ctypes.c_int()
        check(
            self._lib.XGBoosterGetAttr(
                self._handle, name.encode(), ctypes.byref(text), ctypes.byref(is_there)
            )
        )
        return (text.value or b"").decode() if is_there.value else None

    def keep_rounds(self, count: int) -> None:
        """Forget the rounds after the first `count`; a linear model cannot.

        XGBoost's own tables of categories are lost by it.
        """
        kept = ctypes.c_void_p()
        check(self._lib.XGBoosterSlice(self._handle, 0, count, 1, ctypes.byref(kept)))
        self._lib.XGBoosterFree(self._handle)
        self._handle = kept
        check(self._lib.XGBoosterSetParam(self._handle, b"nthread", b"1"))

    def learner(self, begin: int = 0, end: int = 0) -> dict[str, Any]:
        """Return the `learner` part of the library's JSON of the whole model.

        With an `end` it is that of a model with these rounds of this one; the first is 0.
        """
        if not end:
            return _learner(self._handle)
        part = ctypes.c_void_p()
        check(self._lib.XGBoosterSlice(self._handle, begin, end, 1, ctypes.byref(part)))
        try:
            return _learner(part)
        finally:
            self._lib.XGBoosterFree(part)

    def feature_info(self, field: str) -> tuple[str, ...]:
        """Return the stored `feature_name` or `feature_type` of each feature; () if none is."""
        length = ctypes.c_uint64()
        texts = ctypes.POINTER(ctypes.c_char_p)()
        check(
            self._lib.XGBoosterGetStrFeatureInfo(
                self._handle, field.encode(), ctypes.byref(length), ctypes.byref(texts)
            )
        )
        return tuple(texts[index].decode() for index in range(length.value))

    def feature_scores(self, kind: str) -> NDArray[np.float64]:
        """Return how much each feature (m) counts, 0 without a split; not of a linear model.

        `kind` is XGBoost's word: weight (the number of splits), total_gain, ...
        """
        numbers = list(map(str, range(self.feature_count)))
        count, dimensions = ctypes.c_uint64(), ctypes.c_uint64()
        names, shape = ctypes.POINTER(ctypes.c_char_p)(), ctypes.POINTER(ctypes.c_uint64)()
        scores = ctypes.POINTER(ctypes.c_float)()
        places = (count, names, dimensions, shape, scores)
        config = json.dumps({"importance_type": kind, "feature_names": numbers}).encode()
        check(self._lib.XGBoosterFeatureScore(self._handle, config, *map(ctypes.byref, places)))
        found = np.zeros(self.feature_count)
        for place in range(count.value):
            found[int(names[place])] = scores[place]
        return found

    def config(self) -> dict[str, dict[str, Any]]:
        """Return the `learner` part of the library's JSON of all settings."""
        length = ctypes.c_uint64()
        text = ctypes.c_char_p()
        check(
            self._lib.XGBoosterSaveJsonConfig(
                self._handle, ctypes.byref(length), ctypes.byref(text)
            )
        )
        learner: dict[str, dict[str, Any]] = json.loads(text.value or b"{}")["learner"]
        return learner

    def predict_in_place(self, matrix: Matrix, kind: int) -> Matrix:
        """Return VALUE or MARGIN of each row (n, outputs); not for gblinear.

        `matrix` is C-contiguous float32 (n, feature_count), NaN where missing.
        """
        calls = _calls()
        check(
            self._lib.XGBoosterPredictFromDense(
                self._handle, calls.interface(matrix), _CONFIGS[kind], calls.proxy, *calls.outputs
            )
        )
        return calls.result()

    def predict(self, matrix: Matrix, kind: int, base_margin: Matrix | None = None) -> Matrix:
        """Return VALUE or MARGIN (n, outputs), or CONTRIBUTIONS (n, outputs, features + 1).

        `base_margin` (n, outputs), C-contiguous float32, takes the place of base_score.
        """
        calls = _calls()
        data = ctypes.c_void_p()
        interface = calls.interface(matrix)
        check(self._lib.XGDMatrixCreateFromDense(interface, _MISSING, ctypes.byref(data)))
        try:
            if base_margin is not None:
                told = _array_interface(base_margin)
                check(self._lib.XGDMatrixSetInfoFromInterface(data, b"base_margin", told))
            check(
                self._lib.XGBoosterPredictFromDMatrix(
                    self._handle, data, _CONFIGS[kind], *calls.outputs
                )
            )
            return calls.result()
        finally:
            self._lib.XGDMatrixFree(data)
