"""What a worker serves, by the settings: one model, many, or a user's script."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sagetree.serve.application import Site, one_model
from sagetree.serve.models.loading import ModelHolder, ServedModel
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.emf import EmfReport
from sagetree.serve.telemetry.log_lines import LINE_FORMATS, write_line
from sagetree.serve.telemetry.metrics import Observer

if TYPE_CHECKING:
    from sagetree.serve.scripts.code import ScriptCode


def site_of(settings: ServeSettings, shared: Path, code: "ScriptCode | None") -> Site:
    """Return what one worker serves, and start loading its model.

    `shared` is the folder that all workers of the server share, `code` the user's script.
    """
    observer = Observer(shared, LINE_FORMATS[settings.log_format])
    if settings.emf_seconds:
        observer.start(EmfReport(settings.emf_seconds, write_line).tell)
    else:
        observer.start()
    if settings.multi_model:
        return _many_models(settings, shared, observer)
    if code is not None:
        return _user_script(settings, code, observer)
    load = partial(
        ServedModel.load,
        settings.model_dir,
        threads=settings.threads,
        output=settings.output,
        shap=settings.shap,
    )
    holder = ModelHolder(settings.model_dir, load)
    holder.start(watch=settings.reload)
    return one_model(settings, holder, observer)


def _many_models(settings: ServeSettings, shared: Path, observer: Observer) -> Site:
    from sagetree.serve.models.multi_model import ModelStore
    from sagetree.serve.models.registry import Registry
    from sagetree.serve.routes.many_models import many_models

    folder = shared / "models"
    folder.mkdir(exist_ok=True)
    registry = Registry(folder, settings.model_memory, settings.workers)
    store = ModelStore(registry, settings.output, settings.threads, settings.shap)
    store.start()
    return many_models(settings, store, observer)


def _user_script(settings: ServeSettings, code: "ScriptCode", observer: Observer) -> Site:
    # SageMaker's toolkit with it, which takes time to import
    from sagetree.serve.scripts.user_script import script_holder, script_site

    holder = script_holder(settings, code)
    holder.start(watch=settings.reload)
    return script_site(settings, holder, observer)
