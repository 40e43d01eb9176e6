"""Without an objective the label decides, says so, and everything else is settled by it."""

import json

import pytest

from sagetree.files.reading import read_table
from sagetree.machine.paths import OptMl
from sagetree.tables.label import ClassLabel, NumberLabel
from sagetree.train.columns.default_objective import fitting_objective
from sagetree.train.columns.plan import facts_of
from sagetree.train.settings.settings import TrainSettings
from tests.train.conftest import Job

BINARY, NUMBERS, WORDS = "binary:logistic", "reg:squarederror", "multi:softprob"
SPECIES = ["cat", "dog", "fox"]

LABELS: list[tuple[list[str], dict[str, str], str]] = [
    (["0", "1"], {}, BINARY),
    (["1", "2"], {}, BINARY),
    (["1.0", "1", "2"], {}, BINARY),  # two values in three spellings
    (["1", "True", "0", "False"], {}, BINARY),  # as files of two tools hold it
    (["+1", "1", "-1"], {}, BINARY),
    (["0.5", "0.50", "1.50", "1.5"], {}, BINARY),
    (["legit", "fraud"], {}, BINARY),
    (["true", "false"], {}, BINARY),
    (["7"], {}, BINARY),  # its error says what to do
    (["0", "1", ""], {}, BINARY),
    (["0", "1", "-1"], {"missing_values": "-1"}, BINARY),
    (["0", "1", "2"], {}, NUMBERS),
    ([str(i / 7) for i in range(60)], {}, NUMBERS),
    (["1", "2", "3", ""], {}, NUMBERS),
    (["$1,160", "$10,000", "$20", "$35"], {}, NUMBERS),
    (["0", "1", "2"], {"positive_label": "1"}, BINARY),
    (SPECIES, {}, WORDS),
    ([*SPECIES, "?"], {"missing_values": "?"}, WORDS),
    ([f"w{i}" for i in range(20)], {}, WORDS),
    ([f"w{i}" for i in range(21)], {}, BINARY),
    ([f"name {i}" for i in range(60)], {}, BINARY),
    (["0", "1", "unknown"], {}, BINARY),  # neither numbers nor words
    ([*map(str, range(21)), "NA"], {}, NUMBERS),  # its error names the word
    ([*map(str, range(20)), "NA"], {}, BINARY),
    ([*map(str, range(21)), *(f"w{i}" for i in range(39))], {}, BINARY),
]


@pytest.mark.parametrize(("values", "settings", "objective"), LABELS)
def test_the_label_decides(
    values: list[str], settings: dict[str, str], objective: str, opt_ml: OptMl
) -> None:
    folder = opt_ml.data / "train"
    folder.mkdir(parents=True)
    rows = [f'"{values[i % len(values)]}",{i}' for i in range(60)]
    (folder / "data.csv").write_text("\n".join(["y,a", *rows]))
    table = read_table(folder, lambda _: True)
    columns = TrainSettings.of(settings).columns
    assert fitting_objective(facts_of(table, columns), columns) == objective


def rows_of(labels: list[str]) -> str:
    return "\n".join(["y,a,b", *(f"{labels[i % len(labels)]},{i % 7},{i % 3}" for i in range(90))])


def test_numbers_are_a_regression_and_its_metric_stays(job: Job, opt_ml: OptMl) -> None:
    """As an official job that leaves objective out; and the manifest repeats what was given."""
    ran = job({"train": rows_of(["1", "2.5", "4"])}, {"eval_metric": "mae"})
    assert ran.code == 0, ran.log
    assert ran.log.splitlines()[0] == (
        "objective is reg:squarederror, because the label 'y' is a number of 3 values; "
        "set objective to learn it differently"
    )
    assert "says little" not in ran.log
    assert ran.model.objective.name == NUMBERS
    assert ran.model.schema.label == NumberLabel(name="y")
    manifest = json.loads((opt_ml.model / "sagetree" / "manifest.json").read_text())
    assert manifest["hyperparameters"] == {"num_round": "5", "eval_metric": "mae"}


@pytest.mark.parametrize("word", ["NA", "inf"])
def test_a_word_among_numbers_is_named(job: Job, word: str) -> None:
    ran = job({"train": rows_of([*map(str, range(44)), word])}, {})
    assert ran.code == 1
    assert ran.log.splitlines() == [
        "objective is reg:squarederror, because the label 'y' is mostly numbers; set objective to "
        "learn it differently",
        f"FAILED: data.csv line 46, column 'y': the label is '{word}'. Every label must be a "
        "number",
    ]


def test_words_are_classes(job: Job) -> None:
    ran = job({"train": rows_of(SPECIES)}, {"scale_pos_weight": 3})
    assert ran.code == 0, ran.log
    lines = ran.log.splitlines()
    assert lines[0].startswith("objective is multi:softprob, because the label 'y' is one of 3")
    assert lines[1].startswith("scale_pos_weight has no effect")
    assert ran.model.schema.label == ClassLabel(name="y", classes=tuple(SPECIES))


def test_what_does_not_go_with_the_labels_objective_is_refused(job: Job) -> None:
    ran = job({"train": rows_of(["1", "2", "3"])}, {"num_class": 3})
    assert ran.failure.splitlines()[0] == (
        "num_class is for objective multi:*, and objective is reg:squarederror: leave it out, or "
        "change objective. Correct it"
    )


def test_a_job_goes_on_by_its_checkpoints_without_an_objective(job: Job, opt_ml: OptMl) -> None:
    opt_ml.config.mkdir(parents=True)
    (opt_ml.config / "checkpointconfig.json").write_text('{"LocalPath": "/opt/ml/checkpoints/"}')
    files = {"train": rows_of(["1", "2", "3"]), "validation": rows_of(["1", "2", "3"])}
    assert job(files, {"num_round": 3, "checkpoint_interval": 1}).code == 0
    ran = job(files, {"num_round": 5, "checkpoint_interval": 1})
    assert ran.code == 0, ran.failure
    assert "Going on after round" in ran.log


def test_a_model_goes_on_with_its_own_objective(job: Job, opt_ml: OptMl) -> None:
    given = {"objective": "count:poisson"}
    assert job({"train": rows_of(["1", "2", "3"])}, given).code == 0
    (opt_ml.data / "model").parent.mkdir(parents=True, exist_ok=True)
    opt_ml.model.rename(opt_ml.data / "model")
    ran = job({})
    assert ran.code == 0, ran.failure
    assert ran.model.objective.name == "count:poisson"
