"""Columns of numbers and words: trained whatever rows are drawn, and served as they were."""

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagetree.features.category import OneHot
from tests.serve.artifacts import client_for
from tests.serve.asking import post
from tests.train.conftest import Job


@pytest.fixture
def job(quick_job: Job) -> Job:
    return quick_job


WORDS = ("LINE", "PC 1", "A/5")


def cells(rows: int, words: int, seed: int = 0) -> list[str]:
    """Numbers, with this many words at places that the seed draws."""
    random = np.random.default_rng(seed)
    found = [str(number) for number in random.integers(2, 100, rows)]
    for place in random.permutation(rows)[:words].tolist():
        found[place] = WORDS[place % len(WORDS)]
    return found


def data(column: list[str], name: str = "x") -> dict[str, object]:
    """Rows whose label is 1 for numbers above 50 and for the first word."""
    labels = [int(cell == WORDS[0] or (cell.isdigit() and int(cell) > 50)) for cell in column]
    rows = [
        f"{y},{cell},{i * 7 % 5}" for i, (y, cell) in enumerate(zip(labels, column, strict=True))
    ]
    return {"train": "\n".join([f"y,{name},b", *rows])}


@pytest.mark.parametrize(("rows", "words"), [(100, 2), (200, 90), (200, 110), (100, 98)])
def test_numbers_stay_numbers_and_words_are_categories(job: Job, rows: int, words: int) -> None:
    ran = job(data(cells(rows, words)))
    assert ran.code == 0, ran.log
    column = ran.model.schema.columns[0]
    assert column.kind == "mixed"
    assert set(column.categories) <= set(WORDS)
    assert (
        f"Column 'x' is mixed: {rows - words} rows hold numbers, and {words} hold words, which are "
        "categories, such as '"
    ) in ran.log
    assert [row.split()[1] for row in ran.log.splitlines() if row.startswith("x ")] == ["mixed"]


def test_fewer_words_are_mistakes(job: Job) -> None:
    ran = job(data(["7", "LINE", *(str(n % 50) for n in range(99))]))
    assert ran.code == 1
    assert ran.failure.splitlines()[0] == (
        "data.csv line 3, column 'x': 'LINE' is text where a number is expected. Correct the cell, "
        "list the text in missing_values if it means no value, or list the column in "
        "categorical_columns"
    )


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (["a", "b", "7"] * 20, "category"),  # one number has no size
        (["true", "false", "no idea"] * 20, "category"),
        (["007", "12", "A12"] * 20, "category"),  # codes
        (["NA", r"\N", "NA", *"123456"] * 10, "mixed"),
        (["NA"] * 90 + [f"{n}.5" for n in range(10)], "mixed"),
        ([f"{n * 2731 % 65536:04x}" for n in range(60)], "identifier"),
        (["3+", "0", "1", "2"] * 15, "mixed"),
        (["a", "b", "c", *["x"] * 97, "1"], "category"),  # a number in fewer rows is a slip too
    ],
)
def test_what_is_mixed(job: Job, column: list[str], kind: str) -> None:
    ran = job(
        {"train": "\n".join(["y,x,b", *(f"{i % 2},{c},{i % 7}" for i, c in enumerate(column))])}
    )
    assert ran.code == 0, ran.log
    assert ran.model.schema.columns[0].kind == kind


@pytest.mark.parametrize("odd", ["inf", "{} kg"])
def test_what_is_no_word_is_a_mistake_still(job: Job, odd: str) -> None:
    ran = job(data([odd.format(n) if n % 10 == 0 else str(n % 77) for n in range(100)]))
    assert ran.code == 1
    assert ran.failure.startswith(f"data.csv line 2, column 'x': {odd.format(0)!r} is ")


def test_keys_are_left_out_though_they_are_numbers_and_words(job: Job) -> None:
    column = [f"A{n}" if n % 5 == 0 else str(n * 13) for n in range(100)]
    ran = job(data(column, "policy_id"))
    assert ran.model.schema.columns[0].kind == "identifier"


def test_decimal_commas_go_with_words(job: Job) -> None:
    column = [f'"{n % 37},{n % 10}"' if n % 10 else "st. a" for n in range(100)]
    labels = [f"{i % 2},{cell},{i % 7}" for i, cell in enumerate(column)]
    ran = job({"train": "\n".join(["y,x,b", *labels])}, {"decimal": "comma"})
    assert ran.code == 0, ran.log
    mixed = ran.model.features.features[0]
    values, misfits = mixed.encode(["3,5", "st. a", "1.5"], ran.model.features.missing)
    np.testing.assert_array_equal(mixed.expand(values[:2]), [[3.5, np.nan], [np.nan, 0]])
    assert misfits[0].reason == "'1.5' is not written with a decimal comma"


@pytest.mark.parametrize("other", [{"booster": "gblinear"}, {"tree_method": "exact"}])
def test_words_beside_mean_labels_are_indicators_where_xgboost_splits_no_codes(
    job: Job, other: dict[str, str]
) -> None:
    ran = job(data(cells(100, 10, seed=1)), {"encoding": "target", **other})
    assert ran.code == 0, ran.log
    assert isinstance(ran.model.features.features[0].words, OneHot)


def test_every_subsample_of_titanic_like_tickets_trains(job: Job) -> None:
    whole = cells(400, 104, seed=1)
    for seed in range(3):
        some = np.random.default_rng(seed).permutation(400)[:60]
        ran = job(data([whole[place] for place in some]))
        assert ran.code == 0, ran.log


def test_directions_are_of_the_numbers(job: Job) -> None:
    ran = job(data(cells(200, 60)), {"monotone_constraints": '{"x": 1}', "num_round": "30"})
    assert ran.code == 0, ran.log
    client = client_for(ran.opt_ml.model)
    answer = post(client, "\n".join(f"{n},1" for n in range(2, 100)).encode())
    assert (np.diff([float(line) for line in answer.text.split()]) >= 0).all()


def test_serving_takes_what_training_had(job: Job) -> None:
    ran = job(data(cells(300, 120)), {"num_round": "30"})
    client = client_for(ran.opt_ml.model)
    rows = [["60", 1], ["3", 1], ["LINE", 1], ["PC 1", 1], ["", 1], ["new", 1]]
    body = "\n".join(["x,b", *(f"{x},{b}" for x, b in rows)]).encode()
    named = [{"x": x or None, "b": b} for x, b in rows]
    table = pa.table({"x": [x or None for x, _ in rows], "b": [b for _, b in rows]})
    parquet = io.BytesIO()
    pq.write_table(table, parquet)
    scores = [float(line) for line in post(client, body).text.split()]
    assert min(scores[0], scores[2]) > max(scores[1], scores[3]) + 0.1
    assert scores[4] == scores[5]  # a word that training never saw is missing
    asked = {
        "Accept": "application/json",
        ATTRIBUTES: "inference_output=score,contributions,reasons",
    }
    for content, kind in (
        (body, "text/csv"),
        (json.dumps(named).encode(), "application/json"),
        (parquet.getvalue(), "application/x-parquet"),
    ):
        found = post(client, content, kind, **asked).get_json()["predictions"]
        assert [row["score"] for row in found] == pytest.approx(scores)
        assert [list(row["contributions"]["columns"]) for row in found] == [["x", "b"]] * 6
        assert found[2]["reasons"][0].startswith("x = 'LINE' raises ")
        assert found[0]["reasons"][0].startswith("x = 60 raises ")
        assert found[5]["reasons"][-1] == (
            "x = 'new' was never seen in training and counts as missing"
        )
    schema = client.get("/schema").get_json()["columns"][0]
    assert (schema["kind"], schema["categories"]) == ("mixed", sorted(WORDS))
    described = client.get("/openapi.json").get_json()["components"]["schemas"]["Row"]
    assert described["properties"]["x"]["type"] == ["number", "string", "null"]


ATTRIBUTES = "X_Amzn_SageMaker_Custom_Attributes"
