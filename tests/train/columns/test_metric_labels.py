"""A metric that no label of the job makes finite, and one that is finite in some rounds only."""

import re

import numpy as np
import pytest
import xgboost

from tests.train.conftest import Job

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=80).round(3)


def table(*labels: float) -> str:
    """Labels from 1 to 5, but for the last ones."""
    values = [*(3 + np.tanh(X) * 2).round(3)[: len(X) - len(labels)], *labels]
    return "y,x\n" + "".join(f"{y},{x}\n" for y, x in zip(values, X, strict=True))


@pytest.mark.parametrize(
    ("metric", "label", "reason"),
    [
        ("mape", 0.0, "divides by the label"),
        ("rmsle", -1.0, "takes the logarithm of 1 + label"),
        ("rmsle", -3.5, "takes the logarithm of 1 + label"),
        ("gamma-deviance", -0.5, "takes the logarithm of the label"),
        ("poisson-nloglik", -2.0, "takes the factorial of the label"),
    ],
)
@pytest.mark.parametrize("channel", ["train", "validation"])
def test_labels_that_a_metric_cannot_take_are_refused_before_any_round(
    job: Job, channel: str, metric: str, label: float, reason: str
) -> None:
    channels = {"train": table(), "validation": table(), channel: table(label, label)}
    ran = job(channels, {"objective": "reg:squarederror", "eval_metric": f"{metric},rmse"})
    assert ran.code == 1
    where = "" if channel == "train" else f"channel {channel}, "
    assert ran.failure == (
        f"{where}data.csv line 80, column 'y': the label is {label:g}, and the metric "
        f"{metric} {reason}. "
        "Name another one in eval_metric, such as rmse or mae\n"
    )
    assert "[0]" not in ran.log
    # XGBoost's own value says so too.
    data = xgboost.DMatrix(np.full((1, 1), 1.0), [label], nthread=1)
    params = {"eval_metric": metric, "base_score": 2.0, "nthread": 1}
    value = xgboost.Booster(params, [data]).eval(data)
    assert re.search(r":-?(inf|nan)", value)


@pytest.mark.parametrize(
    ("metric", "label"), [("rmsle", -0.5), ("gamma-deviance", 0.0), ("poisson-nloglik", 0.0)]
)
def test_labels_that_it_can_take_just_so(job: Job, metric: str, label: float) -> None:
    settings = {"objective": "reg:squarederror", "eval_metric": metric}
    ran = job({"train": table(label), "validation": table(label)}, settings)
    assert ran.code == 0, ran.log
    values = re.findall(rf"validation-{metric}:(\S+)", ran.log)
    assert np.isfinite([float(value) for value in values]).all()
    assert len(values) == 6
