"""Models as an XGBoost of any version saves them, and what it predicts by them itself.

    python make_models.py FOLDER

It runs in an environment of that XGBoost's and knows nothing of sagetree. Each
model lies in a folder of its own, with `rows.json`: the rows, and their scores.
"""

import json
import pickle
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost
from sklearn.datasets import make_classification

VERSION = tuple(int(part) for part in xgboost.__version__.split(".")[:2])
STATES = np.array(["TX", "CA", "NY", "WA"])
SHOWN = 12

warnings.simplefilter("ignore")

X, Y = make_classification(400, 5, n_informative=3, flip_y=0.2, random_state=0)
X = X.astype(np.float32)
X[::7, 1] = np.nan
THIRDS = np.nan_to_num(X[:, 0] > 0.5) + 2 * (X[:, 2] > 0.8)
THIRDS = np.minimum(THIRDS, 2).astype(int)


def rounds_of(rounds):
    """Return the arguments with which this version predicts by its first `rounds`."""
    return {"iteration_range": (0, rounds)} if VERSION >= (1, 4) else {"ntree_limit": rounds}


def save(folder, name, booster, scores, wrapper=None, rows=None, only=None):
    """Save a model in every form this version has."""
    forms = {
        "json": VERSION >= (1, 0),
        "ubj": VERSION >= (1, 6),
        "deprecated": (1, 6) <= VERSION < (3, 1),
        "model": VERSION < (1, 6),
    }
    targets = [form for form, known in forms.items() if known and (only is None or form in only)]
    for form in targets:
        put(folder / (name + "-" + form), "model." + form, rows, scores, booster.save_model)
    if only is None:
        path = folder / (name + "-pickle")
        put(path, "model.pkl", rows, scores, lambda to: pickled(booster, to))
        if wrapper is not None:
            path = folder / (name + "-wrapper")
            put(path, "model.pkl", rows, scores, lambda to: pickled(wrapper, to))


def pickled(model, path):
    Path(path).write_bytes(pickle.dumps(model, 4))


def put(folder, name, rows, scores, write):
    (folder / "model").mkdir(parents=True)
    write(str(folder / "model" / name))
    rows = X[:SHOWN].tolist() if rows is None else rows
    rows = [[None if cell != cell else cell for cell in row] for row in rows]
    told = {"rows": rows, "scores": np.asarray(scores, np.float64).tolist()}
    (folder / "rows.json").write_text(json.dumps(told))


def trained(params, labels, early=False, **data):
    cut = 200
    watched = [(xgboost.DMatrix(X[cut:], labels[cut:], **data), "validation")] if early else []
    stop = {"early_stopping_rounds": 4, "verbose_eval": False} if early else {}
    seen = xgboost.DMatrix(X[:cut], labels[:cut], **data)
    if params.get("booster") != "gblinear":
        params = dict(params, max_depth=4)
    params = dict({"nthread": 1, "eta": 0.5}, **params)
    return xgboost.train(params, seen, 40 if early else 5, watched, **stop)


def plain(folder):
    shown = xgboost.DMatrix(X[:SHOWN])
    cases = {
        "binary": ({"objective": "binary:logistic"}, Y),
        "classes": ({"objective": "multi:softprob", "num_class": 3}, THIRDS),
        "forest": ({"objective": "binary:logistic", "num_parallel_tree": 3, "subsample": 0.5}, Y),
        "count": ({"objective": "count:poisson", "base_score": 2.0}, THIRDS),
        "dart": ({"objective": "binary:logistic", "booster": "dart", "rate_drop": 0.3}, Y),
        "linear": ({"objective": "reg:squarederror", "booster": "gblinear"}, Y),
    }
    for name, (params, labels) in cases.items():
        booster = trained(params, labels)
        # before 1.0 dart drops trees in predicting too, unless it is given how many there are
        told = {"ntree_limit": 100} if VERSION < (1, 0) and name == "dart" else {}
        save(folder, name, booster, booster.predict(shown, **told))
    params = {"objective": "binary:logistic", "eval_metric": "logloss"}
    booster = trained(params, Y, early=True)
    best = int(booster.attr("best_iteration")) + 1
    assert best < 40
    save(folder, "early", booster, booster.predict(shown, **rounds_of(best)))


def wrappers(folder):
    early = {"early_stopping_rounds": 4}
    made, told = ({}, early) if VERSION < (1, 6) else (early, {})
    params = {"n_estimators": 40, "learning_rate": 0.5, "max_depth": 4, "n_jobs": 1, **made}
    metric = {"eval_metric": "logloss"} if VERSION < (1, 6) else {}
    if VERSION >= (1, 6):
        params["eval_metric"] = "logloss"
    model = xgboost.XGBClassifier(**params)
    watched = [(X[200:], Y[200:])]
    model.fit(X[:200], Y[:200], eval_set=watched, verbose=False, **metric, **told)
    scores = model.predict_proba(X[:SHOWN])[:, 1]
    save(folder, "classifier", model.get_booster(), scores, wrapper=model)
    if VERSION >= (1, 6):
        targets = np.stack([Y, np.nan_to_num(X[:, 1])], axis=1)
        # trees with several outputs, of 2.0 to 3.0, end the process of every later XGBoost
        kinds = ["one_output_per_tree"] + ["multi_output_tree"] * (VERSION >= (3, 1))
        for kind in kinds:
            several = {"multi_strategy": kind} if VERSION >= (2, 0) else {}
            model = xgboost.XGBRegressor(n_estimators=5, n_jobs=1, tree_method="hist", **several)
            model.fit(X, targets)
            save(folder, kind, model.get_booster(), model.predict(X[:SHOWN]), wrapper=model)


def categories(folder):
    """Categories of pandas': the file has their names from XGBoost 3.1 on, before only codes."""
    state = pd.Categorical(STATES[np.arange(len(X)) % 4], categories=list(STATES))
    code = pd.Categorical(np.array([30, 10, 20])[np.arange(len(X)) % 3], categories=[30, 10, 20])
    frame = pd.DataFrame({"age": X[:, 0], "state": state, "code": code})
    label = Y ^ (state.codes == 1) ^ (code.codes == 2)
    params = {"n_estimators": 30, "learning_rate": 0.5, "n_jobs": 1, "max_depth": 4}
    params.update(tree_method="hist", enable_categorical=True, early_stopping_rounds=4)
    model = xgboost.XGBClassifier(**params)
    model.fit(frame[:200], label[:200], eval_set=[(frame[200:], label[200:])], verbose=False)
    shown = frame[:SHOWN]
    if VERSION >= (3, 1):
        cells = shown.astype(object)
    else:
        cells = shown.assign(state=shown.state.cat.codes, code=shown.code.cat.codes)
    rows = json.loads(cells.to_json(orient="values", double_precision=15))
    scores = model.predict_proba(shown)[:, 1]
    only = ["json", "ubj"]
    save(folder, "categories", model.get_booster(), scores, model, rows, only)


def main(folder):
    plain(folder)
    wrappers(folder)
    if VERSION >= (1, 6):
        categories(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
