"""Rules are read as they are written, and refused where they are none."""

import re

import pytest

from sagetree.decisions.rules import (
    ALLOWED_RULES,
    Bound,
    LeastCost,
    amounts_of,
    parse_decision,
    parse_rule,
)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("f1", "f1"),
        (" F1 ", "f1"),
        ("precision>=0.3", "precision>=0.3"),
        ("Precision >= 30 %", "precision>=0.3"),
        ("recall>=1", "recall>=1.0"),
        ("precision>=99.9%", "precision>=0.999"),
        ("recall>=.8", "recall>=0.8"),
        ("alerts<=5%", "alerts<=0.05"),
        ("alerts <= 1e-3", "alerts<=0.001"),
        ("cost: miss=1200 alarm=35", "cost: miss=1200 alarm=35"),
        ("COST:alarm=0.5,miss=12.50", "cost: miss=12.5 alarm=0.5"),
        ("cost: miss=total_claim_amount alarm=0", "cost: miss=total_claim_amount alarm=0"),
        ('cost: miss="claim amount" , alarm="1200"', 'cost: miss="claim amount" alarm="1200"'),
        ('cost: miss="the ""big"" one" alarm=größe', 'cost: miss="the ""big"" one" alarm=größe'),
    ],
)
def test_a_rule_is_written_so_that_it_is_read_again(text: str, written: str) -> None:
    rule = parse_rule(text)
    assert str(rule) == written
    assert parse_rule(written) == rule


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("f2", f"'f2' is not one of {ALLOWED_RULES}"),
        ("precision<=0.3", f"'precision<=0.3' is not one of {ALLOWED_RULES}"),
        ("alerts>=5%", f"'alerts>=5%' is not one of {ALLOWED_RULES}"),
        ("recall>=nan", f"'recall>=nan' is not one of {ALLOWED_RULES}"),
        ("cost", f"'cost' is not one of {ALLOWED_RULES}"),
        ("precision>=30", "'precision>=30' has no share above 0 to 1, such as 0.3 or 30%"),
        ("alerts<=0%", "'alerts<=0%' has no share above 0 to 1, such as 0.3 or 30%"),
        ("cost: miss=1200", "'miss=1200' lacks alarm, such as alarm=35"),
        ("cost: alarm=1200", "'alarm=1200' lacks miss, such as miss=35"),
        ("cost: miss=1 miss=2", "'miss=1 miss=2' must be written as miss=1200 alarm=35, each once"),
        ("cost: hit=1 alarm=2", "'hit=1 alarm=2' must be written as miss=1200 alarm=35, each once"),
        ("cost: miss=0 alarm=0", "'miss=0 alarm=0' costs nothing: give an amount above 0"),
        (
            "cost: miss=-5 alarm=2",
            "'-5' is not an amount from 0; put the name of such a column into \" \"",
        ),
        (
            "cost: miss=1_000 alarm=2",
            "'1_000' is not an amount from 0; put the name of such a column into \" \"",
        ),
        (
            "cost: miss=1e999 alarm=2",
            "'1e999' is not an amount from 0; put the name of such a column into \" \"",
        ),
        ("1.5", "'1.5' is not a score from 0 to 1"),
        ("-0.5", "'-0.5' is not a score from 0 to 1"),
    ],
)
def test_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)) as caught:
        parse_decision(text)
    assert str(caught.value) == problem


def test_columns_are_those_that_are_no_numbers() -> None:
    assert amounts_of(LeastCost("total", 35.0)) == {"miss": "total"}
    assert amounts_of(LeastCost("total", "work")) == {"miss": "total", "alarm": "work"}
    assert amounts_of(Bound("recall", 0.8)) == {}
