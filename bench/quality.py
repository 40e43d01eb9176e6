"""Out-of-sample AUC of the defaults beside XGBoost's own and logistic regression.

    python -m bench.quality [--data DIR] [--repeats N]

Nested: each outer fold's model chooses its rounds and its categories on the
outer training rows alone, so nothing is chosen on the rows it is scored on.
DIR holds the workshop's claims.csv, customers.csv and dataset.csv; without
them only scikit-learn's breast_cancer is measured, and that is said.
"""

import argparse
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sagetree.boosters.objectives import objective_of
from sagetree.boosters.scoring import Scorer
from sagetree.machine.program import LOG
from sagetree.tables.table import Source, Table
from sagetree.train.boosting.plan import BoostingPlan
from sagetree.train.boosting.strategies import fit
from sagetree.train.columns.labels import Goal
from sagetree.train.columns.plan import fit_plan
from sagetree.train.examples.examples import Examples
from sagetree.train.settings.settings import TrainSettings


def tables(data: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each data set: its name and a frame with the label first."""
    if (data / "claims.csv").exists():
        claims = pd.read_csv(data / "claims.csv", keep_default_na=False)
        customers = pd.read_csv(data / "customers.csv", keep_default_na=False)
        joined = claims.merge(customers, on="policy_id")
        yield "raw claims + customers", _label_first(joined, "fraud")
        yield "dataset.csv", _label_first(pd.read_csv(data / "dataset.csv"), "fraud")
    else:
        print(f"{data} holds no claims.csv: the workshop's two tables are left out")
    cancer = load_breast_cancer(as_frame=True).frame
    yield "breast_cancer", _label_first(cancer, "target")


def _label_first(frame: pd.DataFrame, label: str) -> pd.DataFrame:
    return frame[[label, *(name for name in frame.columns if name != label)]]


def table_of(frame: pd.DataFrame) -> Table:
    """Return a frame as train reads it."""
    columns = tuple(pa.chunked_array([pa.array(frame[name])]) for name in frame.columns)
    return Table(tuple(map(str, frame.columns)), columns, len(frame), True, (Source(len(frame)),))


def boosted(**hyperparameters: str) -> Callable[[pd.DataFrame, pd.DataFrame], np.ndarray]:
    """Return the function (training rows, test rows) -> scores of `sagetree train`."""

    def scores(train: pd.DataFrame, test: pd.DataFrame) -> np.ndarray:
        settings = TrainSettings.of(hyperparameters)
        goal = Goal(objective_of(settings.boosting.objective))
        plan = fit_plan(table_of(train), settings.columns, goal)
        rows = plan.apply(table_of(train))
        matrix = plan.features.transform(rows.inputs).values
        examples = Examples(matrix, rows.labels)
        boosting = BoostingPlan.of(settings.boosting, plan.schema, plan.features, examples)
        fitted = fit(boosting, examples, None)
        matrix = boosting.features.transform(plan.apply(table_of(test)).inputs).values
        return Scorer.load(*fitted.models).score(matrix)

    return scores


def logistic(train: pd.DataFrame, test: pd.DataFrame) -> np.ndarray:
    """Return the scores of a scaled, one-hot, L2-penalised logistic regression."""
    features = train.iloc[:, 1:]
    text = [name for name in features if not pd.api.types.is_numeric_dtype(features[name])]
    numbers = [name for name in features if name not in text]
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), text), (StandardScaler(), numbers)
    )
    model = make_pipeline(encode, LogisticRegression(C=0.1, max_iter=5000))
    model.fit(features, train.iloc[:, 0])
    return model.predict_proba(test.iloc[:, 1:])[:, 1]


MODELS = {
    "sagetree defaults": boosted(),
    "sagetree onehot": boosted(encoding="onehot"),
    "XGBoost defaults": boosted(preset="xgboost"),
    "logistic regression": logistic,
}


def main() -> None:
    """Print mean AUC and its standard error over the outer folds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args()
    LOG.setLevel(logging.ERROR)
    print(f"mean AUC +- standard error, 5 outer folds x {options.repeats} repeats")
    for name, frame in tables(options.data):
        split = RepeatedStratifiedKFold(n_splits=5, n_repeats=options.repeats, random_state=0)
        folds = list(split.split(frame, frame.iloc[:, 0]))
        print(f"\n{name}: {len(frame)} rows, {int(frame.iloc[:, 0].sum())} positive")
        for model, scores in MODELS.items():
            aucs = [
                roc_auc_score(frame.iloc[out, 0], scores(frame.iloc[inside], frame.iloc[out]))
                for inside, out in folds
            ]
            error = np.std(aucs, ddof=1) / np.sqrt(len(aucs))
            print(f"  {model:<22}{np.mean(aucs):.4f} +- {error:.4f}", flush=True)


if __name__ == "__main__":
    main()
