"""Large bodies: beside Arrow's parser and a prediction on a ready matrix, and their memory."""

import io
import re
import time
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow.csv as pa_csv
import xgboost

from bench.serve.servers import Model, Running

MEGABYTE = 2**20

# Enough for every worker to have one.
WARMING = 8


def bulk_table(server: Running, model: Model, repeats: int) -> None:
    """Print the time of a 6 MB body and the memory of a 25 MB one."""
    body = model.row * (6 * MEGABYTE // len(model.row))
    rows = body.count(b"\n")
    booster = xgboost.Booster(model_file=model.root / "rival/xgboost-model.ubj")
    matrix = np.tile(np.array(model.numbers, np.float32), (rows, 1))
    ratios, times = [], []
    for _ in range(WARMING):  # each worker loads Arrow with its first large body
        server.ask(body, "text/csv")
    for _ in range(repeats):
        begin = time.perf_counter()
        answer = server.ask(body, "text/csv")
        taken = time.perf_counter() - begin
        begin = time.perf_counter()
        pa_csv.read_csv(io.BytesIO(body), pa_csv.ReadOptions(autogenerate_column_names=True))
        booster.inplace_predict(matrix)
        ratios.append(taken / (time.perf_counter() - begin))
        times.append(taken)
        if answer.count(b"\n") != rows:
            raise RuntimeError("rows are missing in the answer")
    print(
        f"6 MB of CSV, {rows} rows: {median(times) * 1e3:.0f} ms, {median(ratios):.2f} of Arrow's "
        "parser and a prediction on the ready matrix (all cores)"
    )
    for pid in server.processes()[1:]:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    before = max(map(_peak, server.processes()[1:]))
    large = model.row * (25 * MEGABYTE // len(model.row))
    server.ask(large, "text/csv")
    added = max(map(_peak, server.processes()[1:])) - before
    print(
        f"25 MB of CSV: {added:.0f} MB more at the peak, {added * MEGABYTE / len(large):.1f} "
        "times the body\n"
    )


def _peak(pid: int) -> float:
    """Return the largest resident size of a process since it was reset, in MB."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"^VmHWM:\s+(\d+)", text, re.MULTILINE)[0]) / 1024
