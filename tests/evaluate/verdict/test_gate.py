"""The gate: at least is enough, nothing is rounded, and doubt is said."""

import math

import pytest

from sagetree.errors import SettingsError
from sagetree.evaluate.verdict.gate import Gate, decide, decide_by


@pytest.mark.parametrize(
    ("auc", "gate", "verdict", "reason"),
    [
        (0.7, 0.7, "Approved", "The AUC of 0.7 reaches the required 0.7"),
        (0.8125, 0.7, "Approved", "The AUC of 0.8125 reaches the required 0.7"),
        (0.9405445031471977, 0.7, "Approved", "The AUC of 0.9405 reaches the required 0.7"),
        (
            0.7049999999999,
            0.70500,
            "Rejected",
            "The AUC of 0.7049999999999 is below the required 0.705",
        ),
        (0.9, 0.70001, "Approved", "The AUC of 0.9 reaches the required 0.70001"),
        (0.5, 0.7, "Rejected", "The AUC of 0.5 is below the required 0.7"),
        (0.69999, 0.7, "Rejected", "The AUC of 0.69999 is below the required 0.7"),
        (
            math.nextafter(0.7, 0),
            0.7,
            "Rejected",
            "The AUC of 0.6999999999999998 is below the required 0.7",
        ),
        (1.0, 1.0, "Approved", "The AUC of 1.0 reaches the required 1.0"),
        (0.0, 0.0, "Approved", "The AUC of 0.0 reaches the required 0.0"),
    ],
)
def test_verdict(auc, gate, verdict, reason):
    decision = decide(auc, (0.0, 1.0), gate)

    assert decision.approved is (verdict == "Approved")
    assert decision.as_json() == {
        "auc": auc,
        "interval": (0.0, 1.0),
        "threshold_auc": gate,
        "verdict": verdict,
        "reason": reason,
    }


def test_a_gate_inside_the_interval_is_said():
    decision = decide(0.7972, (0.69053, 0.87376), 0.7)

    assert decision.uncertain
    assert decision.warning == (
        "The gate 0.7 lies inside the AUC's 95 % interval (0.6905 to 0.8738): other test rows "
        "might turn the verdict. Evaluate on more rows, above all of the rarer label"
    )


@pytest.mark.parametrize(
    ("interval", "uncertain"),
    [((0.7, 0.8), True), ((0.6, 0.7), True), ((0.71, 0.8), False), ((0.5, 0.69), False)],
)
def test_the_ends_belong_to_the_interval(interval, uncertain):
    decision = decide(0.75, interval, 0.7)

    assert decision.uncertain is uncertain
    assert bool(decision.warning) is uncertain


@pytest.mark.parametrize(
    ("text", "value", "passes"),
    [
        ("rmse<=3.5", 3.5, True),
        ("rmse<=3.5", 3.51, False),
        (" r2 >= -0.5 ", -0.5, True),
        ("accuracy>=1e-1", 0.0999, False),
        ("pinball_loss@0.9<=2", 1.0, True),
    ],
)
def test_a_gate_by_any_metric(text, value, passes):
    gate = Gate.parse(text)

    verdict = decide_by(gate, {gate.metric: value}, {})

    assert verdict.approved is passes
    assert verdict.as_json() == {
        "metric": gate.metric,
        "value": value,
        "standard_deviation": None,
        "gate": str(gate),
        "verdict": "Approved" if passes else "Rejected",
        "reason": verdict.reason,
    }
    assert verdict.reason.startswith(f"The {gate.metric} of {value} ")
    assert verdict.warning == ""


@pytest.mark.parametrize(
    ("gate", "value", "said"),
    [
        (Gate("r2", True, 0.0, excluded=True), 0.1, "r2>0: is above 0.0"),
        (Gate("r2", True, 0.0, excluded=True), 0.0, "r2>0: is not above 0.0"),
        (Gate("loss", False, 2.5, excluded=True), 2.4, "loss<2.5: is below 2.5"),
        (Gate("loss", False, 2.5, excluded=True), 2.5, "loss<2.5: is not below 2.5"),
    ],
)
def test_a_value_that_is_excluded_does_not_pass(gate, value, said):
    verdict = decide_by(gate, {gate.metric: value}, {}, why=", they say")

    assert verdict.approved is ("not" not in said)
    text, _, bound = said.partition(": ")
    assert verdict.gate == text
    assert verdict.reason == f"The {gate.metric} of {value} {bound}, they say"


@pytest.mark.parametrize(
    ("value", "bound", "said"),
    [
        (0.3778600898956129, 0.4500222228056777, "0.3779 is below 0.450022"),
        (123456.78901234, 234567.89012345, "123457.0 is below 234568.0"),
        (0.45002222, 0.4500222228056777, "0.45 is below 0.450022"),
        (2.0000000001e-9, 2.5e-9, "2e-09 is below 2.5e-09"),
    ],
)
def test_numbers_have_as_many_digits_as_tell_them_apart(value, bound, said):
    gate = Gate("loss", False, bound, excluded=True)

    assert decide_by(gate, {"loss": value}, {}).reason == f"The loss of {said}"


@pytest.mark.parametrize(
    "text", ["rmse", "rmse=3", "rmse<3", "<=3", "rmse<=", "rmse<=x", "a<=1.2.3"]
)
def test_texts_that_are_no_gate(text):
    with pytest.raises(ValueError):
        Gate.parse(text)


def test_a_gate_within_two_deviations_is_said():
    verdict = decide_by(Gate("rmse", False, 3.0), {"rmse": 2.9}, {"rmse": 0.1})

    assert verdict.reason == "The rmse of 2.9 is within the required 3.0"
    assert verdict.warning == (
        "The gate rmse<=3 lies within two standard deviations (0.1) of the rmse of 2.9: other "
        "test rows might turn the verdict. Evaluate on more rows"
    )
    assert decide_by(Gate("rmse", False, 3.2), {"rmse": 2.9}, {"rmse": 0.1}).warning == ""


def test_a_gate_by_a_metric_there_is_not():
    with pytest.raises(SettingsError) as caught:
        decide_by(Gate("auc", True, 0.5), {"mae": 1.0, "rmse": 2.0}, {})

    assert str(caught.value) == (
        "--gate is auc>=0.5, and metric 'auc' does not exist for these rows. Use one of mae, rmse"
    )
