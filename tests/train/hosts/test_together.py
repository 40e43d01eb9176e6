"""Jobs of one, two and three hosts on the same rows: the same model, written once."""

import io
import re
import shutil
import signal
import tarfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import xgboost

from sagetree.bundle.bundle import ModelBundle
from sagetree.bundle.model import Model
from tests.sagetree.models import table_of
from tests.train.hosts.processes import Host, run_hosts, start_hosts

HEAD = "y,a,b,kind\n"
METRICS = re.compile(r".*\[[0-9]+\].*validation-auc:([-+.0-9eE]+)")

# Every round draws: what goes on from a checkpoint makes the same trees only if it draws the same.
DRAWN = {"num_round": 10, "subsample": 0.7, "colsample_bynode": 0.5, "early_stopping_rounds": 10}


def rows_of(count: int, seed: int = 0) -> list[str]:
    """Return rows of CSV whose label depends on an interaction of two numbers and on a category."""
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, count)).round(3)
    kind = random.integers(0, 4, count)
    label = (a * b + 0.4 * (kind - 1.5) + random.normal(size=count) * 0.6 > 0.3).astype(int)
    return [f"{y},{x},{z},k{k}\n" for y, x, z, k in zip(label, a, b, kind, strict=True)]


def channels(count: int) -> list[dict[str, str]]:
    """Return what each of this many hosts is given: its rows, dealt in turn."""
    train, validation = rows_of(1200), rows_of(400, 1)
    return [
        {
            "train": HEAD + "".join(train[number::count]),
            "validation": HEAD + "".join(validation[number::count]),
        }
        for number in range(count)
    ]


def ended(hosts: Sequence[Host]) -> Sequence[Host]:
    assert [host.wait() for host in hosts] == [0] * len(hosts), [host.log for host in hosts]
    return hosts


def train(
    root: Path, count: int, settings: Mapping[str, object], **config: object
) -> Sequence[Host]:
    return ended(run_hosts(root, channels(count), settings, **config))


def models_of(host: Host) -> tuple[bytes, ...]:
    return ModelBundle.load(host.opt_ml.model).models


def splits(host: Host) -> list[list[tuple[int, float]]]:
    """Return which feature each split of each tree is on, and where."""
    (model,) = models_of(host)
    trees = xgboost.Booster(model_file=bytearray(model)).trees_to_dataframe()
    return trees[["Tree", "Node", "Feature", "Split", "Category"]].astype(str).values.tolist()


@pytest.mark.parametrize("count", [3, pytest.param(2, marks=pytest.mark.long)])
def test_hosts_make_the_model_that_one_makes_and_the_leader_alone_tells_and_writes_it(
    tmp_path: Path, count: int
) -> None:
    """The rows are the same in all, and rounds stop early."""
    settings = {"num_round": 40, "eta": 0.5, "early_stopping_rounds": 3, "subsample": 1}
    settings |= {"max_depth": 4}
    settings |= {"calibration": "none"}  # a slope of 10 would make ten times of any difference
    fields = [row.strip().split(",")[1:] for row in rows_of(300, 2)]
    a, b, kind = (list(column) for column in zip(*fields, strict=True))
    asked = table_of({"a": [float(x) for x in a], "b": [float(x) for x in b], "kind": kind})
    (one,) = train(tmp_path / "one", 1, settings)
    leader, *others = train(tmp_path / "several", count, settings)
    assert splits(leader) == splits(one)
    scores = [Model.load(host.opt_ml.model).score(asked) for host in (one, leader)]
    assert scores[1] == pytest.approx(scores[0], abs=1e-6)
    assert METRICS.findall(leader.log) == METRICS.findall(one.log)
    for host in others:
        assert not METRICS.findall(host.log)
        assert "Done: host 127.0.0.1 writes the model" in host.log
        assert not any(host.opt_ml.model.iterdir())
        assert not any(host.opt_ml.output_data.iterdir())


@pytest.mark.long
def test_hosts_go_on_from_the_leaders_checkpoints_byte_for_byte(tmp_path: Path) -> None:
    """Only the leader's folder is there when the job is started again."""
    config: dict[str, object] = {"checkpoint": {}}
    whole = train(tmp_path / "whole", 2, DRAWN | {"num_round": 14}, **config)
    first = train(tmp_path / "again", 2, DRAWN, **config)
    assert [host.opt_ml.checkpoints.exists() for host in first] == [True, False]
    for host in first:
        shutil.rmtree(host.opt_ml.model)
    again = train(tmp_path / "again", 2, DRAWN | {"num_round": 14}, **config)
    assert "Going on after round 9" in again[0].log
    assert models_of(again[0]) == models_of(whole[0])


def until(is_so: Callable[[], bool], host: Host) -> None:
    limit = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < limit, host.log
        time.sleep(0.02)


def test_sigterm_on_any_host_stops_all_after_the_same_round(tmp_path: Path) -> None:
    """The leader notes nothing itself; the best model up to there is saved, once."""
    settings = {"num_round": 100_000, "early_stopping_rounds": 100_000, "max_depth": 2}
    leader, other = start_hosts(tmp_path, channels(2), settings)
    until(lambda: bool(METRICS.search(leader.log)), leader)
    other.signal(signal.SIGTERM)
    ended([leader, other])
    told = [re.findall(r"SIGTERM after (\d+) rounds", host.log) for host in (leader, other)]
    assert told[0] == told[1] != []
    assert models_of(leader)
    assert not any(other.opt_ml.model.iterdir())


@pytest.mark.long
def test_a_host_taken_away_costs_no_more_than_the_rounds_since_the_last_checkpoint(
    tmp_path: Path,
) -> None:
    """As on a spot instance: both end, and the job that is started again makes the same model."""
    settings = DRAWN | {"num_round": 60, "early_stopping_rounds": 60, "checkpoint_interval": 5}
    config: dict[str, object] = {"checkpoint": {}}
    whole = train(tmp_path / "whole", 2, settings, **config)
    leader, other = start_hosts(tmp_path / "spot", channels(2), settings, **config)
    until(lambda: any(leader.opt_ml.checkpoints.glob("sagetree-checkpoint-watched*")), leader)
    other.signal(signal.SIGKILL)
    assert (leader.wait(), other.wait()) == (1, -signal.SIGKILL)
    assert not any(leader.opt_ml.model.iterdir())
    again = train(tmp_path / "spot", 2, settings, **config)
    assert "Going on after round" in again[0].log
    assert models_of(again[0]) == models_of(whole[0])


@pytest.mark.long
def test_hosts_add_rounds_to_an_earlier_model_as_one_host_does(tmp_path: Path) -> None:
    settings = {"num_round": 5, "subsample": 1, "max_depth": 3}
    (first,) = train(tmp_path / "first", 1, settings)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(first.opt_ml.model, arcname=".")
    model = {"model.tar.gz": packed.getvalue()}
    more = [
        ended(
            run_hosts(
                tmp_path / str(count),
                [{**given, "model": model} for given in channels(count)],
                settings | {"num_round": 8},
            )
        )[0]
        for count in (1, 2)
    ]
    assert splits(more[1]) == splits(more[0])
    assert splits(first) == splits(more[1])[: len(splits(first))]
