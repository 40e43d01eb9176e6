"""Folders that MLflow writes, served as they are, and MLflow's own client before them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.clients.running import told
from tests.serve.server_process import ServerProcess, complete, eventually, serving

pytestmark = pytest.mark.long

SCRIPT = "mlflow_client.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(scope="module")
def predicted(folder: Path) -> dict[str, list[float]]:
    """What the models in the folder predict by themselves."""
    return told(SCRIPT, "save", folder)


@pytest.fixture(scope="module")
def server(predicted: dict[str, list[float]], folder: Path) -> Iterator[ServerProcess]:
    """A server of the Booster."""
    with serving(folder / "booster", folder / "log") as server:
        eventually(lambda: complete(server))
        yield server


@pytest.fixture(scope="module")
def found(server: ServerProcess) -> dict[str, Any]:
    """What MLflow's client got."""
    return told(SCRIPT, "ask", server.port)


@pytest.mark.parametrize("way", ["frame", "matrix", "list", "params"])
def test_mlflows_client_gets_what_mlflow_predicts(
    way: str, found: dict[str, Any], predicted: dict[str, list[float]]
):
    """Some cells are missing: the client writes them as NaN."""
    assert np.array(found[way], np.float32).tolist() == predicted["booster"]


def test_the_server_has_a_version(found: dict[str, Any]):
    assert not found["version"].startswith("refused"), found["version"]


def test_a_classifier_gives_its_probabilities(predicted: dict[str, list[float]], folder: Path):
    with serving(folder / "classifier", folder / "classifier.log") as server:
        eventually(lambda: complete(server))
        found = told(SCRIPT, "ask", server.port)
    assert np.array(found["frame"], np.float32).tolist() == predicted["classifier"]
