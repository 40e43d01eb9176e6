"""`train --check`: a job's own steps on a sample, and not a file left behind."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagetree.machine.paths import OptMl
from sagetree.train.check import LEAST_BYTES, _Part, _take_sample
from tests.train.conftest import Job

ROWS = [f"{i % 2},{i * 7 % 11},{i % 2 * 3},k{i},{i * 7 % 11}" for i in range(80)]
LEAK = "\n".join(["y,number,told,id,same", *ROWS])


def test_a_check_says_what_a_job_would_meet_and_writes_nothing(job: Job, opt_ml: OptMl) -> None:
    ran = job({"train": LEAK}, {"num_round": 100}, arguments=["--check"])
    assert ran.code == 0
    shown = (
        "80 rows; label y: 40 are '1' (50.00%), the rest '0'",
        "id      identifier  0        80        left out: it only identifies rows",
        "left out: id",
        "worth dropping: column 'same' holds the same as 'number'",
        "leakage: column 'told' alone predicts the label (AUC 1.000)",
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
    assert (
        "Leakage? column 'told' alone predicts the label (AUC 1.000)\n"
        "Unless all of it is known before the label is: list such columns in drop_columns, and "
        "split by key (sagetree prepare does)\n"
    ) in ran.log
    for arguments in ([], ["--check"]):
        refused = job({}, {"fail_on_leakage": "true"}, arguments=arguments)
        assert refused.code == 1
        assert refused.failure.startswith(
            "channel train: column 'told' alone predicts the label (AUC 1.000). List such columns "
            "in drop_columns, "
        )


def test_a_check_finds_the_faults_a_job_would(job: Job) -> None:
    ran = job({"train": LEAK}, {"target": "z"}, arguments=["--check"])
    assert ran.failure == (
        "target is 'z', which is not a column. "
        "The columns are 'y', 'number', 'told', 'id', 'same'\n"
    )


def test_a_sample_is_whole_lines_from_the_start(tmp_path: Path) -> None:
    source = tmp_path / "in" / "nested" / "a.csv"
    source.parent.mkdir(parents=True)
    source.write_text('y,n\n1,"a\nb"\n0,c\n')
    # the newline in quotes ends no line
    assert _Part(11, 1).copy(source, tmp_path / "a.csv") == 4
    assert (tmp_path / "a.csv").read_text() == "y,n\n"
    for limit in (99, 3):  # not even a line: whoever reads it says what is wrong
        assert _Part(limit, 1).copy(source, tmp_path / "b.csv") == source.stat().st_size
        assert (tmp_path / "b.csv").read_bytes() == source.read_bytes()
    share = _take_sample(tmp_path / "in", tmp_path / "out", 99)
    assert (share, (tmp_path / "out" / "nested" / "a.csv").exists()) == (1, True)


def test_a_sample_of_a_large_channel_says_which_part_it_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "in").mkdir()
    lines = [f"{n % 2},{n}" for n in range(300_000)]
    for name in ("a.csv", "b.csv", "c.csv"):
        (tmp_path / "in" / name).write_text("\n".join(["y,n", *lines]))
    whole = (tmp_path / "in" / "a.csv").stat().st_size
    with caplog.at_level("INFO", "sagetree"):
        share = _take_sample(tmp_path / "in", tmp_path / "out", whole)
    assert share == pytest.approx(1 / 3, abs=1e-5)
    for name in ("a.csv", "b.csv", "c.csv"):  # a part of each, cut between two lines
        first = (tmp_path / "out" / name).read_text().splitlines()
        assert first == ["y,n", *lines][: len(first)]
        assert len(first) == pytest.approx(107_000, rel=0.05)
    assert caplog.messages == ["in: 2.5 of 7.4 MB read"]


def test_of_many_files_some_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(9):
        (tmp_path / "in" / f"{number}.csv").write_text("y,n\n" * LEAST_BYTES)
    _take_sample(tmp_path / "in", tmp_path / "out", LEAST_BYTES * 2)
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "out").iterdir()}
    assert sizes == {"0.csv": LEAST_BYTES, "1.csv": LEAST_BYTES}


def test_a_sample_of_parquet_is_rows_from_the_start(tmp_path: Path) -> None:
    path, target = tmp_path / "a.parquet", tmp_path / "b.parquet"
    pq.write_table(pa.table({"n": range(300_000)}), path)
    taken = _Part(1000, 100_000).copy(path, target)
    assert pq.read_metadata(target).num_rows == 100_000
    assert taken == path.stat().st_size // 3
    path.write_bytes(b"PAR1 and no more")
    assert _Part(3, 9).copy(path, target) == 16
    assert target.read_bytes() == path.read_bytes()


@pytest.mark.long  # 18 MB
def test_a_check_of_several_files_reads_a_part_of_each(job: Job, opt_ml: OptMl) -> None:
    """Each part is whole lines. Of a facet that has no row there others may have some."""
    folder = opt_ml.data / "train"
    folder.mkdir(parents=True)
    lines = [f"{n % 2},{n * 7 % 11},{'x' * 90}" for n in range(100_000)]
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text("\n".join(["y,number,text", *lines]))
    facets = '[{"column": "number", "values": [99]}]'
    ran = job({}, {"target": "y", "facets": facets}, arguments=["--check"])
    assert ran.code == 0, ran.log
    assert "train: 16.0 of 18.1 MB read\n" in ran.log
    said = "Facets: no row is in the facet number = 99: it cannot be compared\n"
    assert said in ran.log
