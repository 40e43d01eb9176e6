"""Every bundle ever written loads, and scores as it did (README.md)."""

import re
from pathlib import Path

import numpy as np
import orjson
import pytest

from sagetree.bundle.bundle import ModelBundle
from sagetree.bundle.file_names import MANIFEST_FILE
from sagetree.bundle.model import TOLERANCE, Model
from sagetree.bundle.old import FORMAT
from sagetree.tables.label import ClassLabel, IntervalLabel, Label, NumberLabel
from sagetree.tables.label_range import LabelRange
from tests.bundles.make import ENCODINGS, EXPECTED_FILE, TASKS
from tests.sagetree.models import table_of

# Which bundle has which calibration.
CALIBRATED = {name: name for name in ("platt", "isotonic")}

BUNDLES = sorted(Path(__file__).parent.glob("format-*"))
RELEASES = sorted(Path(__file__).parent.glob("release-*"))


@pytest.mark.parametrize("folder", [*BUNDLES, *RELEASES], ids=lambda folder: folder.name)
def test_an_old_bundle_scores_as_it_did(folder: Path) -> None:
    expected = orjson.loads((folder / EXPECTED_FILE).read_bytes())
    table = table_of(expected["rows"])
    model = Model.load(folder)
    scores = model.score(table)
    np.testing.assert_allclose(scores, expected["scores"], rtol=0, atol=TOLERANCE)
    assert len({str(score) for score in expected["scores"]}) > 3
    if folder in RELEASES:
        assert model.scorer.calibration is not None
        assert model.decision is not None
        return
    if folder.name.partition("-")[2].partition("-")[2] in TASKS:
        name = folder.name.rpartition("-")[2]
        calibration = model.scorer.calibration
        assert (calibration.method if calibration else None) == CALIBRATED.get(name)
        assert (model.decision is None) == (calibration is None)
        return
    assert model.matrix(table).unseen == ((4, "state"), (4, "severity"))
    assert model.decision is not None
    assert model.decision.threshold == 0.25


@pytest.mark.parametrize("folder", [*BUNDLES, *RELEASES], ids=lambda folder: folder.name)
def test_an_old_bundle_is_saved_as_the_present_format(folder: Path, tmp_path: Path) -> None:
    old = ModelBundle.load(folder)
    assert old.save(tmp_path).format == FORMAT
    assert ModelBundle.load(tmp_path) == old


def test_every_format_has_its_bundles() -> None:
    assert [folder.name for folder in BUNDLES] == [
        f"format-{number}-{kind}"
        for number in range(1, FORMAT + 1)
        for kind in sorted([*ENCODINGS, *TASKS])
    ]


def test_every_release_has_its_bundle() -> None:
    """0.1.0 wrote those of format 1."""
    changes = (Path(__file__).parents[2] / "CHANGELOG.md").read_text()
    later = set(re.findall(r"^## (\d+\.\d+\.\d+)", changes, re.MULTILINE)) - {"0.1.0"}
    assert {folder.name for folder in RELEASES} == {f"release-{version}" for version in later}
    for folder in RELEASES:
        manifest = orjson.loads((folder / MANIFEST_FILE).read_bytes())
        assert f"release-{manifest['versions']['sagetree']}" == folder.name


def test_bundles_of_tasks_know_their_label_and_their_models() -> None:
    label = {
        name: ModelBundle.load(Path(__file__).parent / f"format-1-{name}").schema.label
        for name in TASKS
    }
    assert label == {
        "multiclass": ClassLabel(name="y", classes=("high", "low", "mid")),
        "quantiles": NumberLabel(name="y"),
        "interval": IntervalLabel(lower="from", upper="to"),
        "ensemble": NumberLabel(name="y", allowed=LabelRange(low=0, high=31, whole=True)),
        "mean": NumberLabel(name="y"),
        "shares": ClassLabel(name="y", classes=("high", "low", "mid")),
        **dict.fromkeys(CALIBRATED, Label(name="y", negative="0", positive="1")),
    }
    ensemble = Model.load(Path(__file__).parent / "format-1-ensemble")
    assert len(ensemble.scorer.boosters) == 2
    assert [c.name for c in ensemble.schema.columns if c.kind == "group"] == ["query"]
