"""What the model at hand is, for people and for machines: /, /schema, /metadata, /openapi.json.

/health and /version are those that MLflow's clients ask for.
"""

from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path

import orjson

from sagetree.boosters.library import library_version
from sagetree.bundle.file_names import MANIFEST_FILE
from sagetree.formats.media_types import ACCEPTS, JSON
from sagetree.serve.bodies.decoders import DECODERS
from sagetree.serve.models.loading import ModelHolder, ServedModel
from sagetree.serve.page.facts import examples_of, facts
from sagetree.serve.page.page import page
from sagetree.serve.protocol.messages import Request, Response, json_response
from sagetree.serve.routes.access import Handler
from sagetree.serve.routes.openapi import openapi_of
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.observation import Trace
from sagetree.tables.cells import Cell
from sagetree.tables.label import ClassLabel, Label

# Of the manifest, what says where the model comes from; not the hashes of its files.
TOLD = ("format", "versions", "hyperparameters", "data", "metrics", "origin")


def information(
    settings: ServeSettings, holder: ModelHolder[ServedModel]
) -> Mapping[tuple[str, str], Handler]:
    """Return the handlers; the page is one of them where the settings want it."""

    def telling(content: Callable[[ServedModel], object]) -> Handler:
        return lambda _request, _trace: json_response(content(holder.model()))

    handlers: dict[tuple[str, str], Handler] = {
        ("GET", "/health"): partial(_health, holder),
        ("GET", "/version"): _version,
        ("GET", "/schema"): telling(schema_of),
        ("GET", "/metadata"): telling(partial(metadata_of, settings.model_dir)),
        ("GET", "/openapi.json"): telling(lambda m: openapi_of(m, _example(settings, m))),
    }
    return handlers | ({("GET", "/"): partial(_page, settings, holder)} if settings.page else {})


def _health(holder: ModelHolder[ServedModel], _request: Request, _trace: Trace) -> Response:
    """Answer as MLflow's scoring server does once the model is ready."""
    holder.check_everywhere()
    return Response(body=b"\n", content_type=JSON)


def _version(_request: Request, _trace: Trace) -> Response:
    """Answer the server's version as MLflow's scoring server writes its own: without quotes."""
    return Response(body=version("sagetree").encode(), content_type=JSON)


def _page(
    settings: ServeSettings, holder: ModelHolder[ServedModel], _request: Request, _trace: Trace
) -> Response:
    served = holder.model()
    examples = examples_of(settings.model_dir, served.model)
    return page(facts(schema_of(served), served.model, examples))


def _example(settings: ServeSettings, served: ServedModel) -> Mapping[str, Cell]:
    """Return the row to begin with: one of training's, where the page may show it."""
    if settings.page:
        return examples_of(settings.model_dir, served.model)[0]
    return dict.fromkeys(served.model.schema.input_names)


def schema_of(served: ServedModel) -> dict[str, object]:
    """Return the columns a request holds, and what the answer can hold."""
    model = served.model
    label, calibration = model.schema.label, model.scorer.calibration
    return {
        "columns": [
            {
                "name": column.name,
                "kind": column.kind,
                "required": column.is_input,
                **({"categories": list(column.categories)} if column.categories else {}),
                **({"default": 0} if column.name in model.schema.base_margins else {}),
            }
            for column in model.schema.columns
        ],
        "named": model.schema.named,
        "widths": {"required": len(model.schema.input_names), "all": len(model.schema.columns)},
        "classes": list(label.classes) if isinstance(label, (Label, ClassLabel)) else None,
        "objective": model.objective.name,
        "task": model.objective.task,
        "score": model.objective.score,
        "probability": model.probability,
        "calibration": calibration.method if calibration else None,
        "outputs": model.scorer.outputs,
        "threshold": model.threshold,
        "keys": list(served.keys),
        "content_types": list(DECODERS),
        "accepts": list(ACCEPTS),
    }


def metadata_of(folder: Path, served: ServedModel) -> dict[str, object]:
    """Return where the model in `folder` comes from, and what serves it."""
    manifest = _read(folder / MANIFEST_FILE)
    return {
        "model": {
            "sha256": served.model.sha256,
            "objective": served.model.objective.name,
            "probability": served.model.probability,
            "rounds": list(served.model.scorer.rounds),
            "stored_rounds": list(served.model.scorer.stored_rounds or served.model.scorer.rounds),
        },
        "bundle": {name: manifest[name] for name in TOLD if name in manifest} or None,
        "server": {"sagetree": version("sagetree"), "xgboost": library_version()},
    }


def _read(path: Path) -> dict[str, object]:
    found: dict[str, object] = orjson.loads(path.read_bytes()) if path.is_file() else {}
    return found
