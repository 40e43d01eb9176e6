"""The gate: at least is enough, nothing is rounded, and doubt is said."""

import math

import pytest

from evaluate.gate import decide


@pytest.mark.parametrize(
    ("auc", "gate", "verdict", "reason"),
    [
        (0.7, 0.7, "Approved", "The AUC of 0.7 reaches the required 0.7"),
        (0.8125, 0.7, "Approved", "The AUC of 0.8125 reaches the required 0.7"),
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
