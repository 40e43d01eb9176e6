"""Which file of a folder is a model of XGBoost's own, and in what form it is."""

import re
from pathlib import Path
from typing import Literal

from sagetree.bundle.file_names import MODEL_FILE
from sagetree.errors import ArtifactError

# What XGBoost 3.1 and newer read; what only older ones read; what is a program.
Form = Literal["model", "binary", "pickle"]

# The last XGBoost but one that reads the old binary form, back to that of 0.90.
OLD_XGBOOST = "2.1.4"

# Of a file so much tells its form.
HEAD_BYTES = 4096

_MEMBER = re.compile(rf"{MODEL_FILE}-\d+")

# A file of that name is meant to be a model, even one that is damaged.
_MODEL_SUFFIXES = (".ubj", ".model", ".bst", ".xgb")
_PICKLE_SUFFIXES = (".pkl", ".pickle", ".joblib")

# The configuration alone (Booster.save_config) has the same first key.
_JSON = re.compile(
    rb'\s*\{\s*("version"\s*:\s*\[[\d,\s]*\]\s*,\s*)?"learner"\s*:\s*\{(?!\s*"generic_param")'
)
_UBJSON = re.compile(rb"\{[LliIU].{1,8}?(version\[.{1,60}?)?learner\{", re.DOTALL)

# LearnerModelParam, then objective and booster, each after its length; 0.90 has no magic bytes.
_BINARY = re.compile(
    rb"(binf)?.{136}[\x01-\x40]\x00{7}[a-z]+:[a-z0-9_]+[\x04\x06\x08]\x00{7}(gbtree|gblinear|dart)",
    re.DOTALL,
)

# The first byte of every pickle since protocol 2; before, they begin with a class.
_PICKLE = re.compile(rb"\x80[\x02-\x05]|c(copy_reg|copyreg|xgboost[\w.]*)\n")


def form_of(data: bytes) -> Form | None:
    """Return the form of a model by its first HEAD_BYTES bytes; None: it looks like none."""
    if _JSON.match(data) or _UBJSON.match(data):
        return "model"
    if data.startswith(b"binf") or _BINARY.match(data):
        return "binary"
    return "pickle" if _PICKLE.match(data) else None


def plain_models(folder: Path) -> list[Path]:
    """Return the one file in `folder` that is a model of XGBoost's own, or those of an ensemble.

    xgboost-model is it, else the one file that XGBoost can read, whatever its
    name, else the one of a form that it cannot read any more. An ensemble is
    what the official container saves of a cross-validation: xgboost-model-0,
    xgboost-model-1, ...
    """
    if (folder / MODEL_FILE).is_file():
        return [folder / MODEL_FILE]
    found = models_among(folder)
    if len(found) == 1 or (found and _MEMBER.fullmatch(found[0].name)):
        return found
    names = ", ".join(path.name for path in found)
    reason = f"there are several models: {names}" if found else "there is no model"
    hint = "Put one xgboost-model, *.ubj or *.json there, or the output of sagetree train"
    raise ArtifactError(reason, where=str(folder), hint=hint)


def models_among(folder: Path) -> list[Path]:
    """Return the files in `folder` that may be the model, or the members of an ensemble."""
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    files = [path for path in files if path.is_file() and not path.name.startswith(".")]
    ensemble = [path for path in files if _MEMBER.fullmatch(path.name)]
    if ensemble:
        return sorted(ensemble, key=lambda path: int(path.name.rpartition("-")[2]))
    forms = {path: form_of(_head(path)) for path in files}
    return (
        [path for path in files if forms[path] == "model"]
        or [path for path in files if path.suffix in _MODEL_SUFFIXES]
        or [path for path in files if forms[path] == "binary"]
        or [path for path in files if forms[path] == "pickle" or path.suffix in _PICKLE_SUFFIXES]
    )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def readable_bytes(path: Path) -> bytes:
    """Return a model's bytes. Raises ArtifactError, with the way out, for an old form."""
    data = path.read_bytes()
    form = form_of(data[:HEAD_BYTES])
    if form != "model" and (form == "pickle" or path.suffix in _PICKLE_SUFFIXES):
        raise ArtifactError("the model is a pickle", where=path.name, hint=_pickle_hint(path.name))
    if form == "binary":
        raise ArtifactError(
            "the model is in XGBoost's old binary form, which XGBoost 3.1 and newer do not read",
            where=path.name,
            hint=_binary_hint(path.name),
        )
    return data


def _converting(name: str) -> str:
    renaming = f" && mv model.ubj {name}" if name.startswith(MODEL_FILE) else ""
    return f"sagetree convert {name} --out model.ubj{renaming}"


def _pickle_hint(name: str) -> str:
    return (
        "A pickle is a program, so it is not opened. In the model's folder run: "
        f"{_converting(name)} (it takes the model out and runs nothing); or call "
        "save_model('model.ubj') on what the XGBoost that wrote it unpickles"
    )


def _binary_hint(name: str) -> str:
    code = f"import xgboost; xgboost.Booster(model_file='{name}').save_model('model.ubj')"
    return (
        f"In the model's folder run: {_converting(name)}; or with any XGBoost from 1.7 to 3.0: "
        f'uv run --with xgboost-cpu=={OLD_XGBOOST} python -c "{code}"'
    )
