"""Real artifact folders, and a client of the application on one of them."""

import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import xgboost
from werkzeug.test import Client

from sagetree.bundle.bundle import ModelBundle
from sagetree.bundle.file_names import MODEL_FILE
from sagetree.bundle.model import Model
from tests.serve.artifacts import client_for, make_bundle
from tests.serve.rows import records


@pytest.fixture(scope="session")
def bundle() -> ModelBundle:
    return make_bundle(1)


@pytest.fixture(scope="session")
def other_bundle() -> ModelBundle:
    """Another model of the same table: it gives other scores."""
    return make_bundle(2, rounds=3)


@pytest.fixture(scope="session")
def base_dir(bundle: ModelBundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An /opt/ml with a bundle. Not to be changed."""
    base = tmp_path_factory.mktemp("opt_ml")
    bundle.save(base / "model")
    return base


@pytest.fixture(scope="session")
def model(base_dir: Path) -> Model:
    return Model.load(base_dir / "model")


@pytest.fixture
def own_base_dir(base_dir: Path, tmp_path: Path) -> Path:
    """A copy of `base_dir` for one test."""
    shutil.copytree(base_dir, tmp_path / "ml")
    return tmp_path / "ml"


@pytest.fixture(scope="session")
def plain_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the official container leaves: only an xgboost-model, columns by position."""
    folder = tmp_path_factory.mktemp("official") / "model"
    folder.mkdir()
    source = np.random.default_rng(3)
    matrix = source.random((200, 3), np.float32)
    data = xgboost.DMatrix(matrix, matrix[:, 0] > matrix[:, 1])
    params = {"objective": "binary:logistic", "max_depth": 3, "nthread": 1}
    xgboost.train(params, data, 5).save_model(folder / "model.ubj")
    (folder / "model.ubj").rename(folder / MODEL_FILE)
    return folder


@pytest.fixture(scope="session")
def multiclass_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("multiclass") / "model"
    folder.mkdir()
    source = np.random.default_rng(4)
    matrix = source.random((200, 3), np.float32)
    data = xgboost.DMatrix(matrix, matrix.argmax(axis=1))
    params = {"objective": "multi:softprob", "num_class": 3, "max_depth": 2, "nthread": 1}
    xgboost.train(params, data, 5).save_model(folder / "model.json")
    return folder


@pytest.fixture
def pickle_dir(tmp_path: Path) -> Path:
    """A pickle that would make a folder if it were opened."""

    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "opened"),)

    folder = tmp_path / "model"
    folder.mkdir()
    (folder / MODEL_FILE).write_bytes(pickle.dumps(Trap()))
    return folder


@pytest.fixture(scope="session")
def client(base_dir: Path) -> Client:
    client = client_for(base_dir / "model")
    # The first request waits for the model.
    assert client.post("/invocations", json=records(1)).status_code == 200
    return client
