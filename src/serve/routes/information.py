"""The routes that say what the model is, for people and for machines."""

from collections.abc import Mapping
from functools import partial

from sagetree.serve.models.loading import ModelHolder, ServedModel
from sagetree.serve.protocol.messages import Request, Response
from sagetree.serve.routes.access import Handler
from sagetree.serve.routes.description import example_of, json_response, metadata_of, schema_of
from sagetree.serve.routes.openapi import openapi_of
from sagetree.serve.routes.page import page
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.observation import Trace
from sagetree.tables.cells import Cell


def information(
    settings: ServeSettings, holder: ModelHolder[ServedModel]
) -> Mapping[tuple[str, str], Handler]:
    """Return the handlers; the page is one of them where the settings want it."""
    handlers: dict[tuple[str, str], Handler] = {
        ("GET", "/schema"): partial(_schema, holder),
        ("GET", "/metadata"): partial(_metadata, settings, holder),
        ("GET", "/openapi.json"): partial(_openapi, settings, holder),
    }
    return handlers | ({("GET", "/"): partial(_page, settings, holder)} if settings.page else {})


def _schema(holder: ModelHolder[ServedModel], _request: Request, _trace: Trace) -> Response:
    return json_response(schema_of(holder.model()))


def _metadata(
    settings: ServeSettings, holder: ModelHolder[ServedModel], _request: Request, _trace: Trace
) -> Response:
    return json_response(metadata_of(settings.model_dir, holder.model()))


def _openapi(
    settings: ServeSettings, holder: ModelHolder[ServedModel], _request: Request, _trace: Trace
) -> Response:
    served = holder.model()
    return json_response(openapi_of(served, _example(settings, served)))


def _page(
    settings: ServeSettings, holder: ModelHolder[ServedModel], _request: Request, _trace: Trace
) -> Response:
    served = holder.model()
    return page(schema_of(served), _example(settings, served))


def _example(settings: ServeSettings, served: ServedModel) -> Mapping[str, Cell]:
    """Return the row to begin with: one of training's, where the page may show it."""
    if settings.page:
        return example_of(settings.model_dir, served)
    return dict.fromkeys(served.model.schema.input_names)
