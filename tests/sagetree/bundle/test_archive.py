"""model.tar.gz comes from a stranger: what is opened, and what is refused before it does harm."""

import gzip
import io
import os
import random
import resource
import subprocess
import sys
import tarfile
import tracemalloc

import pytest

from sagetree.bundle import archive
from sagetree.bundle.archive import MAX_BYTES, MAX_MEMBERS, open_model
from sagetree.errors import ArtifactError, PlatformError

AGAIN = "Pack the model's files again: tar -czf model.tar.gz -C FOLDER ."
FILES = {"xgboost-model": b"trees", "sagetree/manifest.json": b"{}"}


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """A temporary folder of the test's own, to see what is left in it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.tar.gz"


def member(name, data=b"", **attributes):
    """A header and the data after it; a file unless `attributes` say otherwise."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info, data


def pack(path, *members, end=b"\0" * 1024, form=tarfile.PAX_FORMAT):
    """Write members as they are, also such as no tar would write."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        for info, data in members:
            file.write(info.tobuf(form))
            file.write(data + b"\0" * (-len(data) % 512))
        file.write(end)
    return path


def contents(folder):
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def refusal(path):
    """The whole text of the refusal, with the archive's folder cut away."""
    with pytest.raises(ArtifactError) as caught, open_model(path):
        pytest.fail("it was opened")
    error = caught.value
    assert all((error.message, error.where, error.hint))
    return str(error).replace(f"{path.parent}/", "")


# What is opened


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("dot", ["", "./"])
def test_an_archive_is_unpacked_and_cleared_away(path, temporary, form, dot):
    with tarfile.open(path, "w:gz", format=form) as tar:
        if dot:
            tar.addfile(member("./", type=tarfile.DIRTYPE)[0])
        for name, data in FILES.items():
            tar.addfile(member(dot + name, data)[0], io.BytesIO(data))

    with open_model(path) as folder:
        assert contents(folder) == FILES
        assert folder.is_relative_to(temporary)

    assert list(temporary.iterdir()) == []


def test_the_system_s_tar_is_read(tmp_path, path):
    for name, data in FILES.items():
        (tmp_path / "model" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "model" / name).write_bytes(data * 100_000)
    subprocess.run(["tar", "-czf", path, "-C", tmp_path / "model", "."], check=True)

    with open_model(tmp_path) as folder:
        assert contents(folder) == {name: data * 100_000 for name, data in FILES.items()}


def test_a_folder_with_the_archive_only(tmp_path, path):
    pack(path, *(member(name, data) for name, data in FILES.items()))
    (tmp_path / "notes.json").write_text("{}")

    with open_model(tmp_path) as folder:
        assert contents(folder) == FILES


@pytest.mark.parametrize("name", ["xgboost-model", "sagetree/manifest.json", "model.ubj"])
def test_an_unpacked_model_goes_before_the_archive_beside_it(tmp_path, path, name):
    pack(path, member("xgboost-model", b"older"))
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"newer")

    with open_model(tmp_path) as folder:
        assert folder == tmp_path


def test_a_folder_without_archive_is_taken_as_it_is(tmp_path):
    with open_model(tmp_path) as folder:
        assert folder == tmp_path


def test_it_is_cleared_away_after_an_error_of_the_user_too(path, temporary):
    pack(path, member("xgboost-model", b"trees"))

    with pytest.raises(RuntimeError, match="of the user"), open_model(path):
        raise RuntimeError("of the user")

    assert list(temporary.iterdir()) == []


def test_file_modes_and_owners_of_the_archive_do_not_count(path):
    pack(path, member("xgboost-model", b"trees", mode=0o6777, uid=12345, gid=12345))

    with open_model(path) as folder:
        status = (folder / "xgboost-model").stat()

    assert status.st_mode & 0o7111 == 0
    assert status.st_uid == os.getuid()


# What is refused

OUTSIDE = "it lies outside the archive's folder"
NOT_PLAIN = "it is neither a plain file nor a folder (a link, a device, a pipe)"


@pytest.mark.parametrize(
    ("name", "attributes", "reason"),
    [
        ("/etc/passwd", {}, OUTSIDE),
        ("../evil", {}, OUTSIDE),
        ("a/../../evil", {}, OUTSIDE),
        ("a/..", {"type": tarfile.DIRTYPE}, OUTSIDE),
        ("/tmp", {"type": tarfile.DIRTYPE}, OUTSIDE),
        ("link", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, NOT_PLAIN),
        ("link", {"type": tarfile.SYMTYPE, "linkname": "xgboost-model"}, NOT_PLAIN),
        ("link", {"type": tarfile.LNKTYPE, "linkname": "xgboost-model"}, NOT_PLAIN),
        ("null", {"type": tarfile.CHRTYPE}, NOT_PLAIN),
        ("disk", {"type": tarfile.BLKTYPE}, NOT_PLAIN),
        ("pipe", {"type": tarfile.FIFOTYPE}, NOT_PLAIN),
        ("sparse", {"type": tarfile.GNUTYPE_SPARSE}, NOT_PLAIN),
        (".", {}, "it has no name"),
        ("n" * 256, {}, "its name is longer than 255 bytes, or is not the name of a file"),
        ("é" * 128, {}, "its name is longer than 255 bytes, or is not the name of a file"),
        ("a/" * 1500 + "b", {}, "its name is longer than 255 bytes, or is not the name of a file"),
        ("huge", {"size": MAX_BYTES + 1}, "with this member the archive holds more than 10 GB"),
        ("xgboost-model", {}, "an earlier member has the same path"),
        ("xgboost-model/inner", {}, "an earlier member has the same path"),
        ("xgboost-model", {"type": tarfile.DIRTYPE}, "an earlier member has the same path"),
    ],
)
def test_a_bad_member(path, temporary, name, attributes, reason):
    pack(path, member("xgboost-model", b"trees"), member(name, **attributes))

    shown = repr(name if len(name) <= 40 else name[:39] + "…")
    assert refusal(path) == f"model.tar.gz, member {shown}: {reason}. {AGAIN}"
    assert list(temporary.iterdir()) == []


def test_a_name_with_a_zero_byte(path):
    records = tarfile.TarInfo.create_pax_header
    info, data = member("name")
    header = records(info, {**info.get_info(), "name": "a\0bé"}, "utf-8")
    with gzip.open(path, "wb") as file:
        file.write(header + data + b"\0" * 1024)

    text = f"its name is longer than 255 bytes, or is not the name of a file. {AGAIN}"
    assert refusal(path) == f"model.tar.gz, member 'a\\x00bé': {text}"


def test_sizes_add_up(path):
    half = MAX_BYTES // 2 + 1
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(member("a", size=half)[0].tobuf())
        file.write(bytes(10_000))

    assert "it is cut off" in refusal(path)
    reason = archive._fault(member("b", size=half)[0], members=2, size=2 * half)
    assert reason == "with this member the archive holds more than 10 GB"


def test_too_many_members(path, temporary):
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(member("code", type=tarfile.DIRTYPE)[0].tobuf() * MAX_MEMBERS)
        file.write(member("last")[0].tobuf() + bytes(1024))

    reason = "it is one more than the 10000 members an archive may have"
    assert refusal(path) == f"model.tar.gz, member 'last': {reason}. {AGAIN}"
    assert list(temporary.iterdir()) == []


# tarfile would read each of these into memory, or into its stack, before it names a member.
ZEROS = b"\0" * 25_000_000
MANY = b"".join(
    member("long", size=4, type=tarfile.GNUTYPE_LONGNAME)[0].tobuf() + b"a".ljust(512, b"\0")
    for _ in range(2000)
)
BOMBS = {
    "a long name": member("long", ZEROS, type=tarfile.GNUTYPE_LONGNAME)[0].tobuf() + ZEROS,
    "a pax header": member("pax", ZEROS, type=tarfile.XHDTYPE)[0].tobuf() + ZEROS,
    "long names of long names": MANY,
    "zeros behind the end": ZEROS,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_stops_early(path, bomb):
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(BOMBS[bomb])

    tracemalloc.start()
    text = refusal(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    reason = "it holds more bytes between or after its members than a tar archive needs"
    assert text == f"model.tar.gz: {reason}. {AGAIN}"
    assert peak < 5_000_000


def damaged(reason):
    start = "model.tar.gz: it is cut off, damaged, or not a gzip-compressed tar archive"
    return f"{start} ({reason}). Copy it again. {AGAIN}"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"PK\x03\x04 a zip file", "Not a gzipped file (b'PK')"),
        (gzip.compress(b""), "empty file"),
        (gzip.compress(b"no tar" * 500), "invalid header"),
        (gzip.compress(b"short"), "truncated header"),
        (b"\x1f\x8b\x08\x00", "Compressed file ended before the end-of-stream marker was reached"),
    ],
    ids=["empty", "zip", "empty gzip", "gzip of text", "gzip of little", "cut off"],
)
def test_not_an_archive(path, data, reason):
    path.write_bytes(data)

    text = refusal(path)

    assert text == damaged(reason)


def test_a_cut_off_archive_wherever_it_is_cut(path, temporary):
    whole = pack(
        path, member("xgboost-model", random.Random(0).randbytes(3000)), member("b", b"b")
    ).read_bytes()

    for length in range(0, len(whole), 61):
        path.write_bytes(whole[:length])
        assert "it is cut off, damaged, or not a gzip-compressed tar archive" in refusal(path)
        assert list(temporary.iterdir()) == []


def test_a_changed_byte_is_noticed_wherever_it_counts(path):
    data = random.Random(0).randbytes(3000)
    whole = pack(path, member("xgboost-model", data), end=bytes(10_240)).read_bytes()

    refused = 0
    after_the_name = 10 + len("model.tar") + 1  # which gzip notes and no checksum covers
    places = range(after_the_name, len(whole), 67)
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x20]) + whole[place + 1 :])
        try:
            with open_model(path) as folder:  # a bit that only fills a byte was changed
                assert contents(folder) == {"xgboost-model": data}
        except ArtifactError:
            refused += 1

    assert refused >= len(places) - 2


@pytest.mark.parametrize(
    "records",
    [
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "x"},
        {"GNU.sparse.map": "no,numbers", "GNU.sparse.size": "9"},
        {"size": "-5"},
        {"size": "99999999999999999999999"},
    ],
)
def test_strange_pax_records(path, records):
    info, data = member("strange", b"no numbers\n" * 100)
    info.pax_headers = records
    pack(path, (info, data))

    assert refusal(path).startswith("model.tar.gz")


def test_a_broken_header_behind_other_members_is_not_the_end(path):
    broken = tarfile.TarInfo("lost").tobuf().replace(b"0000644", b"0000645")  # not its checksum's
    pack(path, member("xgboost-model", b"trees"), end=broken + b"\0" * 1024)

    assert refusal(path) == (
        "model.tar.gz: it is cut off, damaged, or not a gzip-compressed tar archive "
        f"(bad checksum). Copy it again. {AGAIN}"
    )


def test_there_is_nothing(tmp_path):
    path = tmp_path / "nothing"

    hint = "Give a folder with model.tar.gz or with the model's files"
    assert refusal(path) == f"nothing: there is no model. {hint}"


def test_a_full_volume_is_the_machine_s_fault(path, temporary):
    pack(path, member("xgboost-model", b"trees" * 10_000))

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(PlatformError) as caught, open_model(path):
            pytest.fail("it was opened")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert str(caught.value) == (
        f"{path}: it could not be unpacked. Free some space on the volume of the temporary "
        "folder, and check its permissions"
    )
    assert list(temporary.iterdir()) == []


def test_a_forked_process_leaves_the_folder_alone(path, temporary):
    """A server's workers are forked while the archive is open, and end before it does."""
    pack(path, member("xgboost-model", b"trees"))
    code = (
        "import os, sys\nfrom pathlib import Path\n"
        "from sagetree.bundle.archive import open_model\n"
        "with open_model(Path(sys.argv[1])) as folder:\n"
        "    child = os.fork()\n"
        "    if child:\n"
        "        os.waitpid(child, 0)\n"
        "        print((folder / 'xgboost-model').read_text())\n"
    )
    environ = {**os.environ, "TMPDIR": str(temporary)}
    command = [sys.executable, "-c", code, str(path)]
    said = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
    assert (said.stdout, said.stderr) == ("trees\n", "")
    assert not list(temporary.iterdir())
