"""Your own training, in script mode: rounds are chosen by what wrong decisions cost.

A fraud that is paid costs its amount, a claim that is inspected costs INSPECTION.
"""

import argparse
import os
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost

from sagetree.export import save_booster

LABEL = "fraud"
AMOUNT = "total_claim_amount"
INSPECTION = 500.0


def cost(scores: np.ndarray, rows: xgboost.DMatrix) -> tuple[str, float]:
    """Mean cost of a claim; each is inspected where that is cheaper than what is at stake."""
    amounts = rows.get_data()[:, rows.feature_names.index(AMOUNT)].toarray().ravel()
    looked_at = scores * amounts > INSPECTION
    paid = np.where(rows.get_label() == 1, amounts, 0.0)
    return "cost", float(np.where(looked_at, INSPECTION, paid).mean())


def main() -> None:
    """Train on the channel, and leave a model that `sagetree serve` and `evaluate` take."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--num_round", type=int, default=200)
    parser.add_argument("--max_depth", type=int, default=3)
    options = parser.parse_args()
    channel = Path(os.environ["SM_CHANNEL_TRAIN"])
    table = pd.concat(map(pd.read_csv, sorted(channel.glob("*.csv"))))
    numbers = table.drop(columns=["policy_id", LABEL]).select_dtypes("number")
    is_held_out = np.random.default_rng(1).random(len(table)) < 0.25
    train, held_out = (
        xgboost.DMatrix(numbers[part], table.loc[part, LABEL])
        for part in (~is_held_out, is_held_out)
    )
    booster = xgboost.train(
        {"objective": "binary:logistic", "max_depth": options.max_depth, "eta": 0.1},
        train,
        options.num_round,
        evals=[(held_out, "validation")],
        custom_metric=cost,
        early_stopping_rounds=20,
    )
    save_booster(booster, numbers, os.environ["SM_MODEL_DIR"], label=LABEL)


if __name__ == "__main__":
    main()
