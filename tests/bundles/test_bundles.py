"""Every bundle ever written loads, and scores as it did (README.md)."""

from pathlib import Path

import numpy as np
import orjson
import pytest

from sagetree.bundle import FORMAT, ModelBundle
from sagetree.model import TOLERANCE, Model
from tests.bundles.make import EXPECTED_FILE
from tests.sagetree.models import table_of

BUNDLES = sorted(Path(__file__).parent.glob("format-*"))


@pytest.mark.parametrize("folder", BUNDLES, ids=lambda folder: folder.name)
def test_an_old_bundle_scores_as_it_did(folder: Path) -> None:
    expected = orjson.loads((folder / EXPECTED_FILE).read_bytes())
    table = table_of(expected["rows"])
    model = Model.load(folder)
    scores = model.score(table)
    np.testing.assert_allclose(scores, expected["scores"], rtol=0, atol=TOLERANCE)
    assert len(set(expected["scores"])) > 3
    assert model.matrix(table).unseen == ((4, "state"), (4, "severity"))
    assert model.decision is not None
    assert model.decision.threshold == 0.25


@pytest.mark.parametrize("folder", BUNDLES, ids=lambda folder: folder.name)
def test_an_old_bundle_is_saved_as_the_present_format(folder: Path, tmp_path: Path) -> None:
    old = ModelBundle.load(folder)
    assert old.save(tmp_path).format == FORMAT
    assert ModelBundle.load(tmp_path) == old


def test_every_format_has_its_bundles() -> None:
    assert [folder.name for folder in BUNDLES] == [
        f"format-{number}-{encoding}"
        for number in range(1, FORMAT + 1)
        for encoding in ("native", "onehot")
    ]
