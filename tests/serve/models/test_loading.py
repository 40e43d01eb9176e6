"""The model in a worker: what /ping says before, without and with one."""

import shutil
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from sagetree.bundle.bundle import SELFCHECK_FILE, ModelBundle
from sagetree.errors import NotReadyError
from sagetree.serve.http.shares import Shares
from sagetree.serve.models.loading import ModelHolder, ServedModel, settled, snapshot
from tests.serve.artifacts import settings_for, site_of
from tests.serve.asking import client_of
from tests.serve.rows import records


def holder_for(folder: Path) -> ModelHolder:
    return ModelHolder(folder, partial(ServedModel.load, folder, threads=1, output=("score",)))


def reason(folder: Path) -> str:
    holder = holder_for(folder)
    holder.start(watch=False)
    with pytest.raises(NotReadyError) as caught:
        holder.wait()
    return str(caught.value)


def eventually(check: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_ping_is_503_until_the_model_is_loaded_and_a_request_waits_for_it(base_dir: Path):
    folder = base_dir / "model"
    gate = threading.Event()

    def load() -> ServedModel:
        gate.wait(30)
        return ServedModel.load(folder, threads=1, output=("score",))

    holder = ModelHolder(folder, load)
    client = client_of(site_of(settings_for(folder), holder))
    holder.start(watch=False)
    answer = client.get("/ping", headers={"X-Amzn-RequestId": "1"})
    assert answer.status_code == 503
    assert answer.get_json() == {
        "error": "NotReadyError",
        "message": "the model is being loaded",
        "where": str(folder),
        "hint": "Ask again in a moment",
        "request_id": "1",
    }
    with pytest.raises(NotReadyError, match="the model is being loaded"):
        holder.wait(0.01)
    threading.Timer(0.1, gate.set).start()
    assert client.post("/invocations", json=records(2)).status_code == 200
    assert client.get("/ping").status_code == 200


def test_ping_is_503_while_another_worker_has_no_model(base_dir: Path):
    folder, shares = base_dir / "model", Shares(2)
    mine, others = shares.take(), shares.take()
    for share in (mine, others):
        share.tell(0)
    load = partial(ServedModel.load, folder, threads=1, output=("score",))
    holder = ModelHolder(folder, load, mine)
    client = client_of(site_of(settings_for(folder), holder))
    holder.start(watch=False)
    holder.wait()
    told = {
        "error": "NotReadyError",
        "message": "another worker has not loaded its model yet",
        "where": str(folder),
        "hint": "Ask again in a moment; if it stays so, the server's log has the reason",
        "request_id": "1",
    }
    whole = f"{folder}: {told['message']}. {told['hint']}"
    paths = ("/ping", "/health", "/v2/health/ready", "/v2/models/model/ready")
    for path in paths:
        answer = client.get(path, headers={"X-Amzn-RequestId": "1"})
        error = whole if path.startswith("/v2") else "NotReadyError"
        assert (answer.status_code, answer.get_json()) == (503, told | {"error": error})
    assert client.post("/invocations", json=records(2)).status_code == 200
    others.tell_ready(True)
    eventually(mine.are_all_ready)
    assert [client.get(path).status_code for path in paths] == [200] * 4


def test_a_pickle_is_refused_and_not_opened(pickle_dir: Path):
    assert reason(pickle_dir) == (
        "xgboost-model: the model is a pickle. A pickle is a program, so it is not opened. In the "
        "model's folder run: sagetree convert xgboost-model --out model.ubj && mv model.ubj "
        "xgboost-model (it takes the model out and runs nothing); or call save_model('model.ubj') "
        "on what the XGBoost that wrote it unpickles"
    )
    assert not (pickle_dir.parent / "opened").exists()


def test_a_folder_without_a_model_says_so(tmp_path: Path):
    hint = "Put one xgboost-model, *.ubj or *.json there, or the output of sagetree train"
    assert reason(tmp_path) == f"{tmp_path}: there is no model. {hint}"
    assert reason(tmp_path / "absent") == f"{tmp_path / 'absent'}: there is no model. {hint}"


def test_a_damaged_bundle_says_what_is_damaged(own_base_dir: Path):
    folder = own_base_dir / "model"
    (folder / SELFCHECK_FILE).write_text("{}")
    assert reason(folder) == (
        "sagetree/selfcheck.json: the file is not the one that was saved. "
        "Copy the artifact again, or train again"
    )
    (folder / SELFCHECK_FILE).unlink()
    assert reason(folder) == (
        "sagetree/selfcheck.json: the file does not exist. Copy the artifact again, or train again"
    )


def test_a_model_that_scores_otherwise_than_in_training_is_not_served(
    bundle: ModelBundle, other_bundle: ModelBundle, tmp_path: Path
):
    parts = {name: getattr(bundle, name) for name in bundle.__dataclass_fields__}
    ModelBundle(**(parts | {"models": other_bundle.models})).save(tmp_path / "model")
    text = reason(tmp_path / "model")
    assert text.startswith(
        f"{tmp_path / 'model'}: its stored rows get different scores than in training (by 0."
    )
    assert text.endswith(
        "Train again, or serve with the library versions named in sagetree/manifest.json"
    )


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    holder = ModelHolder(tmp_path, tmp_path.read_bytes)  # type: ignore[arg-type]
    holder.start(watch=False)
    with pytest.raises(NotReadyError) as caught:
        holder.wait()
    assert str(caught.value) == (
        f"{tmp_path}: the model cannot be read: Is a directory. Make it readable"
    )


def test_an_error_nobody_foresaw_is_told_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sagetree.machine.program.LOG.propagate", True)
    holder = ModelHolder(tmp_path, lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    holder.start(watch=False)
    with pytest.raises(NotReadyError) as caught:
        holder.wait()
    assert str(caught.value) == (
        f"{tmp_path}: the model could not be loaded because of an unexpected error. "
        "The server's log has the reason"
    )
    eventually(lambda: "/ping answers 503" in caplog.text)
    assert "ZeroDivisionError" in caplog.text


def test_a_watched_folder_is_loaded_again_when_it_changes(
    bundle: ModelBundle, other_bundle: ModelBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sagetree.serve.models.loading.WATCH_SECONDS", 0.02)
    folder = tmp_path / "model"
    holder = holder_for(folder)
    holder.start(watch=True)
    with pytest.raises(NotReadyError):
        holder.wait()

    def rounds() -> int | None:
        try:
            return holder.model().model.scorer.boosters[0].rounds
        except NotReadyError:
            return None

    bundle.save(folder)
    eventually(lambda: rounds() == 12)
    first = holder.model()
    other_bundle.save(folder)
    eventually(lambda: rounds() == 3)
    # a request that took the first model keeps it, whole
    assert first.model.scorer.boosters[0].rounds == 12
    shutil.rmtree(folder)
    eventually(lambda: rounds() is None)
    bundle.save(folder)
    eventually(lambda: rounds() == 12)


@pytest.mark.parametrize(
    ("looks", "found"),
    [
        ("aaaa", ""),  # nothing has changed
        ("abcd", ""),  # it is still being written
        ("abb", "b"),
        ("abbbb", "b"),  # once
        ("abcc", "c"),
        ("abbaa", "ba"),
        ("abab", ""),
    ],
)
def test_a_state_counts_once_two_looks_have_seen_it(looks: str, found: str):
    first, *others = [((name, 0, 0, 0),) for name in looks]
    assert [entry[0] for (entry,) in settled(first, others)] == list(found)


def test_a_snapshot_tells_every_change_but_hidden_ones(tmp_path: Path):
    empty = snapshot(tmp_path / "model")
    assert empty == ()
    (tmp_path / "model" / "sagetree").mkdir(parents=True)
    (tmp_path / "model" / "sagetree" / "manifest.json").write_text("{}")
    first = snapshot(tmp_path / "model")
    assert [entry[0] for entry in first] == ["sagetree/manifest.json"]
    (tmp_path / "model" / ".sagetree-7").mkdir()
    (tmp_path / "model" / ".sagetree-7" / "xgboost-model").write_text("half")
    assert snapshot(tmp_path / "model") == first
    (tmp_path / "new").write_text("{}")
    (tmp_path / "new").replace(tmp_path / "model" / "sagetree" / "manifest.json")
    assert snapshot(tmp_path / "model") != first
