"""Small models of several kinds, and what one changed bit makes of them."""

import random
from types import MappingProxyType

import numpy as np
import xgboost

KINDS = MappingProxyType(
    {
        "gbtree": {"objective": "binary:logistic"},
        "dart": {"booster": "dart", "rate_drop": 0.5},
        "gblinear": {"booster": "gblinear"},
        "multiclass": {"objective": "multi:softprob", "num_class": 3},
    }
)
COLUMNS = 4


def model(kind: str, form: str) -> bytes:
    """A model in the format "ubj" or "json"."""
    source = np.random.default_rng(7)
    matrix = source.random((200, COLUMNS), np.float32)
    labels = (matrix[:, 0] + matrix[:, 1] * matrix[:, 2] > 0.8).astype(np.float32)
    if kind == "multiclass":
        labels += matrix[:, 3] > 0.5
    depth = {} if kind == "gblinear" else {"max_depth": 3}
    data = xgboost.DMatrix(matrix, labels)
    return bytes(xgboost.train({**KINDS[kind], **depth, "nthread": 1}, data, 4).save_raw(form))


def flipped(data: bytes, seed: int) -> bytes:
    """The model with one bit changed."""
    source = random.Random(seed)
    changed = bytearray(data)
    changed[source.randrange(len(data))] ^= 1 << source.randrange(8)
    return bytes(changed)
