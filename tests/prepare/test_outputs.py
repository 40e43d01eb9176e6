"""All parts or none, wherever they are mounted."""

from pathlib import Path

from tests.prepare.tables import PARTS, message, outputs, prepare, put_pair


def put_outputs(root: Path) -> dict[str, bytes]:
    """Write what stands for an earlier run's parts, and return it."""
    for name in PARTS:
        folder = root / "processing" / "output" / name
        folder.mkdir(parents=True)
        (folder / f"{name}.parquet").write_bytes(b"earlier")
    return outputs(root)


def test_the_same_input_gives_the_same_bytes(root: Path) -> None:
    put_pair(root, rows=3000)
    assert prepare() == 0
    first = outputs(root)
    assert list(first) == [f"{p}/{p}.parquet" for p in ("test", "train", "validation")]
    # 125 MB allow for one thread, 1 GB for as many as there are.
    assert prepare("--memory-limit", "125MB") == 0
    assert outputs(root) == first


def test_files_of_an_earlier_run_with_other_settings_go(root: Path) -> None:
    put_pair(root)
    put_outputs(root)
    (root / "processing/output/train/notes.txt").write_text("mine")
    assert prepare("--split", "0.8,0,0.2", "--format", "csv") == 0
    assert list(outputs(root)) == ["test/test.csv", "train/notes.txt", "train/train.csv"]


def test_a_share_of_zero_writes_nothing(root: Path) -> None:
    put_pair(root)
    assert prepare("--split", "0.8,0,0.2") == 0
    assert sorted(p.name for p in (root / "processing" / "output").iterdir()) == ["test", "train"]


def test_a_failed_run_leaves_what_was_there(root: Path) -> None:
    put_pair(root)
    before = put_outputs(root)
    assert prepare("--label", "nope") == 1
    assert outputs(root) == before


def test_a_part_that_cannot_be_written_leaves_what_was_there(root: Path) -> None:
    put_pair(root)
    before = put_outputs(root)
    (root / "processing/output/test/.test.unfinished").mkdir()  # in the way of the last part
    assert prepare() == 1
    assert outputs(root) == before
    assert message(root).startswith("a file could not be read or written. Is the disk")


def test_each_part_may_be_a_mount(root: Path) -> None:
    """SageMaker mounts each output by itself; a link is as little a folder that can be replaced."""
    put_pair(root)
    (root / "processing" / "output").mkdir()
    for name in PARTS:
        (root / "elsewhere" / name).mkdir(parents=True)
        (root / "processing" / "output" / name).symlink_to(root / "elsewhere" / name)
    assert prepare() == 0
    for name in PARTS:
        assert (root / "processing" / "output" / name).is_symlink()
        assert [p.name for p in (root / "elsewhere" / name).iterdir()] == [f"{name}.parquet"]
