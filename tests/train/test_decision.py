"""The rule of a job: chosen on held-out rows, stored with its curve, refused where it cannot be."""

import json

import numpy as np
import pytest

from sagetree.bundle.bundle import ModelBundle
from sagetree.decisions.decision import Decision
from sagetree.decisions.rules import parse_rule
from sagetree.evaluate.verdict.threshold import choose_threshold
from sagetree.files.header import looks_like_header
from sagetree.files.reading import read_table
from tests.train.conftest import Job, Ran

COLUMNS = "'fraud', 'amount', 'loss', 'work', 'kind'"


def rows(count: int = 240, seed: int = 0, *, loss_of_legit: str = "") -> str:
    """A third frauds with a loss, which the others do not have; `work` is of both."""
    random = np.random.default_rng(seed)
    text = ["fraud,amount,loss,work,kind\n"]
    for row in range(count):
        fraud = int(row % 3 == 0)
        loss = f"{random.exponential(100):.2f}" if fraud else loss_of_legit
        amount, work = random.normal(fraud), random.uniform(1, 9)
        text.append(f"{fraud},{amount:.3f},{loss},{work:.3f},{'ab'[row % 2]}\n")
    return "".join(text)


def decision_of(ran: Ran) -> Decision:
    assert ran.code == 0, ran.log
    decision = ModelBundle.load(ran.opt_ml.model).decision
    assert decision is not None
    return decision


def validated(ran: Ran) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores of the validation channel."""
    table = read_table(ran.opt_ml.data / "validation", looks_like_header)
    labels = np.array(table.column("fraud").to_pylist(), np.float32)
    return labels, ran.model.score(table.without("fraud"))


def cells(name: str) -> np.ndarray:
    """A column of the validation channel, 0 where it is empty."""
    place = ["fraud", "amount", "loss", "work"].index(name)
    return np.array([float(line.split(",")[place] or 0) for line in rows(seed=1).split()[1:]])


def test_the_least_cost_by_a_dropped_column_and_a_trained_one(job: Job) -> None:
    rule = "cost: miss=loss alarm=work"
    ran = job(
        {"train": rows(), "validation": rows(seed=1)},
        {"decision": rule, "drop_columns": "loss", "target": "fraud"},
    )
    decision = decision_of(ran)
    labels, scores = validated(ran)
    losses, work = cells("loss"), cells("work")  # work is a feature, too
    costs = {
        at: float(np.where(labels == 1, losses * (scores < at), work * (scores >= at)).sum())
        for at in np.unique(scores)
    }
    assert decision.threshold == min(costs, key=lambda at: (round(costs[at], 3), at))
    assert decision.rule == rule
    assert decision.curve is not None
    assert (decision.curve.miss, decision.curve.alarm) == ("loss", "work")
    assert "work" in ran.model.schema.input_names
    assert "loss" not in ran.model.schema.input_names
    point = json.loads((ran.opt_ml.output_data / "metrics.json").read_text())["operating_point"]
    assert point["rule"] == rule
    assert point["chosen"]["cost"]["value"] == pytest.approx(costs[np.float32(decision.threshold)])
    assert point["chosen"]["cost"]["value"] <= point["even"]["cost"]["value"]
    assert f"What it gives, beside others (rule {rule}; 95 % intervals):\n" in ran.log


def test_cross_validation_chooses_on_the_rows_that_folds_left_out(job: Job) -> None:
    ran = job(
        {"train": rows()},
        {"decision": "cost: miss=loss alarm=2", "drop_columns": "loss", "nfold": 3},
    )
    decision = decision_of(ran)
    assert decision.curve is not None
    assert (decision.curve.rows, decision.curve.positives) == (240, 80)
    losses = [float(line.split(",")[2] or 0) for line in rows().splitlines()[1:]]
    assert decision.curve.missed is not None
    assert decision.curve.missed[0] == pytest.approx(sum(losses), rel=1e-6)
    assert decision.curve.missed[-1] == pytest.approx(0, abs=1e-6)


def test_weights_count_in_a_rule(job: Job) -> None:
    ran = job(
        {"train": rows(), "validation": rows(seed=1)},
        {
            "decision": "alerts<=20%",
            "weight_column": "work",
            "drop_columns": "loss",
            "num_round": 40,
        },
    )
    decision = decision_of(ran)
    labels, scores = validated(ran)
    work = cells("work").astype(np.float32)
    assert decision.threshold == (
        choose_threshold(labels, scores, rule=parse_rule("alerts<=20%"), weights=work).threshold
    )
    plain = choose_threshold(labels, scores, rule=parse_rule("alerts<=20%"))
    assert decision.threshold != plain.threshold


def test_what_is_not_reached_is_a_warning_and_the_nearest(job: Job) -> None:
    ran = job(
        {"train": rows(), "validation": rows(seed=1)},
        {"decision": "precision>=1", "drop_columns": "loss,work", "num_round": 1, "eta": 0.01,
         "max_depth": 1},
    )  # fmt: skip
    decision = decision_of(ran)
    assert (
        f"Warning: decision precision>=1.0 is not reached: {decision.unreached}. The threshold is "
        f"the nearest, {decision.threshold:.4g}, with precision {decision.precision:.1%} and "
        f"recall {decision.recall:.1%}\n"
    ) in ran.log
    assert decision.unreached == f"the greatest precision is {100 * decision.precision:.4g}%"


def test_without_rows_left_out_a_rule_has_no_effect_and_that_is_said(job: Job) -> None:
    ran = job({"train": "y,x\n0,1.5\n0,2.5\n1,8.5\n0,0.5\n"}, {"decision": "recall>=0.8"})
    assert ran.code == 0, ran.log
    assert ModelBundle.load(ran.opt_ml.model).decision is None
    assert (
        "Warning: decision recall>=0.8 has no effect: no rows were held out to choose on, and "
        "rows are called positive from 0.5 on\n"
    ) in ran.log


FAULTS = [
    (
        {"decision": "precision>0.3"},
        "decision is 'precision>0.3' and must be one of f1, precision>=0.3, recall>=0.8, "
        "alerts<=5%, or cost: miss=1200 alarm=35, each a number or the name of a column. "
        "Correct it",
    ),
    (
        {"decision": "recall>=0.8", "objective": "binary:hinge", "eta": 9},
        "eta is '9' and must be a number from 0 to 1; decision is for objective binary:logistic, "
        "and objective is binary:hinge: leave it out, or change objective. Correct all 2",
    ),
    (
        {"decision": "cost: miss=fraud alarm=1", "target": "fraud"},
        "column 'fraud' is the target and in decision as miss. Correct it",
    ),
    (
        {"decision": "cost: miss=1 alarm=loss", "drop_columns": "loss", "decimal": "comma"},
        "column 'loss' is in decision and in drop_columns, whose numbers are not read by "
        "decimal=comma: keep it. Correct it",
    ),
    (
        {"decision": "cost: miss=los alarm=1"},
        "channel train: miss of decision is 'los', which is not a column (did you mean 'loss'?). "
        f"The columns are {COLUMNS}",
    ),
    (
        {"decision": "cost: miss=1 alarm=fraud"},
        "channel train: alarm of decision is 'fraud', which is the label. Name another column",
    ),
    (
        {"decision": "cost: miss=1 alarm=loss"},
        "data.csv line 3, column 'loss': the amount is empty. Every amount must be "
        "a number from 0 on in the row of a false alarm",
    ),
    (
        {"decision": "cost: miss=kind alarm=1"},
        "data.csv line 2, column 'kind': the amount is 'a'. Every amount must be a number from 0 "
        "on in the row of a positive row that is missed",
    ),
    (
        {"decision": "cost: miss=1 alarm=amount"},
        "data.csv line 6, column 'amount': the amount is '-0.623'. Every amount "
        "must be a number from 0 on in the row of a false alarm",
    ),
    (
        {"target": "amount", "decision": "recall>=0.8"},
        "decision is for objective binary:logistic, and objective is reg:squarederror: leave it "
        "out, or change objective. Correct it",
    ),
]


@pytest.mark.parametrize(("hyperparameters", "text"), FAULTS)
def test_the_failure_file_says_what_is_wrong(
    job: Job, hyperparameters: dict[str, object], text: str
) -> None:
    ran = job({"train": rows()}, hyperparameters)
    assert ran.code == 1
    assert ran.failure == text + "\n"


def test_a_validation_channel_needs_the_amounts_too(job: Job) -> None:
    without = "".join(
        ",".join([*line.split(",")[:2], *line.split(",")[3:]]) for line in rows().splitlines(True)
    )
    ran = job(
        {"train": rows(), "validation": without},
        {"decision": "cost: miss=loss alarm=1", "drop_columns": "loss"},
    )
    assert ran.code == 1
    assert ran.failure == (
        "channel validation: miss of decision is 'loss', which is not a column. The columns are "
        "'fraud', 'amount', 'work', 'kind'\n"
    )
