"""What several hosts read together of channels: each has rows of its own, and all know the same."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagetree.bundle.bundle import DataFingerprint
from sagetree.errors import DataError, SettingsError, UserError
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG
from sagetree.tables.label import Label
from sagetree.train.channels.ingest import Ingested, ingest
from sagetree.train.examples.leakage import Leakage
from sagetree.train.hosts.group import ONE, Group
from sagetree.train.settings.configuration import read_settings
from tests.train.conftest import lines
from tests.train.hosts.threads import together

Shard = Mapping[str, str | Mapping[str, str | bytes]]

TABLE = lines(240).splitlines(keepends=True)
HEAD, ROWS = TABLE[0], TABLE[1:]


@dataclass(frozen=True)
class Host:
    """A host that has read its channels."""

    read: Ingested
    fingerprints: Mapping[str, DataFingerprint]
    leakage: Leakage


def dealt(count: int, rows: Sequence[str] = ROWS, head: str = HEAD) -> list[str]:
    """Return rows as the tables of this many hosts, one row after the other to each."""
    return [head + "".join(rows[number::count]) for number in range(count)]


def read(
    folder: Path,
    shards: Sequence[Shard],
    told: str = "ShardedByS3Key",
    **hyperparameters: str,
) -> Sequence[Host]:
    """Return hosts that have each read the files that they are given of channels."""
    roots = [OptMl(folder / str(number)) for number in range(len(shards))]
    channels = {channel for shard in shards for channel in shard}
    for rank, (opt_ml, shard) in enumerate(zip(roots, shards, strict=True)):
        opt_ml.config.mkdir(parents=True)
        names = [f"algo-{number + 1}" for number in range(len(shards))]
        config = {
            "inputdataconfig": {name: {"S3DistributionType": told} for name in channels},
            "hyperparameters": hyperparameters,
            "resourceconfig": {"hosts": names, "current_host": names[rank]},
        }
        for name, content in config.items():
            (opt_ml.config / f"{name}.json").write_text(json.dumps(content))
        for channel in channels:
            (opt_ml.data / channel).mkdir(parents=True)
            files = shard.get(channel, {})
            for name, text in ({"a.csv": files} if isinstance(files, str) else files).items():
                content = text.encode() if isinstance(text, str) else text
                (opt_ml.data / channel / name).write_bytes(content)

    def work(group: Group) -> Host:
        opt_ml = roots[group.rank]
        found = ingest(opt_ml, read_settings(opt_ml, {}), group)
        return Host(found, found.fingerprints(), found.leakage())

    return together(len(shards), work) if len(shards) > 1 else [work(ONE)]


def rows_in(hosts: Sequence[Host], channel: str = "train") -> list[list[float]]:
    examples = [host.read.examples[channel] for host in hosts]
    every = [np.column_stack([each.matrix, each.labels]) for each in examples]
    return sorted(map(list, np.nan_to_num(np.concatenate(every), nan=-1).tolist()))


def test_hosts_read_what_one_reads_and_all_know_the_same(tmp_path: Path) -> None:
    whole, parts = dealt(1), dealt(3)
    (one,) = read(tmp_path / "1", [{"train": whole[0], "validation": whole[0]}])
    hosts = read(tmp_path / "3", [{"train": part, "validation": part} for part in parts])
    for host in hosts:
        assert (host.read.schema, host.read.features) == (one.read.schema, one.read.features)
        assert host.read.known == one.read.known
        assert host.leakage == one.leakage
        assert host.leakage.suspects == ("240 of 240 rows of validation are rows of train too",)
        assert host.fingerprints == hosts[0].fingerprints
        assert host.fingerprints["train"].rows == 240
    assert rows_in(hosts) == rows_in([one])
    assert rows_in(hosts, "validation") == rows_in([one], "validation")


def test_a_column_that_predicts_the_label_is_found_in_the_rows_of_all(tmp_path: Path) -> None:
    rows = [f"{n % 2},{n % 2},{n * 7 % 11}\n" for n in range(90)]
    hosts = read(tmp_path, [{"train": part} for part in dealt(3, rows, "y,paid,a\n")])
    suspects = ("column 'paid' alone predicts the label (AUC 1.000)",)
    assert [host.leakage.suspects for host in hosts] == [suspects] * 3


def test_a_fingerprint_does_not_say_how_rows_are_dealt(tmp_path: Path) -> None:
    two = read(tmp_path / "2", [{"train": part} for part in [*dealt(2), HEAD]])
    three = read(tmp_path / "3", [{"train": part} for part in reversed(dealt(3))])
    assert two[0].fingerprints == three[0].fingerprints
    other = read(tmp_path / "4", [{"train": part} for part in dealt(3, [*ROWS[1:], ROWS[1]])])
    assert other[0].fingerprints != three[0].fingerprints


@pytest.mark.parametrize("empty", [{}, {"train": HEAD}, {"train": {"a.csv": "", "b.csv": ""}}])
def test_a_host_may_have_no_rows(
    tmp_path: Path, empty: Shard, caplog: pytest.LogCaptureFixture
) -> None:
    hosts = read(tmp_path, [empty, *({"train": part} for part in dealt(2))])
    assert [host.read.examples["train"].matrix.shape for host in hosts] == [
        (0, 3),
        (120, 3),
        (120, 3),
    ]
    assert "Warning: host algo-1 has no rows of train\n" in caplog.text
    assert all(host.read.schema == hosts[0].read.schema for host in hosts)


@pytest.mark.parametrize("told", ["FullyReplicated", "ShardedByS3Key"])
def test_of_the_same_files_each_host_takes_rows_of_its_own(
    tmp_path: Path, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", LOG.name)
    files = {"a.csv": dealt(1, ROWS[:100])[0], "b.csv": dealt(1, ROWS[100:])[0]}
    (one,) = read(tmp_path / "1", [{"train": files, "validation": files}])
    hosts = read(tmp_path / "3", [{"train": files, "validation": files}] * 3, told)
    assert [host.read.examples["train"].rows for host in hosts] == [80, 80, 80]
    assert rows_in(hosts) == rows_in([one])
    assert hosts[0].read.schema == one.read.schema
    assert (
        "Channel train: every host has all files and takes its share of their rows. With "
        "S3DistributionType ShardedByS3Key each reads files of its own only"
    ) in caplog.messages
    warned = "Warning: channel train is ShardedByS3Key, and all hosts have the same files"
    assert (warned in caplog.messages) is (told == "ShardedByS3Key")


def test_a_row_is_named_by_its_line_in_a_file_that_all_hosts_have(tmp_path: Path) -> None:
    wrong = [*ROWS[:100], "no,1,a,CA\n", *ROWS[101:]]
    with pytest.raises(DataError) as caught:
        read(tmp_path, [{"train": HEAD + "".join(wrong)}] * 3, "FullyReplicated")
    assert (caught.value.message, caught.value.where) == (
        "the label has 3 values ('0', '1', 'no'), and two are needed",
        "a.csv line 102, column 'fraud'",
    )


def test_hosts_that_should_have_the_same_files_and_have_not_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the files of channel train differ") as caught:
        read(tmp_path, [{"train": part} for part in dealt(2, ROWS[1:])], "FullyReplicated")
    assert caught.value.where == "host algo-2"


def test_words_on_one_host_are_words_on_all(tmp_path: Path) -> None:
    """007 is not 7: whoever has read numbers reads the channel again."""
    rows = [f"{n % 2},{code},{n}.5\n" for n, code in enumerate(["007", "7", "012"] * 20)]
    words = [f"{n % 2},x{n % 3},{n}.5\n" for n in range(60)]
    (one,) = read(tmp_path / "1", [{"train": "y,code,a\n" + "".join(rows + words)}])
    parts = ["y,code,a\n" + "".join(part) for part in (rows, words)]
    hosts = read(tmp_path / "2", [{"train": part} for part in parts])
    code, _ = hosts[0].read.schema.columns
    assert code.categories == ("007", "012", "7", "x0", "x1", "x2")
    assert all(host.read.schema == one.read.schema for host in hosts)
    assert rows_in(hosts) == rows_in([one])


def test_the_columns_of_libsvm_are_those_of_all_hosts(tmp_path: Path) -> None:
    parts = ["".join(f"{n % 2} 1:{n}.5 {last}:2\n" for n in range(40)) for last in (2, 5)]
    hosts = read(tmp_path, [{"train": {"a.libsvm": part}} for part in parts])
    assert [host.read.schema.all_names for host in hosts] == [("f1", "f2", "f3", "f4", "f5")] * 2


UNLIKE = {
    "a column": (
        "y,a\n1,2\n",
        "y,b\n0,3\n",
        "column 'a' is only in algo-1, of host algo-1 and host algo-2",
    ),
    "a header": (
        "y,a\n1,2\n",
        "0,3\n1,4\n",
        "only algo-1 has a header, of host algo-1 and host algo-2",
    ),
    "a width": ("1,2\n0,1\n", "0,3,4\n1,4,4\n", "it has 3 columns, and host algo-1 has 2"),
}


@pytest.mark.parametrize("name", UNLIKE)
def test_hosts_whose_columns_differ_are_refused(tmp_path: Path, name: str) -> None:
    *texts, said = UNLIKE[name]
    with pytest.raises(DataError) as caught:
        read(tmp_path, [{"train": text} for text in texts])
    assert caught.value.message == said


def test_one_column_of_two_types_is_refused(tmp_path: Path) -> None:
    """Parquet says what its cells are, and is not read as text."""
    parts = []
    for number, cells in enumerate(([1, 2, 3], ["7", "x", "y"])):
        pq.write_table(pa.table({"y": [0, 1, 0], "a": cells}), tmp_path / f"{number}.parquet")
        parts.append((tmp_path / f"{number}.parquet").read_bytes())
    with pytest.raises(DataError) as caught:
        read(tmp_path / "jobs", [{"train": {"a.parquet": part}} for part in parts])
    assert (caught.value.message, caught.value.where, caught.value.hint) == (
        "its types do not agree: number on host algo-1, text on host algo-2",
        "column 'a'",
        "Write the column with the same type in all files",
    )


def test_a_host_that_has_most_rows_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", LOG.name)
    read(tmp_path, [{"train": part} for part in (dealt(1)[0], *dealt(2, ROWS[:20]))])
    told = "Warning: host algo-1 has 240 of the 260 rows of train: the others wait for it in "
    assert f"{told}each round" in caplog.messages
    assert "10 rows of train are on this host, 260 on all" in caplog.messages


def test_no_row_anywhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, [{"train": HEAD}, {}])
    assert (
        str(caught.value).startswith("a.csv: there are no rows on any host")
        or caught.value.message == "there are no rows on any host"
    )


def test_a_label_of_one_value_on_each_host_is_a_label_of_two(tmp_path: Path) -> None:
    of_label = [[row for row in ROWS if row.startswith(label)] for label in "01"]
    shards = [{"train": HEAD + "".join(rows)} for rows in of_label]
    shards = [{**shard, "validation": shard["train"]} for shard in shards]
    hosts = read(tmp_path / "both", shards)
    label = hosts[0].read.schema.label
    assert isinstance(label, Label)
    assert (label.negative, label.positive) == ("0", "1")
    with pytest.raises(DataError) as caught:
        read(tmp_path / "one", [{**shard, "validation": shards[0]["train"]} for shard in shards])
    assert caught.value.message == "the label is '0' in every row"


def test_a_label_that_never_differs_is_refused(tmp_path: Path) -> None:
    rows = [f"4,{n / 2},a,b\n" for n in range(40)]
    with pytest.raises(DataError) as caught:
        read(tmp_path, [{"train": part} for part in dealt(2, rows)], objective="reg:squarederror")
    assert (caught.value.message, caught.value.where) == (
        "the label is the same in every row: 4",
        "column 'fraud'",
    )


def test_weights_that_are_0_on_one_host_are_taken_and_on_all_refused(tmp_path: Path) -> None:
    def shards(*weights: int) -> list[Shard]:
        rows = [[f"{row.strip()},{weight}\n" for row in ROWS] for weight in weights]
        return [{"train": f"{HEAD.strip()},w\n" + "".join(each)} for each in rows]

    hosts = read(tmp_path / "one", shards(0, 1), weight_column="w")
    weight = hosts[0].read.examples["train"].roles.weight
    assert weight is not None
    assert not weight.any()
    with pytest.raises(DataError, match="the weight is 0 in every row"):
        read(tmp_path / "all", shards(0, 0), weight_column="w")


def test_times_that_are_dates_on_one_host_and_numbers_on_another_are_refused(
    tmp_path: Path,
) -> None:
    head = f"{HEAD.strip()},when\n"
    shards = [
        {"train": head + "".join(f"{row.strip()},{when}\n" for row in ROWS)}
        for when in ("2024", "2024-03-01")
    ]
    with pytest.raises(DataError) as caught:
        read(tmp_path, shards, time_column="when")
    assert (caught.value.message, caught.value.where, caught.value.hint) == (
        "the times are dates on host algo-2 and numbers on host algo-1",
        "column 'when'",
        "Write all of them in one way",
    )


def test_keys_that_train_has_on_another_host_are_refused_in_validation(tmp_path: Path) -> None:
    head = f"policy,{HEAD}"
    keyed = [f"P{n:04d},{row}" for n, row in enumerate(ROWS)]
    train, other = dealt(2, keyed[:160], head), dealt(2, keyed[160:], head)
    shards = [{"train": t, "validation": o} for t, o in zip(train, other, strict=True)]
    read(tmp_path / "apart", shards, target="fraud")
    shards = [shards[0], {"train": train[1], "validation": other[1] + keyed[0]}]
    with pytest.raises(UserError) as caught:
        read(tmp_path / "shared", shards, target="fraud")
    assert caught.value.message == "1 keys are both in train and in validation, such as 'P0000'"


def test_groups_have_the_same_number_on_all_hosts(tmp_path: Path) -> None:
    rows = [f"{row.strip()},g{n // 7}\n" for n, row in enumerate(ROWS)]
    parts = dealt(2, rows, f"{HEAD.strip()},shop\n")
    hosts = read(tmp_path, [{"train": part} for part in parts], group_column="shop")
    groups = [host.read.examples["train"].roles.groups for host in hosts]
    assert all(numbers is not None for numbers in groups)
    assert {*map(int, groups[0])} == {*map(int, groups[1])}
    assert len(np.unique(groups[0])) == 35


QUERIES = [f"{n % 3},{n * 7 % 11},q{n // 10}\n" for n in range(240)]
RANKING = {"objective": "rank:ndcg", "group_column": "q"}


@pytest.mark.parametrize("cut", [120, 125])
def test_a_query_that_hosts_share_is_refused(tmp_path: Path, cut: int) -> None:
    shards = [{"train": "y,a,q\n" + "".join(part)} for part in (QUERIES[:cut], QUERIES[cut:])]
    if cut == 120:
        assert len(read(tmp_path, shards, **RANKING)) == 2
        return
    with pytest.raises(DataError) as caught:
        read(tmp_path, shards, **RANKING)
    assert (caught.value.message, caught.value.where, caught.value.hint) == (
        "other hosts of the job have rows of the same query",
        "a.csv line 122, column 'q'",
        "Put all rows of a query into one file, or train with one host",
    )


def test_of_the_same_files_each_host_takes_whole_queries(tmp_path: Path) -> None:
    text = "y,a,q\n" + "".join(QUERIES)
    hosts = read(tmp_path, [{"train": text}] * 3, "FullyReplicated", **RANKING)
    assert [host.read.examples["train"].rows for host in hosts] == [80, 80, 80]
    hosts = read(tmp_path / "5", [{"train": text}] * 5, "FullyReplicated", **RANKING)
    assert sum(host.read.examples["train"].rows for host in hosts) == 240


def test_copies_on_other_hosts_are_found(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows = [f"{n % 2},{random.random()},{random.random()}\n" for n in range(200)]
    (one,) = read(tmp_path / "1", [{"train": "y,a,b\n" + "".join(rows * 3)}])
    hosts = read(
        tmp_path / "3",
        [
            {"train": "y,a,b\n" + "".join(rows)},
            *[{"train": "y,a,b\n" + "".join(rows[::-1])}],
            {"train": "y,a,b\n" + "".join(rows[100:] + rows[:100])},
        ],
    )
    assert one.read.examples["train"].copies is not None
    numbers = [host.read.examples["train"].copies for host in hosts]
    assert all(found is not None for found in numbers)
    assert {*map(int, numbers[0])} == {*map(int, numbers[1])}
    apart = read(tmp_path / "apart", [{"train": "y,a,b\n" + "".join(rows[n::2])} for n in (0, 1)])
    assert all(host.read.examples["train"].copies is None for host in apart)


REFUSED = {
    "booster": "gblinear",
    "nfold": "3",
    "objective": "survival:cox",
    "process_type": "update",
}


def test_what_hosts_cannot_train_is_refused_at_once(tmp_path: Path) -> None:
    cannot = "which the 2 hosts of the job cannot train together"
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, [{"train": part} for part in dealt(2)], **REFUSED)
    for said in (
        f"booster is gblinear, {cannot}: use gbtree, or one host",
        f"objective is survival:cox, {cannot}: use survival:aft, or one host",
        f"process_type is update, {cannot}: leave it out, or use one host",
        "nfold is set (folds that choose the rounds), and each of several hosts has rows of its "
        "own: leave it out to hold out a tenth of all rows, or use one host",
    ):
        assert said in caught.value.message
    for setting, said in {
        "tree_method": f"tree_method is exact, {cannot}: use hist, or one host",
        "updater": f"updater is grow_colmaker, {cannot}: leave it out, or use one host",
        "_kfold": (
            "_kfold is set (a model of each fold), and each of several hosts has rows of its own: "
            "leave it out to hold out a tenth of all rows, or use one host"
        ),
        "tune": f"tune is set, {cannot}: leave it out, or use one host",
        "facets": (
            "facets is set, and each of several hosts would compare only its own rows: leave it "
            "out and set it in evaluate, or use one host"
        ),
    }.items():
        facets = '[{"column": "amount", "threshold": 1}]'
        value = {
            "tree_method": "exact", "updater": "grow_colmaker", "_kfold": "3", "facets": facets,
            "tune": "5",
        }[setting]  # fmt: skip
        with pytest.raises(SettingsError) as caught:
            read(tmp_path / setting, [{"train": part} for part in dealt(2)], **{setting: value})
        assert said in caught.value.message
    updaters = "grow_quantile_histmaker,refresh,prune"
    with pytest.raises(SettingsError) as caught:
        read(tmp_path / "revised", [{"train": part} for part in dealt(2)], updater=updaters)
    for updater in ("refresh", "prune"):
        said = f"updater is {updater}, {cannot}: leave it out, or use one host"
        assert said in caught.value.message
    with pytest.raises(SettingsError) as caught:
        read(
            tmp_path / "rank",
            [{"train": part} for part in dealt(2)],
            lambdarank_unbiased="true",
            **RANKING,
        )
    said = f"lambdarank_unbiased is set, {cannot}: leave it out, or use one host"
    assert caught.value.message == said
