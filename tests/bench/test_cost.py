"""Processor time beside another checkout's: here the same one."""

import sys
from pathlib import Path

import pytest

from bench.quality.cost import Cost, measure, report
from bench.quality.table import read_tables
from tests.bench.tables import cancer, write_tables

PROGRAM = Path(sys.executable).with_name("sagetree")


def test_ratios_of_tables_and_of_all() -> None:
    costs = [Cost("a", (2.0, 3.0, 9.0), (1.0, 1.0, 2.0)), Cost("b", (1.0,), (4.0,))]
    assert list(report(costs)) == [
        "| table | this, s | other, s | ratio |",
        "|---|---|---|---|",
        "| a | 3.0 | 1.0 | 3.00 |",
        "| b | 1.0 | 4.0 | 0.25 |",
        "| all | 4.0 | 5.0 | 0.80 |",
        "",
        "Of 2 tables the ratio is 1.62 in the median, 0.87 in the geometric mean, and 3.00 at "
        "most.",
    ]


@pytest.mark.long
@pytest.mark.skipif(not PROGRAM.is_file(), reason="needs .venv (make install)")
def test_a_table_costs_the_same_in_the_same_checkout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tables(tmp_path, cancer=cancer())
    (table,) = read_tables(tmp_path)
    link = tmp_path / "sagetree"
    link.symlink_to(PROGRAM)
    (cost,) = measure([table], PROGRAM, link, 1)
    assert cost.table == "cancer"
    assert cost.ratio == pytest.approx(1, abs=0.4)
    failing = Path("/bin/false")
    assert not list(measure([table], PROGRAM, failing, 1))
    assert "cancer is left out: /bin/false failed:\n" in capsys.readouterr().err
