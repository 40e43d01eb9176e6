"""The calls that each boosting round makes of XGBoost's C library.

Its Python package fetches and compares the names of all features in each of them, of every
matrix anew: of 15 000 features that takes some 0.04 s each time.
"""

import ctypes
from collections.abc import Sequence

from sagetree.boosters.library import check, library


def make_round(booster: ctypes.c_void_p | None, rows: ctypes.c_void_p, number: int) -> None:
    """Add one round of trees, learnt from the matrix `rows`; the first round's number is 0.

    Raises LibraryError for what the library refuses.
    """
    check(library().XGBoosterUpdateOneIter(booster, ctypes.c_int(number), rows))


def evaluated(
    booster: ctypes.c_void_p | None,
    evals: Sequence[tuple[ctypes.c_void_p, str]],
    number: int,
) -> dict[tuple[str, str], float]:
    """Return (name, metric) -> value after one round; `evals` are matrices and their names.

    Raises LibraryError for what the library refuses.
    """
    count, line = len(evals), ctypes.c_char_p()
    rows = (ctypes.c_void_p * count)(*(matrix.value for matrix, _ in evals))
    names = (ctypes.c_char_p * count)(*(name.encode() for _, name in evals))
    check(
        library().XGBoosterEvalOneIter(
            booster, ctypes.c_int(number), rows, names, ctypes.c_uint64(count), ctypes.byref(line)
        )
    )
    found = {}
    for word in (line.value or b"").decode().split()[1:]:  # [0] train-auc:0.5 validation-auc:0.4
        key, value = word.rsplit(":", 1)
        name, metric = key.split("-", 1)
        found[name, metric] = float(value)
    return found
