"""What a job says about its further channels: unseen and missing cells, rows of train."""

import pytest

from tests.train.conftest import Job, lines

TRAIN = lines()
UPPER = lines(60, seed=1).replace(",CA", ",ca").replace(",WA", ",wa")
EMPTY = lines(60, seed=1).replace(",CA", ",").replace(",WA", ",")


@pytest.mark.parametrize(
    ("channel", "encoding"),
    [
        ("validation", "native"),
        ("test", "onehot"),
        pytest.param("validation", "onehot", marks=pytest.mark.long),
        pytest.param("test", "native", marks=pytest.mark.long),
    ],
)
def test_unseen_and_missing_cells_are_said_of_each_channel(
    job: Job, channel: str, encoding: str
) -> None:
    ran = job({"train": TRAIN, channel: UPPER}, {"encoding": encoding})
    assert ran.code == 0
    said = (
        f"Channel {channel}: column 'state': 60 of 60 cells hold categories that training did not "
        "see, such as '"
    )
    assert said in ran.log
    ran = job({channel: EMPTY}, {"encoding": encoding})
    assert ran.code == 0
    missing = f"Channel {channel}: column 'state': 60 of 60 cells are missing, and in training 0.0%"
    assert f"{missing}\n" in ran.log
    ran = job({channel: lines(60, seed=1)}, {"encoding": encoding})
    assert ran.code == 0
    assert "Channel " not in ran.log


def test_columns_that_training_misses_too_are_nothing_to_speak_of(job: Job) -> None:
    holes = TRAIN.replace(",CA", ",")
    ran = job({"train": holes, "validation": lines(60, seed=1).replace(",CA", ",")})
    assert ran.code == 0
    assert "Channel " not in ran.log


def test_cells_in_several_slices_are_counted_together(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sagetree.train.examples.matrix.SLICE_ROWS", 7)
    ran = job({"train": TRAIN, "validation": UPPER, "test": EMPTY})
    assert ran.code == 0
    assert "Channel validation: column 'state': 60 of 60 cells hold categories" in ran.log
    assert "Channel test: column 'state': 60 of 60 cells are missing" in ran.log


def test_rows_of_train_in_the_test_channel_are_said(job: Job) -> None:
    ran = job({"train": TRAIN, "test": TRAIN})
    assert ran.code == 0
    assert "Leakage? 120 of 120 rows of test are rows of train too\n" in ran.log
    refused = job({}, {"fail_on_leakage": "true"})
    assert refused.failure.startswith(
        "channel train: 120 of 120 rows of test are rows of train too. List such columns in "
    )


def test_a_check_examines_every_task(job: Job) -> None:
    table = ["y,x,same\n", *(f"{n * 7 % 60},{n % 4},{n * 7 % 60 * 2.54:.2f}\n" for n in range(120))]
    ran = job({"train": "".join(table)}, {"objective": "reg:squarederror"}, arguments=["--check"])
    assert ran.code == 0
    assert "leakage: column 'same' alone predicts the label (R2 1.000)\n" in ran.log
    words = ["y,x,same\n", *(f"{'abc'[n % 3]},{n % 4},{'uvw'[n % 3]}\n" for n in range(120))]
    ran = job({"train": "".join(words)}, {"objective": "multi:softprob"}, arguments=["--check"])
    assert ran.code == 0
    assert "leakage: column 'same' alone predicts the label (recall 1.000)\n" in ran.log
    assert "column 'x'" not in ran.log
