"""`train --check`: a job's own steps on a sample, and not a file left behind."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagetree.paths import OptMl
from tests.train.conftest import Job
from train.check import _copy, _take_sample

ROWS = [f"{i % 2},{i * 7 % 11},{i % 2 * 3},k{i},{i * 7 % 11}" for i in range(80)]
LEAK = "\n".join(["y,number,told,id,same", *ROWS])


def test_a_check_says_what_a_job_would_meet_and_writes_nothing(job: Job, opt_ml: OptMl) -> None:
    ran = job({"train": LEAK}, {"num_round": 100}, arguments=["--check"])
    assert ran.code == 0
    shown = (
        "80 rows; label y: 40 are '1' (50.00%), the rest '0'",
        "id      identifier  0        80        left out: it only names rows",
        "left out: id",
        "worth dropping: column 'same' holds the same as 'number'",
        "leakage: column 'told' alone tells the label (AUC 1.000)",
    )
    for text in shown:
        assert text in ran.log
    forecast = r"\n80 rows of train; about 0\.2 GiB of memory, and at most about \d+ s of boosting"
    assert re.search(forecast, ran.log)
    assert "[0]\t" not in ran.log
    assert {path.name for path in opt_ml.root.iterdir()} == {"input"}


def test_a_job_looks_for_leakage_first(job: Job, opt_ml: OptMl) -> None:
    ran = job({"train": LEAK})
    assert ran.code == 0
    assert "Leakage? column 'told' alone tells the label (AUC 1.000)\n" in ran.log
    for arguments in ([], ["--check"]):
        refused = job({}, {"fail_on_leakage": "true"}, arguments=arguments)
        assert refused.code == 1
        assert refused.failure.startswith(
            "channel train: column 'told' alone tells the label (AUC 1.000). List such columns in "
            "drop_columns, "
        )


def test_a_check_finds_the_faults_a_job_would(job: Job) -> None:
    ran = job({"train": LEAK}, {"target": "z"}, arguments=["--check"])
    assert ran.failure == (
        "target is 'z', which is no column. The columns are 'y', 'number', 'told', 'id', 'same'\n"
    )


def test_a_sample_is_whole_lines_from_the_start(tmp_path: Path) -> None:
    source = tmp_path / "in" / "nested" / "a.csv"
    source.parent.mkdir(parents=True)
    source.write_text('y,n\n1,"a\nb"\n0,c\n')
    assert _copy(source, tmp_path / "a.csv", 11) == 4  # the newline in quotes ends no line
    assert _copy(source, tmp_path / "b.csv", 99) == source.stat().st_size
    share = _take_sample(tmp_path / "in", tmp_path / "out", 99)
    assert (share, (tmp_path / "out" / "nested" / "a.csv").exists()) == (1, True)


def test_a_sample_of_a_large_channel_says_which_part_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.csv", "b.csv", "c.csv"):
        (tmp_path / "in" / name).write_text("y,n\n" * 300_000)
    with caplog.at_level("INFO", "sagetree"):
        share = _take_sample(tmp_path / "in", tmp_path / "out", 1_800_000)
    assert share == pytest.approx(0.5, abs=1e-5)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.csv", "b.csv"]
    assert caplog.messages == ["in: the first 1.7 of 3.4 MB"]


def test_a_sample_of_parquet_is_rows_from_the_start(tmp_path: Path) -> None:
    path, target = tmp_path / "a.parquet", tmp_path / "b.parquet"
    pq.write_table(pa.table({"n": range(300_000)}), path)
    taken = _copy(path, target, 1000)
    assert pq.read_metadata(target).num_rows == 100_000
    assert taken == path.stat().st_size // 3
    path.write_bytes(b"PAR1 and no more")
    assert _copy(path, target, 3) == 16
    assert target.read_bytes() == path.read_bytes()
