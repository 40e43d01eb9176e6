"""Models of XGBoost's own: which file of a folder is one, in what form, and its columns."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from sagetree.boosters.categories import UNDECODABLE, Value, coded_columns
from sagetree.boosters.scoring import Scorer
from sagetree.bundle.file_names import MODEL_FILE
from sagetree.errors import ArtifactError, quote
from sagetree.features.category import Category
from sagetree.features.number import Number
from sagetree.features.pipeline import FeaturePipeline
from sagetree.tables.cells import category_text
from sagetree.tables.schema import Column, Schema

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
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    visible = [path for path in files if path.is_file() and not path.name.startswith(".")]
    ensemble = [path for path in visible if _MEMBER.fullmatch(path.name)]
    if ensemble:
        return sorted(ensemble, key=lambda path: int(path.name.rpartition("-")[2]))
    found = _models_among(visible)
    if len(found) == 1:
        return found
    names = ", ".join(path.name for path in found)
    reason = f"there are several models: {names}" if found else "there is no model"
    hint = "Put one xgboost-model, *.ubj or *.json there, or the output of sagetree train"
    raise ArtifactError(reason, where=str(folder), hint=hint)


def _models_among(files: Sequence[Path]) -> list[Path]:
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


def plain_columns(scorer: Scorer) -> tuple[Schema, FeaturePipeline]:
    """Return the columns of a model of XGBoost's own: by position, or by the names it stored.

    A column is a category where the file has its categories (XGBoost 3.1), and
    else a number, also where the number is a category's code.
    """
    stored = scorer.feature_names
    names = stored or tuple(f"f{index}" for index in range(scorer.feature_count))
    columns, features = [], []
    for place, name in enumerate(names):
        texts = _category_texts(name, scorer.categories.get(place, ()))
        columns.append(
            Column(
                name=name,
                kind="category" if texts else "number",
                missing=0,
                distinct=len(texts),
                categories=texts,
            )
        )
        features.append(Category(column=name, categories=texts) if texts else Number(column=name))
    pipeline = FeaturePipeline(
        missing_values=(), unknown_category="xgboost", features=tuple(features)
    )
    return Schema(columns=tuple(columns), label=None, named=bool(stored)), pipeline


def _category_texts(column: str, values: Sequence[Value]) -> tuple[str, ...]:
    """Return categories as cells are spelled. Raises ArtifactError for those no cell can be."""
    texts = [category_text(value) or "" for value in values]
    spelled = Counter(texts)
    for text in spelled:
        if text and UNDECODABLE not in text and spelled[text] == 1:
            continue
        meant = [quote(value) for value, other in zip(values, texts, strict=True) if other == text]
        what = "are spelled alike" if len(meant) > 1 else "is not one that a cell can hold"
        raise ArtifactError(
            f"of its categories {' and '.join(meant)} {what}",
            where=f"column {quote(column)}",
            hint="Rename them before training, in ASCII letters, or train on numbers "
            "(frame[column].cat.codes)",
        )
    return tuple(texts)


def unexplained_codes(scorer: Scorer) -> tuple[str, ...]:
    """Return the columns whose cells must be codes of categories that the file does not name."""
    names = scorer.feature_names
    return tuple(
        names[place] if names else f"f{place}"
        for place in coded_columns(scorer.boosters[0])
        if place not in scorer.categories
    )
