"""Which of two label values is positive: the usual word, else the rarer, else the order."""

import pytest

from sagetree.tables.positive import find_positive, in_order


@pytest.mark.parametrize(
    ("counts", "positive", "why"),
    [
        ({"legit": 96, "fraud": 4}, "fraud", "the rarer one"),
        ({"default": 20, "paid": 80}, "default", "the rarer one"),
        ({"bad": 30, "good": 70}, "bad", "the rarer one"),
        ({"churned": 14, "stayed": 86}, "churned", "the rarer one"),
        ({"2": 10, "3": 20}, "2", "the rarer one"),
        ({"0": 4, "1": 96}, "1", "the usual word"),
        ({"-1": 4, "1": 96}, "1", "the usual word"),
        ({"-1": 4, "+1": 96}, "+1", "the usual word"),
        ({"false": 4, "true": 96}, "true", "the usual word"),
        ({"No": 4, "Yes": 96}, "Yes", "the usual word"),
        ({"0": 4, "2": 96}, "2", "the usual word"),
        ({"NO": 4, "maybe": 96}, "maybe", "the usual word"),
        ({"N": 30, "Y": 70}, "Y", "the usual word"),
        ({"f": 50, "t": 50}, "t", "the usual word"),
        ({"Nein": 4, "Ja": 96}, "Ja", "the usual word"),
        ({"JA": 50, "NEE": 50}, "JA", "the usual word"),
        ({"non": 4, "oui": 96}, "oui", "the usual word"),
        ({"NÃO": 4, "SIM": 96}, "SIM", "the usual word"),
        ({"No": 4, "Sí": 96}, "Sí", "the usual word"),
        ({"nie": 4, "tak": 96}, "tak", "the usual word"),
        ({"net": 4, "da": 96}, "da", "the usual word"),
        ({"Нет": 4, "Да": 96}, "Да", "the usual word"),
        ({"N": 4, "S": 96}, "S", "the usual word"),
        ({"ja": 96, "vielleicht": 4}, "vielleicht", "the rarer one"),
        ({"y": 96, "x": 4}, "x", "the rarer one"),
        ({"oui": 96, "nein": 4}, "nein", "the rarer one"),
        ({"1": 96, "2": 4}, "1", "the usual word"),
        ({"1": 4, "yes": 96}, "1", "the rarer one"),
        ({"0": 96, "no": 4}, "no", "the rarer one"),
        ({"a": 449, "b": 551}, "a", "the rarer one"),
        ({"a": 450, "b": 550}, "b", "the second in order"),
        ({"a": 550, "b": 450}, "b", "the second in order"),
        ({"10": 50, "9": 50}, "10", "the second in order"),
    ],
)
def test_the_positive_value(counts: dict[str, int], positive: str, why: str) -> None:
    for values in (counts, dict(reversed(counts.items()))):
        found = find_positive(values)
        assert (found.value, found.why) == (positive, why)
        assert {found.value, found.negative} == set(counts)
        assert found.by_order == (why == "the second in order")


def test_the_warning_where_only_order_decides() -> None:
    assert find_positive({"bad": 50, "good": 50}).doubt("status", "positive_label") == (
        "The values 'bad' and 'good' of the label 'status' are about equally frequent, and 'good', "
        "the second in order, is taken as positive: set positive_label to the one that is"
    )


def test_numbers_are_ordered_as_numbers_before_words() -> None:
    assert in_order(["b", "10", "a", "9"]) == ["9", "10", "a", "b"]
