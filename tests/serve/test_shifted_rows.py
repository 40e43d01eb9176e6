"""Rows without names that are a cell too wide: no column is given its neighbour's cell."""

from pathlib import Path

import numpy as np
import pytest
from werkzeug.test import Client

from sagetree.boosters.scoring import Scorer
from sagetree.bundle.bundle import ModelBundle, SelfCheck
from sagetree.bundle.file_names import MODEL_FILE
from sagetree.features.number import Number
from sagetree.features.pipeline import FeaturePipeline
from sagetree.tables.label import Label
from sagetree.tables.schema import Column, Schema
from tests.serve.artifacts import client_for
from tests.serve.asking import post, problem

SCHEMA = Schema(
    columns=(
        Column(name="id", kind="identifier", missing=0, distinct=300, forms=("9",)),
        *(Column(name=f"x{i}", kind="number", missing=0, distinct=9, low=0, high=1) for i in "123"),
    ),
    label=Label(name="y", negative="0", positive="1"),
    named=True,
)


@pytest.fixture(scope="module")
def client(plain_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Client:
    """A server of the plain model as if a column had been left out of its training."""
    features = tuple(Number(column=f"x{i}") for i in "123")
    pipeline = FeaturePipeline(missing_values=(), unknown_category="missing", features=features)
    rows = ((0.5, 0.25, 0.125),)
    score = Scorer.load((plain_dir / MODEL_FILE).read_bytes()).score(np.array(rows, np.float32))
    bundle = ModelBundle(
        models=((plain_dir / MODEL_FILE).read_bytes(),),
        schema=SCHEMA,
        features=pipeline,
        decision=None,
        selfcheck=SelfCheck(columns=("x1", "x2", "x3"), rows=rows, scores=tuple(score.tolist())),
        hyperparameters={},
        data={},
        metrics={},
    )
    folder = tmp_path_factory.mktemp("shifted") / "model"
    bundle.save(folder)
    return client_for(folder)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/csv", b"0.9,0.1,0.2,1\n"),
        ("text/csv", b"0.9,0.1,0.2,\n0.8,0.2,0.1,\n"),
        ("text/csv", b"1,0,0.2,\n"),
        ("application/json", b"[[0.9, 0.1, 0.2, 1]]"),
        ("application/json", b'{"features": [1, 0.1, 0.2, null]}'),
        ("application/json", b'{"instances": [{"features": [1, 0.1, 0.2, 0]}]}'),
        (
            "application/jsonlines",
            b'{"features": [0.9, 0.1, 0.2, 1]}\n{"features": [0.8, 0.1, 0.2, 1]}\n',
        ),
        ("text/libsvm", b"0:0.9 1:0.1 2:0.2\n"),
        ("text/libsvm", b"0:1 1:0.1 2:0.2\n"),
    ],
)
def test_a_cell_too_many_never_shifts_a_row(client: Client, kind: str, body: bytes):
    status, found = problem(post(client, body, kind))
    assert (status, found["error"]) == (422, "SchemaError")
    assert found["hint"] == (
        "Name the columns, or send only what the model needs: x1, x2, x3. 4 cells are id, x1, x2, "
        "x3"
    )


def test_rows_of_all_columns_are_known_by_their_cells(client: Client):
    expected = post(client, b"0.9,0.1,0.2\n").data
    assert post(client, b"17,0.9,0.1,0.2\n").data == expected
    assert post(client, b"0:17 1:0.9 2:0.1 3:0.2\n", "text/libsvm").data == expected
    widths = client.get("/schema").get_json()["widths"]
    assert widths == {"required": 3, "all": 4}
