"""What the model at hand is, as JSON: GET /schema and GET /metadata."""

from importlib.metadata import version
from pathlib import Path

import orjson

from sagetree.boosters.library import library_version
from sagetree.bundle.bundle import MANIFEST_FILE, SELFCHECK_FILE, SelfCheck
from sagetree.formats.media_types import ACCEPTS, JSON
from sagetree.serve.bodies.decoders import DECODERS
from sagetree.serve.models.loading import ServedModel
from sagetree.serve.protocol.messages import Response
from sagetree.tables.cells import Cell
from sagetree.tables.label import ClassLabel, Label

# Of the manifest, what says where the model comes from; not the hashes of its files.
TOLD = ("format", "versions", "hyperparameters", "data", "metrics", "origin")


def schema_of(served: ServedModel) -> dict[str, object]:
    """Return the columns a request holds, and what the answer can hold."""
    model = served.model
    label = model.schema.label
    return {
        "columns": [
            {
                "name": column.name,
                "kind": column.kind,
                "required": column.is_input,
                **({"categories": list(column.categories)} if column.categories else {}),
            }
            for column in model.schema.columns
        ],
        "named": model.schema.named,
        "classes": list(label.classes) if isinstance(label, (Label, ClassLabel)) else None,
        "objective": model.objective.name,
        "task": model.objective.task,
        "score": model.objective.score,
        "outputs": model.scorer.outputs,
        "threshold": model.decision.threshold if model.decision else None,
        "keys": list(served.keys),
        "content_types": list(DECODERS),
        "accepts": list(ACCEPTS),
    }


def metadata_of(folder: Path, served: ServedModel) -> dict[str, object]:
    """Return where the model in `folder` comes from, and what serves it."""
    manifest = _read(folder / MANIFEST_FILE)
    return {
        "model": {"sha256": served.model.sha256, "objective": served.model.objective.name},
        "bundle": {name: manifest[name] for name in TOLD if name in manifest} or None,
        "server": {"sagetree": version("sagetree"), "xgboost": library_version()},
    }


def example_of(folder: Path, served: ServedModel) -> dict[str, Cell]:
    """Return a row the model can score: the first of its self-check, else nothing but empty cells.

    Columns that feed no feature are left out.
    """
    names = served.model.schema.input_names
    if not (folder / SELFCHECK_FILE).is_file():
        return dict.fromkeys(names)
    check = SelfCheck.model_validate_json((folder / SELFCHECK_FILE).read_bytes())
    row = dict(zip(check.columns, check.rows[0], strict=True))
    return {name: row.get(name) for name in names}


def json_response(value: object) -> Response:
    """Return a value as a response."""
    return Response(body=orjson.dumps(value), content_type=JSON)


def _read(path: Path) -> dict[str, object]:
    found: dict[str, object] = orjson.loads(path.read_bytes()) if path.is_file() else {}
    return found
