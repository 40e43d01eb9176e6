"""Small tables to judge by, as bench.quality reads them."""

import json

from sklearn.datasets import load_breast_cancer, load_diabetes


def write_tables(folder, **tables):
    """Write each table (a frame and what meta.json says about it) into the folder."""
    meta = {}
    for name, (frame, said) in tables.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
        size = {"rows": len(frame), "cols": frame.shape[1] - 1}
        meta[name] = {"positive": None, "folds": 3, "repeats": 1, **size, **said}
    (folder / "meta.json").write_text(json.dumps(meta))
    return folder


def cancer(rows=150):
    """A table with labels of two values."""
    frame = load_breast_cancer(as_frame=True).frame.iloc[:rows]
    return frame, {"task": "binary", "target": "target", "positive": 0}


def diabetes(rows=150):
    """A table with labels of numbers."""
    frame = load_diabetes(as_frame=True).frame.iloc[:rows]
    return frame, {"task": "regression", "target": "target"}
