"""Every bundle that was ever written says what it can of its training's rows."""

from dataclasses import replace
from pathlib import Path

import pytest

from sagetree.bundle.bundle import ModelBundle
from sagetree.drift.measures.baselines import known_columns
from sagetree.errors import ArtifactError

OLD = sorted((Path(__file__).parents[1] / "bundles").glob("format-*"))


@pytest.mark.parametrize("folder", OLD, ids=lambda folder: folder.name)
def test_an_old_bundle_says_what_it_can(folder: Path) -> None:
    """Numbers, booleans, and categories that are few: by the histograms of features."""
    bundle = ModelBundle.load(folder)
    if bundle.baseline is None and bundle.columns is None:
        with pytest.raises(ArtifactError) as error:
            known_columns(bundle)
        assert str(error.value) == (
            "the model does not store what its training rows were like. Train it again with this "
            "sagetree"
        )
        return
    found = known_columns(bundle)
    assert [one.name for one in found] == list(bundle.schema.input_names)
    for one in found:
        if one.kind == "number":
            assert one.numbers is not None
        assert one.is_known or one.kind in ("category", "datetime", "mixed", "ordinal")


def test_columns_of_another_model_are_refused(bundle: ModelBundle) -> None:
    assert bundle.columns is not None
    fewer = bundle.columns.model_copy(update={"columns": bundle.columns.columns[1:]})
    with pytest.raises(ArtifactError) as error:
        known_columns(replace(bundle, columns=fewer))
    assert str(error.value) == (
        "sagetree/columns.json: its columns are not the model's. Copy the artifact again, or train "
        "again"
    )


def test_histograms_say_the_same_of_few_categories(bundle: ModelBundle) -> None:
    """Those of before, and those of columns."""
    now = {one.name: one for one in known_columns(bundle)}
    before = {one.name: one for one in known_columns(replace(bundle, columns=None))}
    assert before["kind"].counts == now["kind"].counts
    assert now["city"].counts is not None
    assert not before["city"].is_known
    assert before["amount"].missing == now["amount"].missing == 0.0
