"""Where a script lies: a folder as it is, an archive unpacked, one on S3 fetched first."""

import tarfile
from pathlib import Path

import pytest

from sagetree.errors import SettingsError
from sagetree.scripts.source import local_folder
from tests.storage import buckets

HINT = "Name a folder or a .tar.gz, here or on s3://, that this job may read"


def archive(folder: Path) -> Path:
    """A script packed as SageMaker's SDK packs it."""
    (folder / "source").mkdir(parents=True)
    (folder / "source" / "a.py").write_text("x = 1")
    with tarfile.open(folder / "sourcedir.tar.gz", "w:gz") as packed:
        packed.add(folder / "source", ".")
    return folder / "sourcedir.tar.gz"


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_folder_is_taken_as_it_is_and_an_archive_unpacked(tmp_path: Path, scheme: str) -> None:
    packed, target = archive(tmp_path), tmp_path / "target"
    source = tmp_path / "source"
    assert local_folder(f"{scheme}{source}", target, "X") == source
    assert not target.exists()
    assert local_folder(f"{scheme}{packed}", target, "X") == target
    assert (target / "a.py").read_text() == "x = 1"


@pytest.mark.long  # boto3 takes two seconds to be imported
def test_an_archive_on_s3_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive(tmp_path / "bucket")
    with buckets(tmp_path) as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        target = tmp_path / "target"
        assert local_folder("s3://bucket/sourcedir.tar.gz", target, "X") == target
        assert (target / "a.py").exists()
        with pytest.raises(SettingsError) as caught:
            local_folder("s3://bucket/absent.tar.gz", target, "X")
    assert str(caught.value) == (
        "X, s3://bucket/absent.tar.gz: it cannot be fetched: An error occurred (404) when calling "
        f"the HeadObject operation (reached max retries: 0): Not Found. {HINT}"
    )


def test_what_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        local_folder("/no/where", tmp_path / "target", "X")
    assert str(caught.value) == f"X, /no/where: the folder or file does not exist. {HINT}"


OUTSIDE = "'../a.py' would be extracted to"


@pytest.mark.parametrize("content", [b"no archive", None])
def test_what_cannot_be_unpacked_says_so(tmp_path: Path, content: bytes | None) -> None:
    packed = tmp_path / "code.tar.gz"
    if content is None:  # one that would write beside its folder
        with tarfile.open(packed, "w:gz") as tar:
            tar.addfile(tarfile.TarInfo("../a.py"))
    else:
        packed.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        local_folder(str(packed), tmp_path / "target", "X")
    text = str(caught.value)
    assert text.startswith(f"X, {packed}: it cannot be unpacked: ")
    assert text.endswith(HINT)
    assert (OUTSIDE in text) == (content is None)
    assert not (tmp_path / "a.py").exists()
