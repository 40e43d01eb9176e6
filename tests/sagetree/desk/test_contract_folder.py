"""--out: which folder a command takes for its own, and what it leaves alone in it."""

import errno
import fcntl
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagetree.desk.contract_folder import (
    MARK,
    claimed,
    is_marked,
    place_links,
    refuse_base_dir,
    write_settings,
)
from sagetree.errors import PlatformError, SettingsError
from sagetree.machine.paths import OptMl

MOVE = "Move it away, or name another folder with --out"


@pytest.fixture
def out(tmp_path: Path) -> Iterator[OptMl]:
    with claimed(tmp_path / "out") as out:
        yield out


@pytest.mark.parametrize("exists", [False, True])
def test_a_folder_is_taken_if_it_is_new_or_empty_and_again(tmp_path: Path, exists: bool):
    out = tmp_path / "a" / "out"
    if exists:
        out.mkdir(parents=True)
    assert not is_marked(out)
    with claimed(out) as found:
        assert found == OptMl(out)
    assert is_marked(out)
    (out / "model").mkdir()
    with claimed(out) as found:
        assert found == OptMl(out)


@pytest.mark.parametrize(
    ("names", "held"),
    [
        (["input"], "'input'"),
        (["a", "b", "c", "d"], "'a', 'b', 'c' and 1 more"),
        ([".git"], "'.git'"),
    ],
)
def test_a_folder_of_the_user_s_own_is_refused(tmp_path: Path, names: list[str], held: str):
    for name in names:
        (tmp_path / name).mkdir()
    with pytest.raises(SettingsError) as raised, claimed(tmp_path):
        pass
    assert str(raised.value) == (
        f"--out {tmp_path}: the folder was not made by a command of sagetree, and it holds {held}. "
        "Name a new folder, an empty one, or one of an earlier command"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_a_file_is_refused(tmp_path: Path):
    path = tmp_path / "out"
    path.write_text("mine")
    with pytest.raises(SettingsError) as raised, claimed(path):
        pass
    hint = "Name a folder: a new one, or one of an earlier command"
    assert str(raised.value) == f"--out {path}: it is a file. {hint}"
    assert path.read_text() == "mine"


def test_a_folder_that_cannot_be_made(tmp_path: Path):
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "out"
    with pytest.raises(PlatformError) as raised, claimed(out):
        pass
    reason = "it cannot be written: Not a directory"
    assert str(raised.value) == f"--out {out}: {reason}. Name a folder that you may write to"


def test_one_command_at_a_time(out: OptMl):
    with pytest.raises(SettingsError) as raised, claimed(out.root):
        pass
    assert str(raised.value) == (
        f"--out {out.root}: another command of sagetree is working in it. "
        "Wait until that one has ended, or name another folder with --out"
    )


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP])
def test_a_file_system_without_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "no locks")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with claimed(tmp_path / "out") as out:
        assert is_marked(out.root)


def test_a_full_disk(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(PlatformError) as raised, claimed(tmp_path):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    reason = "it cannot be written: File too large"
    assert str(raised.value) == f"--out {tmp_path}: {reason}. Name a folder that you may write to"


def test_links_replace_those_of_an_earlier_command(tmp_path: Path, out: OptMl):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(name)
    train, validation = out.data / "train", out.data / "validation"
    earlier = {train / "1" / "a.csv": tmp_path / "a.csv", validation / "b.csv": tmp_path / "b.csv"}
    place_links(out, earlier, [out.data])
    (tmp_path / "a.csv").unlink()  # a link that leads nowhere goes too
    place_links(out, {train / "b.csv": tmp_path / "b.csv"}, [out.data])
    assert [path.relative_to(out.data) for path in out.data.rglob("*")] == [
        Path("train"), Path("train/b.csv"),
    ]  # fmt: skip
    assert (train / "b.csv").read_text() == "b.csv"


def test_a_link_of_a_whole_folder_goes_and_the_folder_stays(tmp_path: Path, out: OptMl):
    rows = tmp_path / "rows"
    rows.mkdir()
    (rows / "a.csv").write_text("rows")
    place_links(out, {out.data / "train": rows}, [out.data])
    assert (out.data / "train" / "a.csv").read_text() == "rows"
    place_links(out, {}, [out.data])
    assert not out.data.exists()
    assert (rows / "a.csv").read_text() == "rows"


def test_relative_names_count_from_the_folder_one_is_in(tmp_path: Path, out: OptMl, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("rows")
    place_links(out, {out.data / "train" / "a.csv": Path("a.csv")}, [out.data])
    assert (out.data / "train" / "a.csv").read_text() == "rows"


def test_a_link_of_an_earlier_command_may_be_named_again(tmp_path: Path, out: OptMl):
    (tmp_path / "a.csv").write_text("rows")
    link = out.data / "train" / "a.csv"
    for target in (tmp_path / "a.csv", link):
        place_links(out, {link: target}, [out.data])
        assert link.read_text() == "rows"
    with pytest.raises(SettingsError) as raised:
        place_links(out, {out.data / "train": link.parent}, [out.data])
    assert str(raised.value) == (
        f"{link.parent}: it is among the links that the command replaces. "
        "Name the files that they lead to, or another folder with --out"
    )
    assert link.read_text() == "rows"


def test_a_file_beside_the_links_is_left_and_nothing_is_changed(tmp_path: Path, out: OptMl):
    (tmp_path / "a.csv").write_text("rows")
    link, own = out.data / "train" / "a.csv", out.data / "train" / "own.csv"
    place_links(out, {link: tmp_path / "a.csv"}, [out.data])
    own.write_text("mine")
    with pytest.raises(SettingsError) as raised:
        place_links(out, {}, [out.data])
    assert str(raised.value) == f"{own}: no command of sagetree put it there. {MOVE}"
    assert (own.read_text(), link.read_text()) == ("mine", "rows")


def test_settings_are_all_that_a_job_is_told(out: OptMl):
    write_settings(out, {"eta": "0.1"})
    write_settings(out, {"target": "fräud"})
    assert out.hyperparameters.read_text(encoding="utf-8") == '{\n  "target": "fräud"\n}'
    out.input_data_config.write_text("{}")
    with pytest.raises(SettingsError) as raised:
        write_settings(out, {})
    path = out.input_data_config
    assert str(raised.value) == f"{path}: no command of sagetree put it there. {MOVE}"


def test_the_environment_names_no_folder_beside():
    refuse_base_dir({}, "DATA")
    refuse_base_dir({"SAGEMAKER_BASE_DIR": ""}, "DATA")
    refuse_base_dir({"SAGEMAKER_BASE_DIR": "/opt/ml"}, "DATA")  # as in the image
    with pytest.raises(SettingsError) as raised:
        refuse_base_dir({"SAGEMAKER_BASE_DIR": "/job"}, "DATA")
    assert str(raised.value) == (
        "SAGEMAKER_BASE_DIR: it names the folder '/job', and the command names DATA. "
        "Unset it, or leave out DATA"
    )


def test_the_mark_says_what_it_is(out: OptMl):
    assert (out.root / MARK).read_text() == (
        "A command of sagetree made this folder. The next one with files as arguments replaces\n"
        "the links below input/ and processing/ and input/config/hyperparameters.json.\n"
    )
