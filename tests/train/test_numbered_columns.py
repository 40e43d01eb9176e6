"""Columns that libsvm numbers, where some of them have a role, or a weight stands beside them."""

import numpy as np
import pytest

from tests.serve.artifacts import client_for
from tests.serve.asking import post
from tests.train.conftest import Job, Ran

_RANDOM = np.random.default_rng(0)
ROWS = _RANDOM.normal(size=(60, 3)).round(3)
LIBSVM = {"ContentType": "text/libsvm"}
SETTINGS = {"objective": "reg:squarederror", "preset": "xgboost", "num_round": 5}


def libsvm(rows: np.ndarray, beside: str = "", first: int = 1) -> str:
    lines = []
    for number, row in enumerate(rows):
        label = f"{row[0] + row[2]:.3f}" + (f":{1 + number % 2}" if beside == "weight" else "")
        cells = " ".join(f"{first + index}:{cell}" for index, cell in enumerate(row))
        lines.append(f"{label} {f'qid:{number // 5} ' if beside == 'qid' else ''}{cells}\n")
    return "".join(lines)


def answers(ran: Ran, body: str, kind: str) -> list[float]:
    answer = post(client_for(ran.opt_ml.model), body.encode(), kind)
    assert answer.status_code == 200, answer.data
    return [float(line) for line in answer.data.decode().split()]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("beside", ["", pytest.param("weight", marks=pytest.mark.long), "qid"])
def test_a_number_means_the_same_column_whatever_stands_beside(
    job: Job, beside: str, first: int
) -> None:
    texts = {"train": libsvm(ROWS, beside, first), "validation": libsvm(ROWS[:20], beside, first)}
    ran = job(texts, SETTINGS, dict.fromkeys(texts, LIBSVM))
    assert ran.code == 0, ran.log
    asked = libsvm(ROWS[:6], first=first)
    csv = "".join(",".join(map(str, row)) + "\n" for row in ROWS[:6])
    found = answers(ran, asked, "text/libsvm")
    assert found == answers(ran, csv, "text/csv")
    assert len(set(found)) > 2


@pytest.mark.parametrize("role", ["base_margin_column", "time_column"])
def test_a_numbered_column_with_a_role_is_numbered_in_every_channel(job: Job, role: str) -> None:
    texts = {"train": libsvm(ROWS), "validation": libsvm(ROWS[:20])}
    ran = job(texts, {**SETTINGS, role: "f2"}, dict.fromkeys(texts, LIBSVM))
    assert ran.code == 0, ran.log
    found = answers(ran, libsvm(ROWS[:6]), "text/libsvm")
    # by name: rows of three numbers could as well be two columns and a label
    csv = "f1,f2,f3\n" + "".join(",".join(map(str, row)) + "\n" for row in ROWS[:6])
    assert found == answers(ran, csv, "text/csv")
    without = "".join(f"{row[0]},{row[2]}\n" for row in ROWS[:6])
    plain = answers(ran, without, "text/csv")
    start = ROWS[:6, 1] if role == "base_margin_column" else 0
    np.testing.assert_allclose(found, np.array(plain) + start, atol=1e-5)
