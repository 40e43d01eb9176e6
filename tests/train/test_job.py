"""The training job: what it reads, what it writes, and how it ends."""

import io
import json
import os
import re
import shutil
import signal
import stat
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from sagetree.bundle.bundle import ModelBundle
from sagetree.bundle.model import Model
from sagetree.evaluate.cli import main as evaluate
from sagetree.machine.paths import OptMl
from sagetree.machine.program import run_job
from sagetree.train.cli import main as train
from tests.programs import SAGETREE, environment
from tests.train.conftest import Job, lines

# The regular expression of SageMaker's own XGBoost; CloudWatch writes a tab as #011.
METRIC = re.compile(r".*\[[0-9]+\].*#011validation-logloss:(\S+)")


def test_the_classic_test_dir_needs_no_config_but_hyperparameters(job: Job) -> None:
    ran = job({"train": lines()}, {"calibration": "none"})
    assert ran.code == 0
    files = {str(p.relative_to(ran.opt_ml.model)) for p in ran.opt_ml.model.rglob("*.json")}
    assert files == {
        f"sagetree/{name}.json"
        for name in (
            "schema", "features", "decision", "selfcheck", "baseline", "columns", "curve",
            "manifest",
        )
    }  # fmt: skip
    assert (ran.opt_ml.model / "xgboost-model").exists()
    assert (ran.opt_ml.model / "sagetree/rows.bin").stat().st_size <= 8 * (3 + 120)
    assert not ran.opt_ml.failure.exists()


def test_metric_lines_are_what_sagemaker_reads_and_come_from_rows_left_out(job: Job) -> None:
    ran = job({"train": lines()}, {"num_round": 8})
    read = [METRIC.fullmatch(line.replace("\t", "#011")) for line in ran.log.splitlines()]
    values = [float(match[1]) for match in read if match]
    assert len(values) == 8 + 1  # one a round, and the best round's again at the end
    best = re.search(r"^Best round (.+), metrics named validation on the held-out ", ran.log, re.M)
    assert best is not None
    assert len(re.findall(r"\[[0-9]+\]\t", ran.log)) == 8  # it does not look like a round
    assert best[1] == f"[{values[:-1].index(values[-1])}]"
    bundle = ModelBundle.load(ran.opt_ml.model)
    assert bundle.baseline is not None
    assert sum(bundle.baseline.features[0].counts) == bundle.data["train"].rows
    assert sum(bundle.baseline.scores[0].counts) == bundle.data["train"].rows
    assert values[-1] == pytest.approx(bundle.metrics["validation-logloss"], abs=1e-5)
    assert min(values[:-1]) == values[-1]


def test_the_bundle_holds_only_the_rounds_that_predict(job: Job) -> None:
    ran = job({"train": lines()}, {"num_round": 300, "early_stopping_rounds": 5})
    rounds = ran.model.scorer.boosters[0].rounds
    metrics = json.loads((ran.opt_ml.output_data / "metrics.json").read_text())
    assert metrics["rounds"] == rounds < 300
    assert f"Fitting all 120 rows for {rounds} rounds" in ran.log


def test_a_validation_channel_stops_early_and_is_what_metrics_are_of(job: Job) -> None:
    settings = {"num_round": 300, "early_stopping_rounds": 5}
    ran = job({"train": lines(), "validation": lines(90, seed=1)}, settings)
    bundle = ModelBundle.load(ran.opt_ml.model)
    assert ran.model.scorer.boosters[0].rounds < 300
    assert bundle.decision.chosen == "the score with the greatest F1, on the validation channel"
    assert bundle.data["validation"].rows == 90
    (ran.opt_ml.processing / "test").mkdir(parents=True)
    shutil.copy(ran.opt_ml.data / "validation" / "data.csv", ran.opt_ml.processing / "test")
    shutil.copytree(ran.opt_ml.model, ran.opt_ml.processing / "model")
    assert evaluate([]) == 0
    evaluation = json.loads((ran.opt_ml.processing / "evaluation/evaluation.json").read_text())
    auc = evaluation["binary_classification_metrics"]["auc"]["value"]
    assert auc == pytest.approx(bundle.metrics["validation-auc"], abs=1e-6)
    # those of a training are of rows that had no part in what they are scored and called by
    content = json.loads((ran.opt_ml.output_data / "metrics.json").read_text())
    found = content["binary_classification_metrics"]
    assert found["f1"]["value"] < bundle.decision.f1
    assert content["operating_point"]["chosen"]["f1"] == pytest.approx(found["f1"]["value"])
    assert f": {found['precision']['value']:.1%} of these are right" in ran.log
    assert auc != bundle.metrics["auc"] == pytest.approx(auc, abs=0.02)


@pytest.mark.long
def test_from_200_000_rows_a_tenth_is_held_out(job: Job) -> None:
    label_and_number = "".join(
        f"{i % 2},{(i * 7919) % 1000 + i % 2 * 100}\n" for i in range(200_001)
    )
    ran = job({"train": "y,x\n" + label_and_number}, {"num_round": 2})
    assert ran.code == 0
    assert "metrics named validation on a hold-out of 10% of train:" in ran.log
    assert "Fitting all 200001 rows for" in ran.log
    shutil.rmtree(ran.opt_ml.model)
    again = job({}, {"num_round": 2, "nfold": 2})
    assert "the held-out rows of 2-fold cross-validation" in again.log


@pytest.mark.parametrize(("rows", "is_sampled"), [(200_000, False), (200_100, True)])
def test_of_many_rows_some_measure_what_was_learnt(job: Job, rows: int, is_sampled: bool) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=rows).round(3)
    y = (x + random.normal(size=rows) > 0).astype(int)
    table = io.BytesIO()
    pa_csv.write_csv(pa.table({"y": y, "x": x}), table)
    text = table.getvalue().decode()
    given = {"num_round": 2, "preset": "xgboost", "eval_metric": "auc"}
    ran = job({"train": text, "validation": text[: len(text) // 20].rpartition("\n")[0]}, given)
    assert ran.code == 0
    assert (f"Metrics of train are of 200000 of its {rows} rows\n" in ran.log) == is_sampled
    best = re.search(r"^Best round .*\ttrain-auc:([0-9.]+)", ran.log, re.MULTILINE)
    assert best is not None
    assert float(best[1]) == pytest.approx(roc_auc_score(y, x), abs=0.003)


@pytest.mark.parametrize("encoding", ["native", pytest.param("onehot", marks=pytest.mark.long)])
def test_csv_parquet_and_parts_give_the_same_model(job: Job, encoding: str, opt_ml: OptMl) -> None:
    table = pa_csv.read_csv(pa.BufferReader(lines().encode()))
    header, *rows = lines().splitlines(keepends=True)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    shuffled = table.select(["state", "kind", "fraud", "amount"]).slice(60)
    parts = {
        "one.csv": header + "".join(rows[:60]),
        "two/nested.parquet": b"",
        ".hidden": "junk",
        "_SUCCESS": "",
        "x.crc": b"\x00",
    }
    tail = pa.BufferOutputStream()
    pq.write_table(shuffled, tail)
    inputs = [
        {"data.csv": lines()},
        {"data.parquet": sink.getvalue().to_pybytes()},
        {k: v for k, v in parts.items() if v != b""} | {"two/z.csv": header + "".join(rows[60:])},
    ]
    models = []
    for files in inputs:
        shutil.rmtree(opt_ml.data, ignore_errors=True)
        ran = job({"train": files}, {"target": "fraud", "encoding": encoding})
        assert ran.code == 0, ran.log
        models.append((opt_ml.model / "xgboost-model").read_bytes())
    assert models[0] == models[1] == models[2]


def test_headerless_csv_has_the_label_first(job: Job) -> None:
    ran = job({"train": lines(header="")})
    assert ran.code == 0
    schema = ran.model.schema
    assert (schema.label.name, schema.named) == ("label", False)
    assert schema.input_names == ("f0", "f1", "f2")


def test_header_can_be_forced(job: Job, opt_ml: OptMl) -> None:
    words = "".join(f"{'ny'[i % 2]},{'abc'[i % 3]},{'de'[i % 2]}\n" for i in range(60))
    ran = job({"train": "x,c,k\n" + words}, {"header": "true"})
    assert ran.model.schema.input_names == ("c", "k")
    ran = job({"train": words}, {"header": "false"})
    assert ran.model.schema.named is False


def test_kinds_are_inferred_declared_and_shown(job: Job, opt_ml: OptMl) -> None:
    rows = [
        f"{i},{i % 2},{i * 3 % 7},{'yn'[i % 2 if i % 5 else 0]},{['S', 'M', 'L'][i % 3]},"
        f"{i % 4},2024-0{1 + i % 9}-15,{'true' if i % 3 else 'false'},k{i},5,{i % 6}"
        for i in range(60)
    ]
    header = "row_id,fraud,n,yn,size,zip,day,flag,text_key,const,extra"
    ran = job(
        {"train": "\n".join([header, *rows])},
        {
            "target": "fraud",
            "categorical_columns": "zip",
            "ordinal_columns": '{"size": ["S", "M", "L"]}',
            "drop_columns": '["extra"]',
        },
    )
    assert ran.code == 0, ran.log
    kinds = {column.name: column.kind for column in ran.model.schema.columns}
    assert kinds == {
        "row_id": "identifier",
        "n": "number",
        "yn": "category",
        "size": "ordinal",
        "zip": "category",
        "day": "datetime",
        "flag": "boolean",
        "text_key": "identifier",
        "const": "constant",
        "extra": "dropped",
    }
    assert ran.model.features.features[2].categories == ("S", "M", "L")
    for shown in (
        "60 rows; label fraud: 30 are '1' (50.00%), the rest '0'",
        "row_id    identifier  0        60        left out: it only identifies rows",
        "size      ordinal     0        3         S, M, L",
        "const     constant    0        1         left out: it has the same value everywhere",
        "extra     dropped     0        0         left out: drop_columns",
    ):
        assert shown in ran.log


def test_shuffled_row_numbers_are_identifiers_and_declared_ones_are_not(job: Job) -> None:
    rows = [f"{i % 2},{(i * 37) % 101},{(i * 37) % 101},{i % 5}" for i in range(101)]
    ran = job({"train": "\n".join(["y,policy,age,n", *rows])}, {"column_types": '{"age":"number"}'})
    kinds = {column.name: column.kind for column in ran.model.schema.columns}
    assert kinds == {"policy": "identifier", "age": "number", "n": "number"}


def test_words_are_categories_unless_listed_as_missing(job: Job) -> None:
    rows = [f"{i % 2},{['N/A', 'None', 'NA', 'x', ''][i % 5]}" for i in range(60)]
    ran = job({"train": "\n".join(["y,c", *rows])})
    (column,) = ran.model.schema.columns
    assert (column.categories, column.missing) == (("N/A", "NA", "None", "x"), 12)
    ran = job({}, {"missing_values": "N/A,NA"})
    (column,) = ran.model.schema.columns
    assert (column.categories, column.missing) == (("None", "x"), 36)


def test_missing_values_in_a_column_of_numbers(job: Job) -> None:
    rows = [
        f"{i % 2},{['-999', '-999.0', 'NaN', '', ' 1e1 ', '7.0', '3'][i % 7]}" for i in range(70)
    ]
    ran = job({"train": "\n".join(["y,n", *rows])}, {"missing_values": "-999"})
    (column,) = ran.model.schema.columns
    assert (column.kind, column.missing, column.distinct) == ("number", 40, 3)


@pytest.mark.parametrize(
    ("labels", "settings", "expected"),
    [
        (("no", "yes"), {}, ("no", "yes")),
        (("no", "yes"), {"positive_label": "no"}, ("yes", "no")),
        (("1.0", "0.0"), {}, ("0", "1")),
        (("True", "False"), {}, ("false", "true")),
        (("2", "10"), {}, ("2", "10")),
    ],
)
def test_two_valued_labels_are_ordered_or_told(
    job: Job, labels: tuple[str, str], settings: dict[str, str], expected: tuple[str, str]
) -> None:
    rows = [f"{labels[i % 2]},{i % 7}" for i in range(60)]
    ran = job({"train": "\n".join(["y,n", *rows])}, settings)
    label = ran.model.schema.label
    assert (label.negative, label.positive) == expected


def test_hyperparameters_of_any_client_and_the_command_line(job: Job, opt_ml: OptMl) -> None:
    one = job({"train": lines()}, {"max_depth": "3", "learning_rate": "0.2", "seed": "1"})
    two = job({}, {"max_depth": '"3"', "eta": 0.2, "seed": 1, "sagemaker_region": '"eu-west-1"'})
    assert (one.code, two.code) == (0, 0)
    model = (opt_ml.model / "xgboost-model").read_bytes()
    three = job({}, {"max_depth": 9, "eta": "0.2", "seed": 1}, arguments=["--set", "max_depth=3"])
    assert three.code == 0
    assert (opt_ml.model / "xgboost-model").read_bytes() == model
    assert ModelBundle.load(opt_ml.model).hyperparameters["max_depth"] == "3"
    assert "sagemaker_region" not in ModelBundle.load(opt_ml.model).hyperparameters


def test_unknown_channels_and_sdk_configs_are_normal(job: Job) -> None:
    config = {
        "train": {"TrainingInputMode": "File", "ContentType": "text/csv; label_size=1"},
        "code": {"TrainingInputMode": "File"},
        "sm_drivers": {"ContentType": "application/x-code"},
    }
    assert job({"train": lines()}, config=config).code == 0


def test_class_weights_do_not_change_what_metrics_mean(job: Job) -> None:
    ran = job({"train": lines()}, {"scale_pos_weight": 30, "max_depth": 1})
    bundle = ModelBundle.load(ran.opt_ml.model)
    assert bundle.metrics["auc"] == pytest.approx(bundle.metrics["validation-auc"], abs=0.05)


def test_scores_of_memory_bundle_and_stored_rows_agree(job: Job) -> None:
    ran = job({"train": lines()})
    check = ModelBundle.load(ran.opt_ml.model).selfcheck
    assert ran.model.self_check(check) == 0
    assert len(check.rows) == 20
    assert "The model reloads and repeats its scores bit for bit" in ran.log


def test_the_same_job_twice_gives_the_same_bytes(job: Job, opt_ml: OptMl) -> None:
    contents = []
    for _ in range(2):
        assert job({"train": lines()}).code == 0
        contents.append({p.name: p.read_bytes() for p in opt_ml.model.rglob("*") if p.is_file()})
    assert contents[0] == contents[1]


def test_out_of_fold_scores_make_the_stored_metrics(job: Job) -> None:
    """A column of noise: scores of rows that were fitted would look good, left out not."""
    rows = [f"{i % 2},{(i * 7919 % 1009) / 7}" for i in range(400)]
    settings = {"preset": "xgboost", "num_round": 50, "max_depth": 8}
    ran = job({"train": "\n".join(["y,noise", *rows])}, settings)
    bundle = ModelBundle.load(ran.opt_ml.model)
    assert bundle.metrics["train-auc"] > 0.8
    assert bundle.metrics["auc"] < 0.65
    fitted = ran.model.scorer.score(
        ran.model.features.transform(
            ran.model.schema.arrange(_table(ran.opt_ml.data / "train" / "data.csv"))
        ).values
    )
    assert roc_auc_score([i % 2 for i in range(400)], fitted) > 0.75


def _table(path: Path):
    from sagetree.files.header import looks_like_header
    from sagetree.files.reading import read_table

    return read_table(path.parent, looks_like_header).without("y")


# --- how a job ends, as a process ---


def _put(root: Path, **files: str) -> None:
    for name, content in files.items():
        path = root / "input" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".json" if "config" in name else ".csv").write_text(content)


def test_an_empty_opt_ml_fails(job: Job, tmp_path: Path) -> None:
    ran = job({})
    assert ran.code == 1
    text = (
        "channel 'train' is missing (channels: none): put files into "
        f"{tmp_path}/input/data/train, name another folder than {tmp_path} by SAGEMAKER_BASE_DIR, "
        "or name files of your own (sagetree train FILE --target COLUMN). Correct it"
    )
    assert ran.failure == text + "\n"
    assert ran.log == f"FAILED: {text}\n"


def test_sigterm_ends_a_job_at_once_with_the_best_model_so_far(tmp_path: Path) -> None:
    settings = '{"num_round": 1000000, "max_depth": 2}'
    _put(tmp_path, data__train__t=lines(), config__hyperparameters=settings)
    command = [SAGETREE, "train", "--set", "early_stopping_rounds=1000000"]
    process = subprocess.Popen(
        command, env=environment(tmp_path), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert any(line.startswith("[3]") for line in process.stdout)
        for _ in range(3):
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0  # all rounds take several minutes; SageMaker gives two
    finally:
        process.kill()
        process.communicate()
    assert not (tmp_path / "output" / "failure").exists()
    assert Model.load(tmp_path / "model").decision is not None


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to give up its rights")
def test_mounts_that_cannot_be_written_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _put(tmp_path, data__train__t=lines())
    for folder in ("model", "output"):
        (tmp_path / folder).mkdir()
    tmp_path.chmod(0o755)
    for path in (*tmp_path.parents,)[:3]:
        path.chmod(path.stat().st_mode | stat.S_IXGRP | stat.S_IXOTH)
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    os.seteuid(12345)
    try:
        code = train([])
    finally:
        os.seteuid(0)
    assert code == 1
    out = capsys.readouterr().out
    assert f"{tmp_path}/model: the folder cannot be written." in out
    assert "output/failure could not be written" in out


def test_a_bug_keeps_its_traceback_behind_the_message(opt_ml: OptMl) -> None:
    def work() -> int:
        raise OSError("no errno")

    assert run_job(work, opt_ml.failure) == 1
    first, _, *trace = opt_ml.failure.read_text().splitlines()
    assert first == "The machine failed: OSError: no errno. Try again, on another machine"
    assert trace[0] == "Traceback (most recent call last):"
