"""How deep trees grow where nobody says it: what a table asks for, also through stops."""

import io
import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.csv as pa_csv
import pytest
from sklearn.metrics import roc_auc_score

from sagetree.boosters.objectives import objective_of
from sagetree.boosters.scoring import Scorer
from sagetree.bundle.bundle import ModelBundle
from sagetree.evaluate.metrics.interval import auc_interval
from sagetree.machine.program import Terminated
from sagetree.tables.table import Source, Table
from sagetree.train.boosting.checkpoints import Checkpoints
from sagetree.train.boosting.early_stopping import EarlyStopping, Leader
from sagetree.train.boosting.phases import boost_until_best, fold_data
from sagetree.train.boosting.plan import BoostingPlan, RunOptions
from sagetree.train.boosting.results import TrainedModels
from sagetree.train.boosting.strategies import fit, fit_held_out
from sagetree.train.columns.labels import Goal
from sagetree.train.columns.plan import facts_of, fit_plan
from sagetree.train.examples.examples import Examples
from sagetree.train.settings.checkpoint_files import fingerprint
from sagetree.train.settings.settings import Checkpointing, TrainSettings
from sagetree.train.termination import Termination
from tests.train.conftest import Job, lines

QUICK = {"num_round": 60, "nfold": 2, "target": "y"}


def table(rows: int, *, interacts: bool, labels: str = "two", seed: int = 0) -> str:
    """A table of six columns: one says something, or only two together."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 6)).round(3)
    signal = 4 * np.sign(x[:, :2]).prod(axis=1) if interacts else x[:, 0]
    value = signal + random.normal(size=rows)
    words = (value > 0).astype(int) if labels == "two" else value.round(3)
    body = (",".join(map(str, [y, *row])) for y, row in zip(words, x, strict=True))
    return "\n".join(["y,a,b,c,d,e,f", *body]) + "\n"


def chosen(log: str) -> tuple[int, dict[int, float]]:
    """Return the depth that a log names, and what each depth reached."""
    (line,) = re.findall(
        r"^max_depth=(\d+) is chosen: \S+ of the held-out rows.* is (.*)$", log, re.M
    )
    reached = (part.split(" at ") for part in line[1].split(", "))
    return int(line[0]), {int(depth): float(value) for value, depth in reached}


def with_column(text: str, name: str, values: np.ndarray) -> str:
    first, *rest = text.splitlines()
    cells = (f"{row},{value}" for row, value in zip(rest, values, strict=True))
    return "\n".join([f"{first},{name}", *cells, ""])


@pytest.mark.long
def test_rows_on_disk_get_the_depth_of_rows_in_memory(job: Job) -> None:
    found = []
    for external in ("false", "true"):
        given = {**QUICK, "num_round": 20, "external_memory": external}
        ran = job({"train": table(400, interacts=True)}, given)
        assert ran.code == 0, ran.log
        found.append(chosen(ran.log))
    (depth, values), (other, others) = found
    assert depth == other == 4
    assert others == pytest.approx(values, rel=0.05)


@pytest.mark.parametrize(
    ("role", "values"),
    [("time", range(600)), pytest.param("group", range(600), marks=pytest.mark.long)],
)
def test_depths_are_tried_on_the_folds_that_a_column_asks_for(
    job: Job, role: str, values: range
) -> None:
    text = with_column(table(600, interacts=True), "when", np.array(values) // 5)
    ran = job({"train": text}, {**QUICK, "num_round": 40, f"{role}_column": "when"})
    assert ran.code == 0, ran.log
    assert chosen(ran.log)[0] == 4
    assert "of the held-out rows of 2 of 2 folds is" in ran.log


def test_depths_are_tried_on_the_hold_out_of_many_rows() -> None:
    """Without the 200 000 rows from which a job takes one."""
    text = table(600, interacts=True)
    plan, examples = planned(text, RunOptions(), early_stopping_rounds="10")
    found = fit_held_out(plan, examples)
    assert found.chosen == {"max_depth": 4}
    assert len(found.validation.left_out.labels) == 60
    assert found.validation.rows == "a hold-out of 10% of train"


def test_a_fold_is_scored_at_what_the_other_folds_choose() -> None:
    plan, examples = planned(
        table(200, interacts=False),
        RunOptions(),
        nfold="3",
        max_depth="4",
        num_round="300",
        eta="0.2",
    )
    found = fit(plan, examples, None).validation
    folds = plan.splitter.split(examples)
    data = fold_data(plan, examples, folds)
    result = boost_until_best(plan, "folds", data)
    losses = np.array(result.history["validation"]["logloss"])
    best = [int(np.delete(losses, fold, axis=1).mean(axis=1).argmin()) + 1 for fold in range(3)]
    assert len({*best, *found.best}) > 1
    for (_, outside), part, booster, rounds in zip(folds, data, result.boosters, best, strict=True):
        expected = booster[:rounds].predict(part.validation)
        np.testing.assert_array_equal(found.judged[outside], expected)
        served = booster[: found.best[0]].predict(part.validation)
        np.testing.assert_array_equal(found.scores[outside], served)


@pytest.mark.long
@pytest.mark.parametrize(("rows", "columns"), [(300, 5), (1000, 10)])
def test_nothing_to_be_learnt_is_an_auc_of_one_half(rows: int, columns: int) -> None:
    """The choice of depth and round makes the metrics no better than new rows would."""
    reached = []
    for seed in range(40):
        random = np.random.default_rng(seed)
        cells = random.normal(size=(rows, columns)).round(4)
        labels = (random.random(rows) < 0.3).astype(int)
        lines_ = (",".join(map(str, [y, *x])) for y, x in zip(labels, cells, strict=True))
        names = ",".join(["y", *(f"c{n}" for n in range(columns))])
        plan, examples = planned("\n".join([names, *lines_, ""]), RunOptions(), num_round="2000")
        found = fit(plan, examples, None).validation
        reached.append(roc_auc_score(found.left_out.labels, found.judged))
    assert np.mean(reached) == pytest.approx(0.5, abs=0.01)


@pytest.mark.long
def test_the_interval_of_a_training_holds_the_aucs_of_its_models() -> None:
    """In 92.5 to 97.5 % of 400 draws, of the job's own model on rows that nobody has seen."""

    def drawn(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng(seed)
        x = random.normal(size=(rows, 4)).astype(np.float32)
        odds = np.exp(-(1.2 * x[:, 0] + 0.6 * x[:, 1] - 0.5))
        return x, (random.random(rows) < 1 / (1 + odds)).astype(np.float32)

    text = "y,a,b,c,d\n0,1.5,2.5,3.5,4.5\n1,2.5,3.5,5.5,6.5\n"
    plan, _ = planned(text, RunOptions(), num_round="15", preset="xgboost", max_depth="2")
    fresh, answers = drawn(20_000, 400)
    held = 0
    for seed in range(400):
        found = fit(plan, Examples(*drawn(200, seed)), None)
        judged = found.validation
        low, high = auc_interval(judged.left_out.labels, judged.judged, of_folds=judged.is_of_folds)
        held += low <= roc_auc_score(answers, Scorer.load(*found.models).score(fresh)) <= high
    assert 0.925 <= held / 400 <= 0.975


@pytest.mark.parametrize("labels", ["two", pytest.param("numbers", marks=pytest.mark.long)])
@pytest.mark.parametrize("way", ["folds", "validation", "_kfold"])
def test_columns_that_only_tell_together_get_deep_trees(job: Job, labels: str, way: str) -> None:
    channels = {"train": table(600, interacts=True, labels=labels)}
    if way == "validation":
        channels["validation"] = table(300, interacts=True, labels=labels, seed=1)
    settings = {n: v for n, v in QUICK.items() if n != "nfold" or way == "folds"}
    more = {"_kfold": 2, "_num_cv_round": 2} if way == "_kfold" else {}
    objective = {"objective": "reg:squarederror"} if labels == "numbers" else {}
    ran = job(channels, {**settings, **more, **objective})
    assert ran.code == 0, ran.log
    depth, values = chosen(ran.log)
    assert depth == 4 == min(values, key=values.__getitem__)
    origin = ModelBundle.load(ran.opt_ml.model).origin
    assert origin is not None
    assert origin.max_depth == 4


def test_a_column_that_tells_alone_gets_shallow_trees(job: Job) -> None:
    ran = job({"train": table(300, interacts=False)}, {**QUICK, "num_round": 300})
    depth, values = chosen(ran.log)
    assert depth == 2
    assert set(values) == {2, 4}
    assert values[2] < values[4]
    origin = ModelBundle.load(ran.opt_ml.model).origin
    assert origin is not None
    assert origin.max_depth == 2


def test_many_rows_try_more_depth_on_fewer_folds(job: Job) -> None:
    ran = job({"train": table(6000, interacts=True)}, {"num_round": 12, "target": "y"})
    _, values = chosen(ran.log)
    assert set(values) == {2, 4, 6}
    assert "logloss of the held-out rows of 2 of 5 folds is" in ran.log


@pytest.mark.parametrize(
    "texts",
    [
        {"max_depth": "2"},
        {"max_depth": "4"},
        {"preset": "xgboost"},
        {"booster": "dart"},
        {"booster": "gblinear"},
        {"process_type": "update", "updater": "refresh"},
    ],
)
def test_a_depth_that_is_settled_is_not_looked_for(texts: dict[str, str]) -> None:
    assert TrainSettings.of(texts).boosting.depths == ()
    assert TrainSettings.of({}).boosting.depths == (4, 2, 6)


def test_a_step_of_zero_and_the_smallest_table_train(job: Job) -> None:
    ran = job({"train": lines(30)}, {"eta": 0, "num_round": 3})
    assert ran.code == 0, ran.log
    assert chosen(ran.log)[0] == 4  # all are equal: the first


def history(values: list[float]) -> dict[str, dict[str, list[list[float]]]]:
    return {"validation": {"m": [[value] for value in values]}}


def test_a_training_that_falls_behind_the_leader_stops() -> None:
    falling = [1 / (1 + n) for n in range(40)]  # towards 0, ever more slowly
    race = EarlyStopping("m", maximize=False, patience=50, leader=Leader(-1.0, 10))
    assert not race.is_over(history(falling[:10]), 9)  # too early to tell
    assert race.is_over(history(falling[:11]), 10)
    near = replace(race, leader=Leader(0.02, 10))  # the rounds gained more than is lacking
    assert not near.is_over(history(falling[:11]), 10)
    beaten = replace(race, leader=Leader(0.5, 10))
    assert not beaten.is_over(history(falling), 39)
    rising = [-value for value in falling]
    assert replace(race, maximize=True, leader=Leader(1.0, 10)).is_over(history(rising), 39)


def trained(text: str, options: RunOptions, **given: str) -> TrainedModels:
    """Boost on a table as a job does, with ways to stop of the test's own."""
    made, examples = planned(text, options, **given)
    return fit(made, examples, None)


def planned(text: str, options: RunOptions, **given: str) -> tuple[BoostingPlan, Examples]:
    """Return the plan that a job makes for a table, and its rows."""
    read = pa_csv.read_csv(io.BytesIO(text.encode()))
    rows = Table(
        tuple(read.column_names),
        tuple(read.columns),
        read.num_rows,
        True,
        (Source(read.num_rows),),
    )
    settings = TrainSettings.of({"target": "y", "num_round": "40", **given})
    facts = facts_of(rows, settings.columns)
    plan = fit_plan(facts, settings.columns, Goal(objective_of(settings.boosting.objective)))
    labelled = plan.apply(rows)
    examples = Examples(plan.features.transform(labelled.inputs).values, labelled.labels)
    label = plan.schema.label
    made = BoostingPlan.of(
        settings.boosting,
        plan.schema,
        plan.features,
        examples,
        classes=len(label.classes) if label else 0,
        run=options,
    )
    return made, examples


def after(asked: int) -> Callable[[], bool]:
    """Return a question that is answered with yes once it was asked so often."""
    count = itertools.count(1)
    return lambda: next(count) > asked


@pytest.mark.parametrize("given", [{"nfold": "3"}, {"_kfold": "3"}])
@pytest.mark.parametrize("asked", [3, 30])
def test_a_job_that_is_stopped_while_it_chooses_leaves_the_best_trial(
    asked: int, given: dict[str, str]
) -> None:
    termination = Termination(saves=True)
    options = RunOptions(is_stopped=after(asked), check_stopped=termination.check)
    text, given = table(400, interacts=True), {**given, "nthread": "1"}  # so each round asks
    found = trained(text, options, **given)
    assert len(found.models) == 3
    assert len(found.validation.scores) == len(found.validation.left_out.labels) == 400
    assert max(found.validation.best) <= min(asked, 10)  # a trial's: longer steps go further
    stopped = replace(
        options, is_stopped=after(asked), check_stopped=Termination(saves=False).check
    )
    with pytest.raises(Terminated, match="because save_model_on_termination=false"):
        trained(text, stopped, **given)
    with pytest.raises(Terminated, match="before its first round"):
        trained(text, replace(options, is_stopped=after(0)), **given)


@pytest.mark.long
def test_a_job_that_is_killed_while_it_chooses_goes_on(tmp_path: Path) -> None:
    settings = Checkpointing(rounds=2, seconds=60, kept=3, save_on_termination=True)
    mark = fingerprint(TrainSettings.of({"num_round": "40"}), {})
    text = table(400, interacts=True)

    def options(folder: str, kill: int | None = None) -> RunOptions:
        (tmp_path / folder).mkdir(exist_ok=True)
        count = itertools.count()

        def is_stopped() -> bool:
            if next(count) == kill:
                raise KeyboardInterrupt
            return False

        kept = Checkpoints.open(tmp_path / folder, mark, settings)
        return RunOptions(checkpoints=kept.phase, is_stopped=is_stopped)

    whole = trained(text, options("whole"), nfold="2")
    for kill in (5, 20, 10):
        with pytest.raises(KeyboardInterrupt):
            trained(text, options("stopped", kill), nfold="2")
    again = trained(text, options("stopped"), nfold="2")
    assert again.models == whole.models
    assert again.chosen == whole.chosen
    names = {path.name.rpartition(".")[0] for path in (tmp_path / "whole").iterdir()}
    assert names == {
        f"sagetree-checkpoint-{phase}-depth-{depth}"
        for phase, depth in [
            ("trial", 4),
            ("trial", 2),
            ("folds", whole.chosen["max_depth"]),
            ("all-rows", whole.chosen["max_depth"]),
        ]
    }


def test_checkpoints_of_a_chosen_depth_are_none_of_a_given_one() -> None:
    open_, given = (fingerprint(TrainSettings.of(texts), {}) for texts in ({}, {"max_depth": "2"}))
    with pytest.raises(Exception, match="max_depth was 'chosen by the job' and is '2'"):
        given.check(open_, Path("folder"))
