"""The artifact: whole or refused, equal after loading, and what older ones hold still loads."""

import hashlib
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from sagetree.bundle.bundle import (
    DECISION_FILE,
    FEATURES_FILE,
    ROWS_FILE,
    SCHEMA_FILE,
    SELFCHECK_FILE,
    Manifest,
    ModelBundle,
    SelfCheck,
    library_versions,
)
from sagetree.bundle.file_names import MANIFEST_FILE, MODEL_FILE
from sagetree.bundle.model import Model
from sagetree.bundle.old import FORMAT
from sagetree.bundle.training_rows import TrainingRows
from sagetree.errors import ArtifactError, PlatformError
from sagetree.tables.cells import Cell
from tests.sagetree.models import claims

FILES = [MODEL_FILE, SCHEMA_FILE, FEATURES_FILE, DECISION_FILE, SELFCHECK_FILE]
AGAIN = "Copy the artifact again, or train again"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A saved bundle."""
    claims().bundle.save(tmp_path / "model")
    return tmp_path / "model"


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def refusal(folder: Path) -> str:
    with pytest.raises(ArtifactError) as caught:
        ModelBundle.load(folder)
    # The loader of a served model sees the same.
    with pytest.raises(ArtifactError) as again:
        Model.load(folder)
    assert str(again.value) == str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("encoding", ["native", "onehot"])
def test_a_bundle_is_equal_after_loading(encoding: str, tmp_path: Path) -> None:
    bundle = claims(encoding).bundle
    bundle.save(tmp_path / "new" / "model")
    assert ModelBundle.load(tmp_path / "new" / "model") == bundle


def test_the_files_of_a_bundle(folder: Path) -> None:
    assert names(folder) == sorted([*FILES, MANIFEST_FILE])
    assert list(folder.glob(".*")) == []


def test_the_manifest_says_what_is_there(folder: Path, tmp_path: Path) -> None:
    manifest = claims().bundle.save(tmp_path / "other")
    content = orjson.loads((folder / MANIFEST_FILE).read_bytes())
    assert manifest == Manifest(**content)
    assert content["format"] == FORMAT == 1
    assert content["files"] == {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES
    }
    assert content["versions"] == library_versions()
    assert set(content["versions"]) == {"python", "sagetree", "xgboost", "numpy"}
    assert content["hyperparameters"] == {"max_depth": "3"}
    assert content["data"] == {"train": {"rows": 200, "sha256": "0" * 64}}
    assert content["metrics"] == {"auc": 0.75}


def test_saving_twice_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    claims().bundle.save(tmp_path / "other")
    for name in names(folder):
        assert (folder / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


def test_a_metric_that_is_no_number_is_left_out(tmp_path: Path) -> None:
    metrics = {"auc": float("nan"), "logloss": 0.5, "x": float("inf")}
    replace(claims().bundle, metrics=metrics).save(tmp_path)
    assert ModelBundle.load(tmp_path).metrics == {"logloss": 0.5}


def test_saving_over_another_bundle_leaves_only_the_new_one(folder: Path) -> None:
    bundle = claims("onehot").bundle
    bundle.save(folder)
    assert ModelBundle.load(folder) == bundle
    assert names(folder) == sorted([*FILES, MANIFEST_FILE])


def test_older_files_beside_the_bundle_are_let_be(folder: Path) -> None:
    others = ["model.tar.gz", "xgboost-model-0", "old.ubj", "sagetree/notes.txt"]
    for name in others:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"old")
    bundle = claims("onehot").bundle
    bundle.save(folder)
    assert ModelBundle.load(folder) == bundle
    assert Model.load(folder).features == bundle.features
    assert {(folder / name).read_bytes() for name in others} == {b"old"}


# -- damage


def removed(path: Path) -> None:
    path.unlink()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (removed, "the file does not exist"),
        (emptied, "the file is not the one that was saved"),
        (cut, "the file is not the one that was saved"),
        (flipped, "the file is not the one that was saved"),
    ],
)
def test_a_damaged_file(
    name: str, damage: Callable[[Path], None], reason: str, folder: Path
) -> None:
    damage(folder / name)
    assert refusal(folder) == f"{name}: {reason}. {AGAIN}"


@pytest.mark.parametrize("damage", [removed, emptied, cut])
def test_a_damaged_manifest(damage: Callable[[Path], None], folder: Path) -> None:
    """Its model is not taken for a plain one, whose columns are known by position only."""
    if damage is cut:
        (folder / MANIFEST_FILE).write_bytes((folder / MANIFEST_FILE).read_bytes()[:-5])
    else:
        damage(folder / MANIFEST_FILE)
    assert refusal(folder) == f"{MANIFEST_FILE}: it cannot be read. {AGAIN}"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"format": 2},
            f"{MANIFEST_FILE}: its format is 2. This sagetree reads format 1: "
            "serve with the version that trained it",
        ),
        (
            {"format": None},
            f"{MANIFEST_FILE}: its format is None. This sagetree reads format 1: "
            "serve with the version that trained it",
        ),
        (
            {"files": {MODEL_FILE: "0" * 64}},
            f"{MODEL_FILE}: the file is not the one that was saved. {AGAIN}",
        ),
        ({"files": {}}, f"{MANIFEST_FILE}: it does not list {FEATURES_FILE}. {AGAIN}"),
        (
            {"files": {"../secret": "0" * 64}},
            f"{MANIFEST_FILE}: it names a file outside the folder. {AGAIN}",
        ),
        (
            {"files": {"/etc/hostname": "0" * 64}},
            f"{MANIFEST_FILE}: it names a file outside the folder. {AGAIN}",
        ),
        ({"files": {"a\0b": "0" * 64}}, f"a\0b: the file does not exist. {AGAIN}"),
    ],
    ids=str,
)
def test_a_changed_manifest(change: dict[str, object], text: str, folder: Path) -> None:
    (folder.parent / "secret").write_text("secret")
    content = orjson.loads((folder / MANIFEST_FILE).read_bytes())
    (folder / MANIFEST_FILE).write_bytes(orjson.dumps(content | change))
    assert refusal(folder) == text


def test_a_manifest_that_is_no_object(folder: Path) -> None:
    (folder / MANIFEST_FILE).write_bytes(b"[]")
    assert refusal(folder) == f"{MANIFEST_FILE}: it cannot be read. {AGAIN}"


def test_a_manifest_without_a_list_of_files(folder: Path) -> None:
    (folder / MANIFEST_FILE).write_bytes(b'{"format": 1}')
    text = refusal(folder)
    assert text.startswith(f"{MANIFEST_FILE}: the file is not as sagetree writes it: ")
    assert text.endswith(f". {AGAIN}")


def sign(folder: Path, name: str, data: bytes) -> None:
    """Replace a file and its sum in the manifest, as a stranger's tool might."""
    (folder / name).write_bytes(data)
    content = orjson.loads((folder / MANIFEST_FILE).read_bytes())
    content["files"][name] = hashlib.sha256(data).hexdigest()
    (folder / MANIFEST_FILE).write_bytes(orjson.dumps(content))


@pytest.mark.parametrize("name", [SCHEMA_FILE, FEATURES_FILE, DECISION_FILE, SELFCHECK_FILE])
@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b'{"more": 1}', b"null"])
def test_a_file_that_is_not_as_it_should_be(name: str, data: bytes, folder: Path) -> None:
    sign(folder, name, data)
    text = refusal(folder)
    assert text.startswith(f"{name}: the file is not as sagetree writes it: ")
    assert text.endswith(f". {AGAIN}")


def test_the_rows_of_training_are_a_file_of_their_own(tmp_path: Path) -> None:
    rows = TrainingRows.of(np.arange(9, dtype=np.uint64))
    bundle = replace(claims().bundle, rows=rows)
    bundle.save(tmp_path)
    assert ModelBundle.load(tmp_path) == bundle
    assert (tmp_path / ROWS_FILE).stat().st_size == 24 + 8 * 9
    sign(tmp_path, ROWS_FILE, b"cut")
    assert refusal(tmp_path) == (
        f"{ROWS_FILE}: the file is not as sagetree writes it: it is cut off. {AGAIN}"
    )


@pytest.mark.parametrize(
    ("rows", "scores"),
    [
        ((), ()),
        (((1, 2),), ()),
        (((1, 2),), (0.5, 0.5)),
        (((1, 2), (1,)), (0.5, 0.5)),
        (((1, 2, 3),), (0.5,)),
    ],
)
def test_a_self_check_is_a_table_with_scores(
    rows: tuple[tuple[int, ...], ...], scores: tuple[float, ...]
) -> None:
    with pytest.raises(ValidationError):
        SelfCheck(columns=("a", "b"), rows=rows, scores=scores)


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]))
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.booleans()
        | st.none()
    )
)
@example(["2026-01-31", "1", 1, 1.0, True, "true", -0.0])
def test_a_stored_cell_keeps_its_type(cells: list[Cell]) -> None:
    """Or True would come back as 1, and a text as the date it looks like."""
    names = tuple(map(str, range(len(cells))))
    check = SelfCheck(columns=names, rows=(tuple(cells),), scores=(0.5,))
    again = SelfCheck.model_validate(orjson.loads(orjson.dumps(check.model_dump())))
    assert list(map(repr, again.rows[0])) == list(map(repr, cells))


# -- saved completely or not at all


@pytest.mark.parametrize(
    "blocked", ["sagetree", *(f"{name}/x" for name in [*FILES, MANIFEST_FILE])]
)
def test_a_place_that_is_taken_leaves_no_half_bundle(blocked: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / blocked).parent.mkdir(parents=True)
    (folder / blocked).write_text("in the way")
    with pytest.raises(PlatformError, match="the model cannot be written") as caught:
        claims().bundle.save(folder)
    assert re.search("File exists|Is a directory|Directory not empty", str(caught.value.__cause__))
    assert names(folder) == [blocked]
    with pytest.raises(ArtifactError):
        Model.load(folder)


def test_a_bundle_takes_all_files_of_the_one_before(tmp_path: Path) -> None:
    claims().bundle.save(tmp_path)
    (tmp_path / "readme.txt").write_text("of the user")
    (tmp_path / ".sagetree-1" / "new").mkdir(parents=True)  # of one that was killed
    smaller = replace(claims().bundle, decision=None, rows=None, baseline=None)
    smaller.save(tmp_path)
    files = sorted(smaller.save(tmp_path / "alone").files)
    shutil.rmtree(tmp_path / "alone")
    assert names(tmp_path) == sorted([*files, "readme.txt", MANIFEST_FILE])
    assert ModelBundle.load(tmp_path) == smaller


@pytest.mark.parametrize("blocked", [*FILES, MANIFEST_FILE])
def test_a_save_that_fails_leaves_the_bundle_before(blocked: str, tmp_path: Path) -> None:
    before = claims("onehot").bundle
    before.save(tmp_path)
    there = names(tmp_path)
    (tmp_path / blocked).rename(tmp_path / "aside")
    (tmp_path / blocked / "x").mkdir(parents=True)
    with pytest.raises(PlatformError, match="the model cannot be written"):
        claims("native").bundle.save(tmp_path)
    shutil.rmtree(tmp_path / blocked)
    (tmp_path / "aside").rename(tmp_path / blocked)
    assert names(tmp_path) == there
    assert ModelBundle.load(tmp_path) == before


def test_a_disk_without_room_leaves_no_half_bundle(tmp_path: Path) -> None:
    """RLIMIT_FSIZE stands for a full disk: a file cannot grow beyond it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, before[1]))
    try:
        with pytest.raises(PlatformError) as caught:
            claims().bundle.save(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert names(tmp_path) == []
    assert "File too large" in str(caught.value.__cause__)
    assert str(caught.value) == (
        f"{tmp_path}: the model cannot be written. Free some space, or give the job a larger "
        "volume, and check the mount's permissions"
    )


SAVING = """
import itertools, sys
from pathlib import Path
from sagetree.bundle.bundle import ModelBundle

bundles = [ModelBundle.load(Path(folder)) for folder in sys.argv[2:]]
for bundle in itertools.cycle(bundles):
    bundle.save(Path(sys.argv[1]))
    print("saved", flush=True)
"""


MOMENTS = 20


def test_killed_while_saving_it_leaves_a_whole_bundle_or_a_refused_one(tmp_path: Path) -> None:
    bundles = [claims("native").bundle, claims("onehot").bundle]
    for number, bundle in enumerate(bundles):
        bundle.save(tmp_path / str(number))
    command = [sys.executable, "-c", SAVING, *(str(tmp_path / name) for name in ("to", "0", "1"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        refused = 0
        for moment in range(MOMENTS):
            time.sleep(0.0003 * (moment % 7))
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
            # What a kill at this moment would leave.
            try:
                assert ModelBundle.load(tmp_path / "to") in bundles
            except ArtifactError:
                refused += 1
            process.send_signal(signal.SIGCONT)
        process.kill()
    assert refused < MOMENTS
    # Another run puts it right.
    bundles[0].save(tmp_path / "to")
    assert ModelBundle.load(tmp_path / "to") == bundles[0]
    Model.load(tmp_path / "to")


def test_a_bundle_may_be_moved_and_mounted_by_a_link(folder: Path, tmp_path: Path) -> None:
    shutil.move(folder, tmp_path / "elsewhere")
    (tmp_path / "link").symlink_to("elsewhere")
    assert ModelBundle.load(tmp_path / "link") == claims().bundle
