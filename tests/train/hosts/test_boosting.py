"""What hosts boost together is what one host boosts of all rows, whatever each of them has."""

import hashlib
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xgboost
from numpy.typing import NDArray

from sagetree.boosters.objectives import objective_of
from sagetree.boosters.scoring import Scorer
from sagetree.errors import DataError
from sagetree.features.pipeline import FeaturePipeline
from sagetree.tables.schema import Schema
from sagetree.tables.table import Source, Table
from sagetree.train.boosting.plan import BoostingPlan, RunOptions
from sagetree.train.boosting.strategies import fit
from sagetree.train.columns.labels import Goal
from sagetree.train.columns.plan import facts_of, fit_plan
from sagetree.train.examples.examples import Examples
from sagetree.train.examples.gathered import gathered
from sagetree.train.hosts.group import ONE, Group
from sagetree.train.settings.settings import TrainSettings
from tests.train.hosts.processes import in_group
from tests.train.hosts.threads import together

ROWS, QUERY = 1000, 10

Given = Mapping[str, str]

# Of a few rounds without chance: XGBoost draws other rows where others are at hand.
PLAIN = {"num_round": "6", "preset": "xgboost", "target": "y"}

CORE: Mapping[str, Given] = {
    "binary": {"early_stopping_rounds": "3"},
    "from files": {"external_memory": "true", "weight_column": "w"},
    "held out": {"validation": "none"},
    "classes": {"objective": "multi:softprob", "num_class": "3"},
    "queries": {"objective": "rank:ndcg", "group_column": "q", "drop_columns": "w"},
}
MORE: Mapping[str, Given] = {
    "depths": {"preset": "sagetree", "num_round": "20", "early_stopping_rounds": "5"}
    | {"subsample": "1"},
    "some columns": {"colsample_bytree": "0.5", "colsample_bynode": "0.7"},
    "dart": {"booster": "dart"},
    "leaves": {"grow_policy": "lossguide", "max_leaves": "7"},
    "pairs": {"objective": "rank:pairwise", "group_column": "q", "drop_columns": "w"},
    "held out in time": {"validation": "none", "time_column": "q", "drop_columns": "w"},
    "held-out groups": {"validation": "none", "group_column": "q", "drop_columns": "w"},
    **{
        name: {"objective": name}
        for name in ("reg:squarederror", "count:poisson", "reg:gamma", "reg:tweedie")
    },
    **{name: {"objective": name} for name in ("reg:pseudohubererror", "binary:hinge")},
}


class Read:
    """Rows of one table, and those of a validation channel, as a job has them."""

    def __init__(self, given: Given, count: int = ROWS) -> None:
        texts = {**PLAIN, "drop_columns": "w,q", **given}
        self.has_validation = texts.pop("validation", "") != "none"
        if "weight_column" in texts:
            texts["drop_columns"] = "q"
        self.settings = TrainSettings.of(texts)
        objective = self.settings.boosting.objective
        goal = Goal(objective_of(objective))
        self.count = count
        table = table_of(objective, count, 0)
        plan = fit_plan(facts_of(table, self.settings.columns), self.settings.columns, goal)
        self.schema: Schema = plan.schema
        self.features: FeaturePipeline = plan.features
        self.classes = 3 if objective.startswith("multi") else 0
        found = []
        for each in (table, table_of(objective, ROWS // 2, 1)):
            rows = plan.apply(each)
            matrix = plan.features.transform(rows.inputs).values
            external = bool(self.settings.boosting.external_memory)
            found.append(Examples(matrix, rows.labels, rows.roles, external=external))
        self.train, self.validation = found

    def models(self, group: Group, *, empty: bool) -> tuple[bytes, ...]:
        """Return what a host makes of its share: the leader has a hundredth, or nothing."""
        train = self.train.take(share(group, self.count, 0 if empty else ROWS // 100))
        validation = self.validation.take(share(group, ROWS // 2, QUERY))
        chosen = gathered(group, validation) if self.has_validation else None
        options = RunOptions(group=group)
        plan = BoostingPlan.of(
            self.settings.boosting,
            self.schema,
            self.features,
            train,
            classes=self.classes,
            run=options,
        )
        return fit(plan, train, chosen).models


def share(group: Group, rows: int, least: int) -> NDArray[np.intp]:
    """Return the rows of a host: the leader has the first few."""
    if group.size == 1:
        return np.arange(rows)
    others = np.array_split(np.arange(least, rows).reshape(-1, QUERY), group.size - 1)
    return np.arange(least) if group.is_leader else others[group.rank - 1].ravel()


def table_of(objective: str, rows: int, seed: int) -> Table:
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, rows)).round(3)
    kind = random.integers(0, 6, rows)
    signal = a * b + (kind - 2.5) * 0.4 + random.normal(size=rows) * 0.5
    labels: NDArray[np.generic] = signal
    match objective.partition(":")[0]:
        case "binary":
            labels = (signal > 0.3).astype(int)
        case "multi" | "rank":
            labels = np.digitize(signal, [-0.5, 0.6])
        case "count":
            labels = random.poisson(np.exp(signal / 2))
    if objective in ("reg:gamma", "reg:tweedie"):
        labels = np.exp(signal / 2)
    columns = {
        "y": labels,
        "a": a,
        "b": b,
        "kind": [f"k{number}" for number in kind],
        "w": 1 + np.abs(a).round(1),
        "q": np.arange(rows) // QUERY,
    }
    arrays = tuple(pa.chunked_array([pa.array(values)]) for values in columns.values())
    return Table(tuple(columns), arrays, rows, True, (Source(rows),))


def told(models: tuple[bytes, ...]) -> list[Any]:
    """Return models as JSON: their hash, their splits, and their leaves' values."""
    (model,) = models
    splits: list[list[str]] = []
    leaves: list[float] = []

    def walk(tree: int, node: Mapping[str, Any]) -> None:
        if "leaf" in node:
            leaves.append(node["leaf"])
            return
        cell = (tree, node["nodeid"], node["split"], node["split_condition"])
        splits.append([str(value) for value in cell])
        for child in node["children"]:
            walk(tree, child)

    dumped = xgboost.Booster(model_file=bytearray(model)).get_dump(dump_format="json")
    for number, text in enumerate(dumped):
        walk(number, json.loads(text))
    return [hashlib.sha256(model).hexdigest(), splits, leaves]


def boost(cases: Mapping[str, Given], group: Group) -> object:
    return {
        f"{name}, {empty}": told(Read(given).models(group, empty=empty))
        for name, given in cases.items()
        for empty in (False, True)
    }


def check(tmp_path: Path, cases: Mapping[str, Given], count: int) -> None:
    leader, *others = in_group(tmp_path, count, partial(boost, cases))
    assert isinstance(leader, dict)
    for other in others:
        assert other == leader
    for name, given in cases.items():
        has_folds_alone = "validation" in given
        one = (
            leader[f"{name}, False"]
            if has_folds_alone
            else told(Read(given).models(ONE, empty=False))
        )
        for case in (f"{name}, False", f"{name}, True"):
            _, splits, leaves = leader[case]
            assert splits == one[1], case
            assert leaves == pytest.approx(one[2], abs=1e-6), case


def test_shares_of_rows_make_the_model_of_all_rows(tmp_path: Path) -> None:
    """The leader has a hundredth of them, or none at all."""
    check(tmp_path, CORE, 2)


@pytest.mark.long
def test_shares_of_rows_make_the_model_of_all_rows_for_every_objective(tmp_path: Path) -> None:
    check(tmp_path, MORE, 3)


def test_leaves_that_are_medians_need_rows_on_each_host() -> None:
    """XGBoost makes another model on a host without any."""
    read = Read({"objective": "reg:absoluteerror"})
    with pytest.raises(DataError) as caught:
        together(2, lambda group: read.models(group, empty=True))
    assert str(caught.value) == (
        "host algo-1: it has no rows to learn from, and objective=reg:absoluteerror needs some on "
        "each host. Give the channel train more files, or the job fewer hosts"
    )


# From here on a sample of the rows is what quantiles are cut by, and metrics of train are of.
MANY = 240_000


def boost_many(group: Group) -> list[float | str]:
    """Return the hash of the model of many rows, and its log loss on those left out."""
    read = Read({"max_depth": "3"}, MANY)
    (model,) = read.models(group, empty=False)
    scores = Scorer.load(model).score(read.validation.matrix).astype(np.float64)
    labels = read.validation.labels
    loss = -np.log(np.where(labels == 1, scores, 1 - scores)).mean()
    return [hashlib.sha256(model).hexdigest(), float(loss)]


@pytest.mark.long
def test_the_cuts_of_a_sample_of_all_hosts_are_as_good_as_those_of_one(tmp_path: Path) -> None:
    leader, *others = in_group(tmp_path, 3, boost_many)
    assert others == [leader] * 2
    assert isinstance(leader, list)
    assert leader[1] == pytest.approx(boost_many(ONE)[1], rel=0.01)
