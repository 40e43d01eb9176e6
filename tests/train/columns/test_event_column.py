"""Survival by a time and an event column: what is learnt, said, measured and refused."""

import itertools
import json

import numpy as np
import pytest
import xgboost

from sagetree.boosters.objectives import objective_of
from sagetree.bundle.bundle import ModelBundle
from sagetree.errors import DataError, SchemaError
from sagetree.evaluate.cli import main as evaluate
from sagetree.evaluate.metrics.tasks import evaluate_task
from sagetree.tables.cells import MissingValues
from sagetree.tables.label import EventLabel
from tests.sagetree.models import table_of
from tests.train.conftest import Job

RANDOM = np.random.default_rng(8)
ROWS = 150
XS = RANDOM.normal(size=ROWS).round(3)
WEEKS = np.ceil(np.exp(2 - XS / 2 + RANDOM.normal(size=ROWS) / 4)).astype(int)
LATEST = 12
EVENTS = (WEEKS <= LATEST).astype(int)
TIMES = np.minimum(WEEKS, LATEST)
SETTINGS = {"preset": "xgboost", "num_round": 5, "nfold": 2, "event_column": "arrest"}
COX = {**SETTINGS, "objective": "survival:cox"}
AFT = {**SETTINGS, "objective": "survival:aft"}
NONE = MissingValues.of(())


def table(words: tuple[str, str] = ("0", "1"), header: bool = True) -> str:
    rows = zip(TIMES, XS, EVENTS, strict=True)
    lines = [f"{time},{x},{words[event]}" for time, x, event in rows]
    return "\n".join([*(["week,x,arrest"] if header else []), *lines, ""])


def alone(labels: dict[str, np.ndarray], objective: str) -> np.ndarray:
    """The scores of XGBoost by itself."""
    data = xgboost.DMatrix(XS[:, None].astype(np.float32), **labels)
    return xgboost.train({"objective": objective, "nthread": 1}, data, 5).predict(data)


def scores(ran) -> np.ndarray:
    return ran.model.score(table_of({"x": XS.tolist()}))


def concordance(risks: np.ndarray) -> float:
    """Harrell's C, pair by pair: the one with the earlier event should have the higher risk."""
    right = pairs = 0.0
    for one, other in itertools.permutations(range(ROWS), 2):
        is_earlier = TIMES[one] < TIMES[other] or (TIMES[one] == TIMES[other] and not EVENTS[other])
        if EVENTS[one] and is_earlier:
            pairs += 1
            right += 1.0 if risks[one] > risks[other] else 0.5 * (risks[one] == risks[other])
    return right / pairs


def test_cox_learns_negative_times_of_censored_rows(job: Job) -> None:
    ran = job({"train": table()}, COX)
    assert ran.code == 0, ran.log
    labels = np.where(EVENTS == 1, TIMES, -TIMES)
    np.testing.assert_allclose(scores(ran), alone({"label": labels}, "survival:cox"), rtol=1e-5)


def test_aft_learns_that_censored_rows_have_no_upper_bound(job: Job) -> None:
    ran = job({"train": table()}, AFT)
    assert ran.code == 0, ran.log
    upper = np.where(EVENTS == 1, TIMES, np.inf)
    bounds = {"label_lower_bound": TIMES, "label_upper_bound": upper}
    np.testing.assert_allclose(scores(ran), alone(bounds, "survival:aft"), rtol=1e-5)


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        (("false", "True"), {}),
        (("0.0", "1.0"), {}),
        (("free", "arrested"), {"event_value": "arrested"}),
        (("1", "2"), {"event_value": "2.0"}),
    ],
)
def test_the_event_is_written_in_many_ways(
    job: Job, words: tuple[str, str], settings: dict[str, str]
) -> None:
    expected = scores(job({"train": table()}, COX))
    ran = job({"train": table(words)}, {**COX, **settings})
    np.testing.assert_array_equal(scores(ran), expected)


def test_several_values_may_be_events(job: Job) -> None:
    expected = scores(job({"train": table()}, COX))
    lines = table(("free", "theft")).splitlines()
    lines[1::2] = [line.replace("theft", "assault") for line in lines[1::2]]
    ran = job({"train": "\n".join(lines)}, {**COX, "event_value": "theft,assault"})
    assert ran.model.schema.label.censored == ("free",)
    np.testing.assert_array_equal(scores(ran), expected)


def test_the_event_is_a_role_and_no_feature(job: Job) -> None:
    ran = job({"train": table()}, COX)
    events = int(EVENTS.sum())
    assert (
        f"{ROWS} rows; label week: {TIMES.min()} to {LATEST}, {events} events, {ROWS - events} "
        "censored by 'arrest'\n"
    ) in ran.log
    assert "arrest  event   0        0         no feature: whether the label is" in ran.log
    assert ran.model.schema.input_names == ("x",)
    assert "Warning" not in ran.log
    given = scores(ran)
    held = {"arrest": EVENTS.tolist(), "x": XS.tolist()}
    np.testing.assert_array_equal(ran.model.score(table_of(held)), given)
    with pytest.raises(SchemaError) as caught:
        ran.model.score(table_of({"week": TIMES.tolist(), "x": XS.tolist()}))
    assert "column 'week' is the label: leave it out of the request" in str(caught.value)


@pytest.mark.parametrize("settings", [COX, AFT], ids=["cox", "aft"])
@pytest.mark.parametrize("header", [True, False])
def test_other_channels_and_evaluation_know_who_is_censored(
    job: Job, settings: dict[str, object], header: bool
) -> None:
    event = {} if header else {"event_column": "f1"}
    text = table(header=header)
    ran = job({"train": text, "validation": text, "test": text}, {**settings, **event})
    assert ran.code == 0, ran.log
    name = "x" if header else "f0"
    found = ran.model.score(table_of({name: XS.tolist()}))
    risks = found if settings is COX else -found
    expected = concordance(risks)
    assert ModelBundle.load(ran.opt_ml.model).metrics["concordance_index"] == pytest.approx(
        expected
    )
    folder = ran.opt_ml.processing
    folder.mkdir()
    (folder / "model").symlink_to(ran.opt_ml.model)
    (folder / "test").symlink_to(ran.opt_ml.data / "test")
    assert evaluate([]) == 0
    metrics = json.loads((folder / "evaluation" / "evaluation.json").read_text())
    assert metrics["survival_metrics"]["concordance_index"]["value"] == pytest.approx(expected)


def test_the_concordance_of_a_table_worked_by_hand() -> None:
    rows = table_of({"week": [2, 3, 3, 5, 6], "arrest": [1, 0, 1, 0, True]})
    # Comparable pairs, the earlier event first: 2 with each of the four others; of the two
    # at 3 the event before the censored one, and before 5 and 6. The one at 6 and the
    # censored ones open none: 7 pairs. Their risks order all but (2, 6), and 3 ties with 5.
    risks = np.array([3.0, 1.0, 2.0, 2.0, 4.0], np.float32)
    right = {(0, 1): 1, (0, 2): 1, (0, 3): 1, (0, 4): 0, (2, 1): 1, (2, 3): 0.5, (2, 4): 0}
    words = {"happened": ("1", "true"), "censored": ("0", "false")}
    cox = EventLabel(name="week", event="arrest", bounds=False, **words)
    labels, rest = cox.encode(rows, NONE)
    assert labels.tolist() == [2, -3, 3, -5, 6]
    assert rest.names == ("arrest",)
    found = evaluate_task(objective_of("survival:cox"), labels, risks)
    assert found.scalars["concordance_index"] == pytest.approx(sum(right.values()) / 7)
    bounds, _ = cox.model_copy(update={"bounds": True}).encode(rows, NONE)
    assert bounds.tolist() == [[2, 2], [3, np.inf], [3, 3], [5, np.inf], [6, 6]]
    found = evaluate_task(objective_of("survival:aft"), bounds, -risks)
    assert found.scalars["concordance_index"] == pytest.approx(sum(right.values()) / 7)


UNCENSORED = (
    "Warning: no row is censored: every time counts as that of an event. If some rows were only "
    "last seen then, mark them with event_column\n"
)


@pytest.mark.parametrize("objective", ["survival:cox", "survival:aft"])
def test_nobody_censored_is_a_warning(job: Job, objective: str) -> None:
    settings = {"preset": "xgboost", "num_round": 5, "nfold": 2, "objective": objective}
    assert UNCENSORED in job({"train": table()}, settings).log
    ran = job({"train": table(("1", "1"))}, {**settings, "event_column": "arrest"})
    assert UNCENSORED in ran.log


FAULTS = [
    (
        table(("1", "2")),
        {},
        "column 'arrest': its values ('1', '2') are not 1 and 0, or true and false. Name the ones "
        "that mean that the event happened with event_value",
    ),
    (
        table(("free", "arrested")),
        {"event_value": "arrest"},
        "event_value is 'arrest', but column 'arrest' holds 'arrested', 'free'. Name values that "
        "it holds",
    ),
    (
        table(("0", "0")),
        {},
        "column 'arrest': no row has its event. Give rows whose event happened, or name its "
        "values with event_value",
    ),
    (
        table(),
        {"event_column": "arest"},
        "event_column is 'arest', which is not a column (did you mean 'arrest'?). "
        "The columns are 'week', 'x', 'arrest'",
    ),
    (
        table(),
        {"event_column": "week"},
        "channel train: event_column is 'week', which is the label. Name another column",
    ),
    (
        "week,x,arrest\n3,1,1\n2,2,\n5,3,0\n",
        {},
        "data.csv line 3, column 'arrest': the event is empty. Every event must be '1' or 'true' "
        "where it came, '0' or 'false' where it has not",
    ),
    (
        "week,x,arrest\n3,1,1\n-2,2,0\n5,3,0\n",
        {},
        "data.csv line 3, column 'week': the label is '-2'. Every label must be a number above 0",
    ),
]


@pytest.mark.parametrize(("text", "settings", "failure"), FAULTS)
def test_events_that_cannot_be_read(
    job: Job, text: str, settings: dict[str, str], failure: str
) -> None:
    ran = job({"train": text}, {**COX, **settings})
    assert ran.code == 1
    assert ran.failure == f"{failure}\n"


def test_words_that_training_never_saw(job: Job) -> None:
    settings = {**COX, "event_value": "arrested"}
    ran = job(
        {
            "train": table(("free", "arrested")),
            "validation": table(("moved", "arrested")),
        },
        settings,
    )
    row = 2 + int(np.flatnonzero(EVENTS == 0)[0])
    assert ran.failure == (
        f"channel validation, data.csv line {row}, column 'arrest': the event is 'moved'. Every "
        "event must be 'arrested' where it came, 'free' where it has not\n"
    )


def test_evaluation_without_the_event_column() -> None:
    label = EventLabel(name="week", event="arrest", happened=("1",), censored=("0",), bounds=False)
    with pytest.raises(DataError) as caught:
        label.encode(table_of({"week": [1, 2], "x": [1, 2]}), NONE)
    assert str(caught.value) == (
        "row 1: event column 'arrest' is missing. Add it: it says whether the time in 'week' is "
        "the time of an event"
    )
