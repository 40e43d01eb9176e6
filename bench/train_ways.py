"""The rivals of bench.train, each as a process: WAY FOLDER ROUNDS.

The last line of output is JSON: seconds of each phase, and the AUC of the
validation channel.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

PARAMS = {"objective": "binary:logistic", "max_depth": 6, "eval_metric": "auc", "nthread": 2}


def bare(folder: Path, rounds: int) -> tuple[dict[str, float], float]:
    """Time xgboost.train alone on a QuantileDMatrix of the same rows and codes."""
    import numpy as np
    import pyarrow.parquet as pq
    import xgboost

    def matrix(channel: str, ref: xgboost.DMatrix | None = None) -> xgboost.QuantileDMatrix:
        table = pq.read_table(folder / "input" / "data" / channel)
        names = table.column_names[1:]
        columns = []
        for name in names:
            column = table[name].combine_chunks()
            codes = column.indices if name.startswith("c") else column
            columns.append(codes.to_numpy(zero_copy_only=False).astype(np.float32))
        return xgboost.QuantileDMatrix(
            np.stack(columns, axis=1),
            table["y"].to_numpy(),
            feature_names=names,
            feature_types=["c" if name.startswith("c") else "q" for name in names],
            enable_categorical=True,
            ref=ref,
        )

    train = matrix("train")
    begin = time.perf_counter()
    booster = xgboost.train(PARAMS, train, rounds)
    seconds = time.perf_counter() - begin
    line = booster.eval_set([(matrix("validation", train), "validation")])
    return {"boost": seconds}, float(line.rsplit(":", 1)[1])


def text_reader(folder: Path, rounds: int) -> tuple[dict[str, float], float]:
    """Read the text as the official container does, and print metrics each round."""
    import xgboost

    def read(channel: str) -> xgboost.DMatrix:
        path = folder / "input" / "data" / channel
        return xgboost.DMatrix(f"{path}?format=csv&label_column=0", nthread=2)

    begin = time.perf_counter()
    train, validation = read("train"), read("validation")
    read_at = time.perf_counter()
    history: dict[str, dict[str, list[float]]] = {}
    watched = [(train, "train"), (validation, "validation")]
    booster = xgboost.train(PARAMS, train, rounds, evals=watched, evals_result=history)
    boosted = time.perf_counter()
    booster.save_model(folder / "model.ubj")
    phases = {"read": read_at - begin, "boost": boosted - read_at}
    return phases | {"save": time.perf_counter() - boosted}, history["validation"]["auc"][-1]


WAYS: dict[str, Callable[[Path, int], tuple[dict[str, float], float]]] = {
    "bare": bare,
    "text-reader": text_reader,
}

if __name__ == "__main__":
    way, where, count = sys.argv[1:]
    found, auc = WAYS[way](Path(where), int(count))
    print(json.dumps({"phases": found, "auc": auc}))
