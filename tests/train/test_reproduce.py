"""`train --reproduce`: equal, or the first thing that is not as it was."""

import json
from pathlib import Path

import pytest

from sagetree.bundle.bundle import Manifest, read_manifest
from sagetree.bundle.file_names import MANIFEST_FILE
from sagetree.machine.paths import OptMl
from sagetree.train.reproduce import find_difference
from tests.train.conftest import Job, lines

SETTINGS = {"num_round": 8, "seed": 3, "nfold": 2}


@pytest.fixture
def manifest(job: Job, opt_ml: OptMl) -> Path:
    """The manifest of a job, whose model is kept elsewhere."""
    opt_ml.config.mkdir(parents=True)
    (opt_ml.config / "checkpointconfig.json").write_text("{}")
    assert job({"train": lines()}, SETTINGS).code == 0
    opt_ml.model.rename(opt_ml.root / "kept")
    return opt_ml.root / "kept" / MANIFEST_FILE


def test_the_same_data_give_the_same_model(job: Job, opt_ml: OptMl, manifest: Path) -> None:
    origin = read_manifest(manifest).origin
    assert (origin.seed, origin.threads, origin.has_checkpoints) == (3, 1, True)
    # what hyperparameters.json says now is of no account
    ran = job({}, {"num_round": 3}, arguments=["--reproduce", str(manifest)])
    assert ran.code == 0, ran.log
    assert ran.log.endswith(f"Equal: the model of {manifest} again, byte for byte\n")
    assert not opt_ml.model.exists()


def test_other_data_are_named(job: Job, manifest: Path) -> None:
    ran = job({"train": lines(118)}, arguments=["--reproduce", str(manifest)])
    assert ran.code == 1
    assert ran.failure == (
        "channel train has changed: 120 rows then, 118 rows now, with another sha256. "
        "Restore the data to get the same model\n"
    )


OTHERS = [
    ({}, None),
    ({"metrics": {}, "versions": {"python": "2.7"}}, None),  # the models are equal all the same
    (
        {"versions": {"xgboost": "1.7"}, "files": {"xgboost-model": "0"}},
        "the version of numpy has changed: none then, ",
    ),
    (
        {"hyperparameters": {"eta": "1"}, "files": {"xgboost-model": "0"}},
        "the hyperparameter eta has changed: 1 then, none now. Restore it to get the same model",
    ),
    (
        {"files": {"xgboost-model": "0"}},
        "xgboost-model has different bytes, though data, versions and hyperparameters are the "
        "same. "
        "Another CPU type rounds differently: use one like the first",
    ),
    (
        {"files": {"xgboost-model": "0"}, "data": {}},
        "channel train has changed: 0 rows then, 120 rows now, with another sha256. "
        "Restore the data to get the same model",
    ),
]


def test_the_first_difference_is_named(manifest: Path) -> None:
    now = read_manifest(manifest)
    for changes, text in OTHERS:
        then = Manifest.model_validate(now.model_dump() | changes)
        found = find_difference(then, now)
        assert (found is None) == (text is None)
        assert text is None or str(found).startswith(text)


NAME_ANOTHER = "Name the manifest of a job that was completed"


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        (
            None,
            f"it has neither seed nor threads: it is from an older sagetree. {NAME_ANOTHER}",
        ),
        (
            {"seed": 1, "threads": 1, "has_checkpoints": False, "is_stopped": True},
            f"it is from a job that was stopped before its end. {NAME_ANOTHER}",
        ),
        (
            {"seed": 1, "threads": 1, "has_checkpoints": False, "is_stopped": False, "hosts": 3},
            "it is from a job of 3 hosts, and this is one host. Start a job with the same number "
            "of hosts on the same files, and compare the two models",
        ),
    ],
)
def test_what_cannot_be_had_again(job: Job, tmp_path: Path, origin: object, said: str) -> None:
    names = ("files", "versions", "hyperparameters", "data", "metrics")
    empty: dict[str, object] = {name: {} for name in names}
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({**empty, "format": 1, "origin": origin}))
    ran = job({"train": lines()}, arguments=["--reproduce", str(path)])
    assert ran.failure == f"{path}: {said}\n"


def test_no_manifest_at_all(job: Job, tmp_path: Path) -> None:
    ran = job({"train": lines()}, arguments=["--reproduce", str(tmp_path / "none.json")])
    assert ran.failure == (
        "sagetree/manifest.json: it cannot be read. Copy the artifact again, or train again\n"
    )


@pytest.mark.long
def test_a_search_gives_the_same_model_and_names_its_optuna(job: Job, opt_ml: OptMl) -> None:
    assert job({"train": lines()}, {**SETTINGS, "tune": 4}).code == 0
    path = opt_ml.model / MANIFEST_FILE
    assert "optuna" in read_manifest(path).versions
    ran = job({}, arguments=["--reproduce", str(path)])
    assert ran.code == 0, ran.log


def test_a_search_for_a_time_cannot_be_had_again(job: Job, manifest: Path) -> None:
    content = json.loads(manifest.read_text())
    content["hyperparameters"]["tune"] = "20m"
    manifest.write_text(json.dumps(content))
    assert job({}, arguments=["--reproduce", str(manifest)]).failure == (
        f"{manifest}: it is from a search limited by time (tune=20m), whose trials depend on the "
        "machine. Name the manifest of a job with a number of trials, such as tune=30\n"
    )
