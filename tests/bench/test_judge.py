import json
import subprocess
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from bench.quality.judge import Case, compute, kept_scores
from bench.quality.store import Store
from bench.quality.table import read_tables
from tests.bench.tables import cancer, diabetes, write_tables


@dataclass
class BaseRate:
    """A contender that scores every row alike, and knows what it was asked for."""

    name: str = "base_rate"
    digest: str = "1"
    asked: list = field(default_factory=list)

    def scores(self, table, folds):
        for fold in folds:
            self.asked.append((table.name, fold.repeat, fold.number, fold.rows.tolist()))
            others = fold.others(len(table.labels))
            yield np.full(len(fold.rows), table.labels[others].mean())


class Fails(BaseRate):
    """A contender that fails after its first fold."""

    def scores(self, table, folds):
        yield from super().scores(table, folds[:1])
        raise subprocess.CalledProcessError(1, "worker")


@pytest.fixture
def cases(tmp_path):
    folder = write_tables(tmp_path, cancer=cancer(), diabetes=diabetes(60))
    return [Case(table, tuple(table.split())) for table in read_tables(folder)]


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "results")


def test_small_tables_come_first(cases):
    assert [case.table.name for case in cases] == ["diabetes", "cancer"]


def test_each_row_is_scored_once_a_repeat_and_the_same_folds_each_time(cases):
    table = replace(cases[1].table, repeats=2)
    folds = table.split()
    for repeat in range(2):
        rows = np.concatenate([fold.rows for fold in folds if fold.repeat == repeat])
        assert sorted(rows) == list(range(150))
    again = replace(table).split()
    assert all((one.rows == two.rows).all() for one, two in zip(folds, again, strict=True))


def test_everyone_has_the_same_folds(cases, store):
    one, two = BaseRate(), BaseRate("other")
    assert compute(store, [one, two], cases)
    assert one.asked == two.asked
    assert len(one.asked) == 6


def test_nothing_is_computed_twice(cases, store):
    compute(store, [BaseRate()], [cases[0]._replace(folds=cases[0].folds[:2])])
    rest = BaseRate()
    compute(store, [rest], cases)
    assert [asked[:3] for asked in rest.asked] == [
        ("diabetes", 0, 2), ("cancer", 0, 0), ("cancer", 0, 1), ("cancer", 0, 2),
    ]  # fmt: skip
    none = BaseRate()
    compute(store, [none], cases)
    assert none.asked == []
    assert kept_scores(store, none, cases[0])[0, 1] == pytest.approx(
        next(BaseRate().scores(cases[0].table, cases[0].folds[1:]))
    )


def test_a_fold_whose_line_was_cut_off_is_computed_again(cases, store):
    case = cases[0]
    compute(store, [BaseRate()], [case])
    file = store.folder / "base_rate" / "diabetes.jsonl"
    file.write_bytes(file.read_bytes()[:-10])
    again = BaseRate()
    compute(store, [again], [case])
    assert [asked[:3] for asked in again.asked] == [("diabetes", 0, 2)]
    assert len(kept_scores(store, again, case)) == 3


def test_who_changed_is_computed_again_and_nobody_else(cases, store):
    compute(store, [BaseRate(), BaseRate("other")], cases)
    changed, other = BaseRate(digest="2"), BaseRate("other")
    compute(store, [changed, other], cases)
    assert len(changed.asked) == 6
    assert other.asked == []


def test_a_table_that_changed_is_computed_again(cases, store):
    compute(store, [BaseRate()], cases)
    folder = cases[0].table.file.parent
    meta = json.loads((folder / "meta.json").read_text())
    meta["cancer"]["positive"] = 1
    (folder / "meta.json").write_text(json.dumps(meta))
    again = BaseRate()
    compute(store, [again], [Case(table, tuple(table.split())) for table in read_tables(folder)])
    assert {asked[0] for asked in again.asked} == {"cancer"}


def test_a_contender_that_fails_is_said_and_the_others_go_on(cases, store, capsys):
    fails, other = Fails("fails"), BaseRate()
    assert not compute(store, [fails, other], cases)
    assert "diabetes: fails failed: " in capsys.readouterr().err
    assert len(other.asked) == 6
    assert len(kept_scores(store, fails, cases[0])) == 1
