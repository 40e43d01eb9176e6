"""Models of old XGBoosts: refused with the commands that convert them, and converted by these."""

import os
import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pytest
import xgboost

from sagetree.boosters.library import library_version
from sagetree.bundle.model import Model
from sagetree.bundle.model_files import form_of
from sagetree.convert.cli import main
from sagetree.convert.pickled import pickled_booster
from sagetree.errors import ArtifactError
from tests.foreign.saved_models import SAVED, check_scores, file_of
from tests.programs import SAGETREE

ROWS = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)


def failure(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command says about its failure."""
    assert main(arguments) == 1
    return capsys.readouterr().out.splitlines()[-1].removeprefix("FAILED: ")


@pytest.mark.parametrize(
    "name", ["0.90-classifier-model", "1.5.2-forest-model", "1.7.6-early-deprecated"]
)
def test_the_old_binary_form_is_refused_with_the_commands(name: str, tmp_path: Path) -> None:
    (tmp_path / "xgboost-model").write_bytes(file_of(SAVED / name).read_bytes())
    with pytest.raises(ArtifactError) as caught:
        Model.load(tmp_path)
    assert str(caught.value) == (
        "xgboost-model: the model is in XGBoost's old binary form, which XGBoost 3.1 and newer do "
        "not read. In the model's folder run: sagetree convert xgboost-model --out model.ubj && "
        "mv model.ubj xgboost-model; or with any XGBoost from 1.7 to 3.0: uv run --with "
        'xgboost-cpu==2.1.4 python -c "import xgboost; '
        "xgboost.Booster(model_file='xgboost-model').save_model('model.ubj')\""
    )


# -- pickles


@pytest.mark.parametrize(
    ("name", "form", "best"),
    [
        ("0.90-early-pickle", "binary", {"best_iteration": 3, "best_ntree_limit": 4}),
        ("1.2.0-classifier-wrapper", "binary", {"best_iteration": 3, "best_ntree_limit": 4}),
        ("1.5.2-early-pickle", "model", {"best_iteration": 3, "best_ntree_limit": 4}),
        ("2.0.3-classifier-wrapper", "model", {}),
    ],
)
def test_the_booster_in_an_old_pickle(name: str, form: str, best: dict[str, int]) -> None:
    found = pickled_booster(file_of(SAVED / name).read_bytes(), name)
    assert (form_of(found.model), found.best) == (form, best)


class Trap:
    """Makes a folder when it is unpickled; has a booster."""

    def __init__(self, path: Path, booster: xgboost.Booster) -> None:
        self.path = path
        self.booster = booster

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str], xgboost.Booster]:
        return os.mkdir, (str(self.path),), self.booster


def classifier() -> xgboost.XGBClassifier:
    model = xgboost.XGBClassifier(n_estimators=30, early_stopping_rounds=2, n_jobs=1)
    labels = ROWS[:, 0] > np.random.default_rng(1).normal(size=60)
    return model.fit(ROWS[:30], labels[:30], eval_set=[(ROWS[30:], labels[30:])], verbose=False)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_pickle_of_every_protocol_gives_its_booster(protocol: int, wrapped: bool) -> None:
    own = classifier()
    data = pickle.dumps(own if wrapped else own.get_booster(), protocol)
    model = pickled_booster(data, "model.pkl").model
    again = xgboost.Booster(model_file=bytearray(model))
    assert again.save_raw("ubj") == own.get_booster().save_raw("ubj")


def test_a_pickle_is_converted_and_nothing_of_it_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = classifier()
    data = pickle.dumps(Trap(tmp_path / "opened", own.get_booster()))
    (tmp_path / "model.pkl").write_bytes(data)
    assert main([str(tmp_path / "model.pkl")]) == 0
    assert not (tmp_path / "opened").exists()
    out = tmp_path / "model.pkl.ubj"
    used, stored = own.best_iteration + 1, own.get_booster().num_boosted_rounds()
    assert capsys.readouterr().out == (
        f"{out}: 2 columns; {used} of its {stored} rounds predict, up to the best one of its early "
        "stopping (SAGETREE_ROUNDS=all takes all)\n"
    )
    model = Model.load(tmp_path)  # the new file, beside the pickle
    assert model.scorer.score(ROWS).tolist() == own.predict_proba(ROWS)[:, 1].tolist()


def test_joblib_puts_arrays_among_the_instructions(tmp_path: Path) -> None:
    own = classifier()
    joblib.dump({"before": ROWS, "model": own}, tmp_path / "model.joblib")
    model = pickled_booster((tmp_path / "model.joblib").read_bytes(), "").model
    assert bytes(own.get_booster().save_raw("ubj")) == model


@pytest.mark.parametrize(
    ("count", "said"), [(0, "the pickle holds no booster"), (2, "the pickle holds 2 boosters")]
)
def test_a_pickle_without_one_booster(
    count: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    boosters = [classifier().set_params(seed=n).get_booster() for n in range(count)]
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(boosters))
    assert failure(capsys, str(tmp_path / "model.pkl")) == (
        f"{tmp_path}/model.pkl: {said}. Pickle one xgboost.Booster, or one model of "
        "XGBoost's scikit-learn wrapper, without compression"
    )


# -- what cannot be converted


def leaves_as_before_3_2() -> bytes:
    params = {"multi_strategy": "multi_output_tree", "tree_method": "hist", "nthread": 1}
    booster = xgboost.train(params, xgboost.DMatrix(ROWS, ROWS), 1)
    return bytes(booster.save_raw("json")).replace(b"leaf_weights", b"left_weights")


def test_a_file_that_is_there_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "model.ubj"
    out.write_bytes(b"mine")
    assert failure(capsys, "anything", "--out", str(out)) == (
        f"{out}: the file exists already. Give another name with --out, or move it away"
    )
    assert out.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "it cannot be read: No such file or directory. Give a model's file"),
        (
            b"a,b\n1,2\n",
            "it is neither a pickle nor a model in XGBoost's old binary form. Give the file that "
            "XGBoost or pickle wrote; unpack one that is compressed",
        ),
        (
            bytes(classifier().get_booster().save_raw("ubj")),
            "it needs no conversion. Serve it as it is",
        ),
        pytest.param(
            leaves_as_before_3_2(),
            "what is in it cannot be served: model.ubj: its leaves have several values "
            f"(multi_output_tree), and XGBoost {library_version()} cannot read those that a "
            "version before 3.2 saved. Train it again with XGBoost 3.2 or newer, or without "
            "multi_strategy",
            marks=pytest.mark.long,
        ),
        (
            pickle.dumps({"handle": b"{L\0\0\0\0\0\0\0\6Config{}}"}),
            "the form of the booster in the pickle is unknown. Save it with save_model, using the "
            "XGBoost that wrote it",
        ),
        pytest.param(
            pickle.dumps({"handle": b"{L\0\0\0\0\0\0\0\5Model{L\0\0\0\0\0\0\0\7learner{}}}"}),
            "what is in it cannot be served: model.ubj: XGBoost cannot read the model: map::at. "
            "Save it with Booster.save_model, by an XGBoost that is not newer than "
            f"{library_version()}",
            marks=pytest.mark.long,
        ),
    ],
)
def test_what_cannot_be_converted(
    data: bytes | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "model"
    if data is not None:
        path.write_bytes(data)
    assert failure(capsys, str(path), "--out", str(tmp_path / "out")) == f"{path}: {said}"
    assert not (tmp_path / "out").exists()


@pytest.mark.long
def test_without_a_network(tmp_path: Path) -> None:
    path = file_of(SAVED / "0.90-classifier-model")
    nowhere = "http://127.0.0.1:9/simple"
    own = {name: value for name, value in os.environ.items() if name[:4] not in ("PIP_", "UV_F")}
    own |= {"UV_DEFAULT_INDEX": nowhere, "UV_NO_CACHE": "1", "UV_NO_CONFIG": "1"}
    own |= {"UV_HTTP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": nowhere}
    own |= {"PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1"}
    ended = subprocess.run(
        [SAGETREE, "convert", str(path), "--out", str(tmp_path / "out")],
        env=own, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 1, ended
    assert ended.stdout.splitlines()[-1] == (
        "FAILED: convert: xgboost-cpu==2.1.4 could not be fetched. Let this machine reach PyPI, "
        "or the index that uv or pip is set to use; or convert the model on another machine"
    )
    assert not (tmp_path / "out").exists()


# -- with the old XGBoost, which is fetched


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(path.name for path in SAVED.iterdir()))
def test_what_is_saved_here_is_converted(name: str, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    out = tmp_path / "model" / "xgboost-model"
    command = [SAGETREE, "convert", str(file_of(SAVED / name)), "--out", str(out)]
    subprocess.run(command, check=True, timeout=600)
    check_scores(SAVED / name, tmp_path / "model")


@pytest.mark.long
def test_a_model_that_is_cut_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "xgboost-model"
    path.write_bytes(file_of(SAVED / "0.90-classifier-model").read_bytes()[:900])
    said = failure(capsys, str(path))
    assert said.startswith(f"{path}: XGBoost 2.1.4 cannot read the model: Check failed: ")
    assert said.endswith(
        ". Copy the file again; if it is whole, save it with the XGBoost that wrote it"
    )
