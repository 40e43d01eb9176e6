"""MODEL: every form in which a person has one, and what is said about anything else."""

import tarfile
from pathlib import Path

import pytest

from sagetree.desk.model_folder import find_model, model_folder
from sagetree.errors import ArtifactError

HINT = (
    "Give a folder that sagetree train wrote to, a folder with a model's files, or a model.tar.gz"
)


MODEL = '{"learner": {}}'


def put(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("packed" if name.endswith(".gz") else MODEL)
    return folder


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (["model/xgboost-model", "output/data/metrics.json"], "model"),
        (["model/xgboost-model", "model.tar.gz"], "model"),
        (["model/model.tar.gz"], "model"),
        (["model/old.json"], "model"),
        (["xgboost-model", "model/notes.json"], "."),
        (["sagetree/manifest.json"], "."),
        (["a.ubj"], "."),
        (["a.json"], "."),
        (["of-mlflow.xgb", "MLmodel"], "."),
        (["model.tar.gz"], "."),
    ],
)
def test_a_folder_is_a_job_or_a_model(tmp_path: Path, files: list[str], found: str):
    assert find_model(put(tmp_path, *files)) == tmp_path / found


@pytest.mark.parametrize("name", ["model.tar.gz", "fraud-v2.TGZ"])
def test_an_archive_is_unpacked_and_goes_again(tmp_path: Path, name: str):
    put(tmp_path / "files", "xgboost-model")
    with tarfile.open(tmp_path / name, "w:gz") as tar:
        tar.add(tmp_path / "files", arcname=".")
    with model_folder(tmp_path / name) as folder:
        assert (folder / "xgboost-model").read_text() == MODEL
    assert not folder.exists()


@pytest.mark.parametrize(
    ("files", "given", "reason"),
    [
        ([], "modle", "the file or folder does not exist"),
        (["input/data/train/a.csv"], ".", "it holds no model"),
        (["model/.hidden.json"], ".", "it holds no model"),
        (["model.zip"], "model.zip", "it is neither a folder nor a .tar.gz"),
        (["model.ubj"], "model.ubj", "it is neither a folder nor a .tar.gz"),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, files: list[str], given: str, reason: str):
    path = put(tmp_path, *files) / given
    with pytest.raises(ArtifactError) as raised:
        find_model(path)
    assert str(raised.value) == f"{path}: {reason}. {HINT}"
