"""The command line: what it says, takes and refuses."""

from fractions import Fraction
from pathlib import Path

import pytest

from sagetree.errors import SettingsError
from sagetree.machine.paths import OptMl
from sagetree.prepare.cli import main
from sagetree.prepare.settings import DEFAULTS, REQUIRED, read_settings
from sagetree.prepare.spark.packages import check_shared, require
from tests.prepare.tables import message, prepare

NEEDED = {"sql": "join.sql", "key": "id", "label": "y"}


def test_defaults() -> None:
    settings = read_settings(NEEDED)
    assert settings.shares == (Fraction(7, 10), Fraction(3, 20), Fraction(3, 20))
    assert (settings.sql, settings.key, settings.label) == (Path("join.sql"), "id", "y")
    assert (settings.seed, settings.split_by_time) == (0, None)
    assert (settings.event_time, settings.deleted) == ("event_time", "is_deleted")
    assert (settings.format, settings.memory_limit) == ("parquet", 10**9)


@pytest.mark.parametrize(
    ("text", "size"),
    [("1GB", 10**9), ("1.5 gb", 15 * 10**8), ("512MiB", 512 * 2**20), ("2tb", 2 * 10**12),
     ("300000000B", 3 * 10**8)],
)  # fmt: skip
def test_sizes(text: str, size: int) -> None:
    assert read_settings({**NEEDED, "memory_limit": text}).memory_limit == size


SHARES = "The shares must add up to 1, none below 0, and train's above 0"
THREE = "Write the shares of train, validation and test, such as 0.7,0.15,0.15"
FAULTS = [
    (["--split", "0.7,0.3"], f"--split: '0.7,0.3' is not three numbers. {THREE}"),
    (["--split", "a,b,c"], f"--split: 'a,b,c' is not three numbers. {THREE}"),
    (["--split", "1/0,0,0"], f"--split: '1/0,0,0' is not three numbers. {THREE}"),
    (
        ["--split", "0.7,0.2,0.2"],
        f"--split: the shares '0.7,0.2,0.2' do not add up to a whole. {SHARES}",
    ),
    (
        ["--split", "0,0.5,0.5"],
        f"--split: the shares '0,0.5,0.5' do not add up to a whole. {SHARES}",
    ),
    (
        ["--split=1.2,-0.2,0"],
        f"--split: the shares '1.2,-0.2,0' do not add up to a whole. {SHARES}",
    ),
    (["--seed", "x"], "--seed: 'x' is not a whole number. Give one such as 0"),
    (["--engine", "hive"], "--engine: 'hive' is not a supported engine. Give duckdb or spark"),
    (
        ["--engine", "spark", "--flow", "a.flow"],
        "--flow: it cannot be combined with --engine spark: its steps run on DuckDB alone. "
        "Leave it out, or use DuckDB",
    ),
    (
        ["--engine", "spark", "--memory-limit", "2GB"],
        "--memory-limit: it cannot be combined with --engine spark: Spark's own settings bound its "
        "memory. Leave it out, or use DuckDB",
    ),
    (
        ["--engine", "spark", "--format", "csv"],
        "--format: it cannot be combined with --engine spark: Spark writes Parquet alone. "
        "Leave it out, or use DuckDB",
    ),
    (["--format", "json"], "--format: 'json' is not a supported format. Give parquet or csv"),
    (["--memory-limit", "much"], "--memory-limit: 'much' is not a size. Give one such as 1GB"),
    (["--memory-limit=-1GB"], "--memory-limit: '-1GB' is not a size. Give one such as 1GB"),
    (
        ["--sead", "1"],
        "sagetree prepare: unrecognized arguments: --sead 1. "
        "sagetree prepare --help lists what it takes",
    ),
    (
        ["--seed"],
        "sagetree prepare: argument --seed: expected one argument. "
        "sagetree prepare --help lists what it takes",
    ),
    (
        ["--work"],
        "sagetree prepare: unrecognized arguments: --work. "
        "sagetree prepare --help lists what it takes",
    ),
]


@pytest.mark.parametrize(("arguments", "text"), FAULTS)
def test_faults(root: Path, arguments: list[str], text: str) -> None:
    assert prepare(*arguments) == 1
    assert message(root) == f"{text}\n"


MISSING = [
    (
        [],
        "--label: not given. Name the column to predict with --label",
    ),
    (
        ["--sql", "join.sql", "--key", "id", "--label", ""],
        "--label: not given. Name the column to predict with --label",
    ),
]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--key="], "--key: the value is empty. Give it a value, or leave the option out"),
        (["--sql="], "--sql: the value is empty. Give it a value, or leave the option out"),
        (
            ["--split-by-time="],
            "--split-by-time: the value is empty. Give it a value, or leave the option out",
        ),
        (
            ["--event-time", "t"],
            "--event-time: without a key no record can be the latest of several. "
            "Name the key with --key, or leave the option out",
        ),
        (
            ["--deleted", "d"],
            "--deleted: without a key no record can be the latest of several. "
            "Name the key with --key, or leave the option out",
        ),
    ],
)
def test_options_that_say_nothing(root: Path, arguments: list[str], text: str) -> None:
    assert main(["--label", "y", *arguments]) == 1
    assert message(root) == f"{text}\n"


@pytest.mark.parametrize(("arguments", "text"), MISSING)
def test_what_must_be_given(root: Path, arguments: list[str], text: str) -> None:
    assert main(arguments) == 1
    assert message(root) == f"{text}\n"


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_says_all_and_runs_nothing(
    root: Path, capsys: pytest.CaptureFixture[str], flag: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--seed", "1", flag])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    for name, default in DEFAULTS.items():
        assert f"--{name.replace('_', '-')} " in printed
        assert f"default: {default})" in " ".join(printed.split())
    assert all(f"--{name} " in printed for name in REQUIRED)
    assert printed.count("(required)") == len(REQUIRED)
    assert "sagetree prepare" in printed
    assert max(map(len, printed.splitlines())) <= 80
    assert not (root / "output").exists()


ADDRESS = "Name tables and --out by addresses, such as s3://bucket/claims/"
ADDRESSES = {
    "DuckDB": (
        ["s3://b/t/", "--out", "s3://b/out"],
        "TABLE s3://b/t/: addresses are read and written only with --engine spark. "
        "Copy the tables to this machine, or let Spark read them",
    ),
    "no folder": (["s3://b/t/", "--engine", "spark"], f"--out: not given. {ADDRESS}"),
    "a path among tables": (
        ["s3://b/t/", "t.csv", "--out", "s3://b/out", "--engine", "spark"],
        f"TABLE: t.csv is a path, and others are addresses. {ADDRESS}",
    ),
    "a path for the results": (
        ["s3://b/t/", "--out", "out", "--engine", "spark"],
        f"--out: out is a path, and others are addresses. {ADDRESS}",
    ),
}


@pytest.mark.parametrize(("arguments", "said"), ADDRESSES.values(), ids=ADDRESSES)
def test_addresses(root: Path, arguments: list[str], said: str) -> None:
    assert main([*arguments, "--label", "y"]) == 1
    assert message(root) == f"{said}\n"


def test_a_statement_for_athena_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "q.sql").write_text("SELECT a FROM t;")
    arguments = ["--sql", str(tmp_path / "q.sql"), "--print-unload", "s3://bucket/x"]
    assert main(arguments) == 0
    assert capsys.readouterr().out.endswith(
        "UNLOAD (\nSELECT\n  a\nFROM t\n)\nTO 's3://bucket/x/'\n"
        "WITH (format = 'PARQUET', compression = 'SNAPPY')\n"
    )
    assert main(["--print-unload", "s3://bucket/x"]) == 1
    assert capsys.readouterr().out == "FAILED: --sql: not given. Name the file with the query\n"


def test_packages_that_are_absent() -> None:
    with pytest.raises(SettingsError) as caught:
        require("--engine spark", "no_spark", "no_sql")
    assert str(caught.value) == (
        "--engine spark: no_spark and no_sql are not installed here. Install sagetree[spark], or "
        "run this in SageMaker's Spark processing container with sagetree added "
        "(docs/guide/spark.md)"
    )


def test_spark_on_several_hosts_needs_addresses(root: Path) -> None:
    (root / "config").mkdir()
    hosts = '{"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]}'
    (root / "config" / "resourceconfig.json").write_text(hosts)
    with pytest.raises(SettingsError) as caught:
        check_shared(OptMl(root), read_settings({"label": "y", "engine": "spark"}))
    assert str(caught.value) == (
        "the job has 2 hosts, but the folders below /opt/ml are each host's own. Name tables and "
        "--out by addresses that all hosts reach, such as s3://bucket/claims/"
    )
