"""The models of the comparison: 200 trees of depth 6 on 45 numbers, and on 28 mixed columns."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import orjson
import xgboost

from bench.serve.servers import BIN, Model
from sagetree.bundle.bundle import ModelBundle
from sagetree.features.category import Category

ROWS = 4000
CATEGORIES = (3, 4, 5, 8, 10, 20, 30, 50)
HYPERPARAMETERS = {"preset": "xgboost", "num_round": "200", "max_depth": "6", "nfold": "2"}


def models(folder: Path) -> Iterator[Model]:
    """Train and yield both models."""
    numbers, mixed = tables()
    yield train(folder / "45", "45 numbers", numbers)
    yield train(folder / "28", "28 mixed columns", mixed)


@dataclass(frozen=True)
class Rows:
    """A table as text, and its labels."""

    names: list[str]
    cells: list[list[str]]
    labels: list[int]


def tables() -> tuple[Rows, Rows]:
    """Return the rows of both models: 45 numbers, and 20 numbers with 8 categories."""
    source = np.random.default_rng(0)
    numbers = source.random((ROWS, 45))
    labels = (numbers[:, 0] * numbers[:, 1] + source.random(ROWS) * 0.5 > 0.6).astype(int)
    texts = [[f"v{k}" for k in source.integers(count, size=ROWS)] for count in CATEGORIES]
    wide = [[f"{x:.4f}" for x in row] for row in numbers]
    mixed = [[*row[:20], *kinds] for row, kinds in zip(wide, zip(*texts, strict=True), strict=True)]
    names = [f"n{index}" for index in range(45)]
    mixed_names = [*names[:20], *(f"t{index}" for index in range(len(CATEGORIES)))]
    return Rows(names, wide, labels.tolist()), Rows(mixed_names, mixed, labels.tolist())


def train(root: Path, name: str, rows: Rows, **hyperparameters: str) -> Model:
    """Train a model on `rows` below `root`, for us and for the rivals."""
    for part in ("input/config", "input/data/train", "rival"):
        (root / part).mkdir(parents=True)
    lines = [",".join(["y", *rows.names])]
    for label, cells in zip(rows.labels, rows.cells, strict=True):
        lines.append(",".join([str(label), *cells]))
    (root / "input/data/train/rows.csv").write_text("\n".join(lines) + "\n")
    (root / "input/config/hyperparameters.json").write_text(
        json.dumps(HYPERPARAMETERS | hyperparameters)
    )
    subprocess.run(
        [BIN / "sagetree", "train"],
        env={"SAGEMAKER_BASE_DIR": str(root), "PATH": f"{BIN}:/usr/bin:/bin"},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    bundle = ModelBundle.load(root / "model")
    codes = [
        {text: code for code, text in enumerate(feature.categories)}
        if isinstance(feature, Category)
        else None
        for feature in bundle.features.features
    ]
    booster = xgboost.Booster(model_file=bytearray((root / "model/xgboost-model").read_bytes()))
    booster.save_model(root / "rival/xgboost-model.ubj")
    (root / "rival/codes.json").write_text(json.dumps(codes))
    cells = rows.cells[0]
    record = dict(zip(rows.names, [_cell(cell) for cell in cells], strict=True))
    numbers = tuple(
        float(cell) if known is None else known[cell]
        for cell, known in zip(cells, codes, strict=True)
    )
    return Model(name, root, ",".join(cells).encode() + b"\n", orjson.dumps(record), numbers)


def without_baseline(model: Model) -> Model:
    """Return the same model in a bundle that has no histograms to compare requests with."""
    bundle = ModelBundle.load(model.root / "model")
    root = model.root / "plain"
    (root / "model").mkdir(parents=True)
    replace(bundle, baseline=None).save(root / "model")
    return replace(model, root=root)


def _cell(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
