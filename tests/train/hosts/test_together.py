"""Jobs of one, two and three hosts on the same rows: the same model, written once."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from sagetree.bundle.model import Model
from tests.sagetree.models import table_of
from tests.train.hosts.processes import Host, run_hosts

HEAD = "y,a,b,kind\n"
PLAIN = {"num_round": 12, "subsample": 1, "colsample_bytree": 1, "max_depth": 4}


def rows_of(count: int, seed: int = 0) -> list[str]:
    """Return rows of CSV whose label depends on an interaction of two numbers and on a category."""
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, count)).round(3)
    kind = random.integers(0, 4, count)
    label = (a * b + 0.4 * (kind - 1.5) + random.normal(size=count) * 0.6 > 0.3).astype(int)
    return [f"{y},{x},{z},k{k}\n" for y, x, z, k in zip(label, a, b, kind, strict=True)]


def dealt(rows: Sequence[str], count: int) -> list[str]:
    """Return the rows in turn as tables of this many hosts."""
    return [HEAD + "".join(rows[number::count]) for number in range(count)]


def train(root: Path, count: int, settings: Mapping[str, object], rows: int = 1200) -> list[Host]:
    shards = zip(dealt(rows_of(rows), count), dealt(rows_of(400, 1), count), strict=True)
    channels = [{"train": train, "validation": validation} for train, validation in shards]
    (root / str(count)).mkdir()
    hosts = run_hosts(root / str(count), channels, settings)
    assert [host.wait() for host in hosts] == [0] * count, [host.log for host in hosts]
    return hosts


def splits(model: Model) -> list[list[str]]:
    dumps = [tree for booster in model.scorer.boosters for tree in booster.dump()]
    return [[line.split("]")[0] for line in tree.splitlines() if "[" in line] for tree in dumps]


def test_hosts_make_the_model_that_one_makes(tmp_path: Path) -> None:
    fields = [row.strip().split(",")[1:] for row in rows_of(300, 2)]
    a, b, kind = zip(*fields, strict=True)
    asked = table_of({"a": list(map(float, a)), "b": list(map(float, b)), "kind": list(kind)})
    models = [Model.load(train(tmp_path, n, PLAIN)[0].opt_ml.model) for n in (1, 2, 3)]
    scores = [model.score(asked) for model in models]
    for other in (1, 2):
        assert scores[other] == pytest.approx(scores[0], abs=1e-6)
