"""The model of a package in this process: the server's own application, without sockets."""

import shutil
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from sagetree.bundle.archive import ARCHIVE, open_model
from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment.package import Package
from sagetree.errors import ArtifactError, NotReadyError, PlatformError, SettingsError
from sagetree.serve.application import Application
from sagetree.serve.models.loading import ModelHolder, ServedModel
from sagetree.serve.routes.one_model import one_model
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.log_lines import LINE_FORMATS
from sagetree.serve.telemetry.metrics import Observer
from sagetree.serve.variables import MULTI_MODEL, PROGRAM, THREADS

# A small function has a third of a core, and a hundred rows are nothing to share.
_ONE_THREAD = {THREADS.name: "1"}

# What a model is to blame for that cannot be loaded.
FAULTS = (ArtifactError, NotReadyError, PlatformError, SettingsError)


def application_of(clients: Clients, package: Package) -> Application:
    """Return what answers requests by a package's model, which is loaded then.

    Raises one of FAULTS where it cannot be, ClientError where S3 does not give it.
    """
    environ = package.containers[0].get("Environment", {})
    bucket, _, key = package.model_data.removeprefix("s3://").partition("/")
    with tempfile.TemporaryDirectory(prefix="sagetree-artifact-") as folder:
        archive = Path(folder) / ARCHIVE
        with archive.open("wb") as file:
            shutil.copyfileobj(clients["s3"].get_object(Bucket=bucket, Key=key)["Body"], file)
        with open_model(archive) as unpacked:
            return _application(unpacked, environ)


def _application(folder: Path, environ: Mapping[str, str]) -> Application:
    settings = ServeSettings.read(
        {**environ, **_ONE_THREAD}, host="", port="0", reload=False, model_dir=folder
    )
    if settings.program or settings.multi_model:
        raise SettingsError(
            "the package is served by a script or has many models, and here is only the server",
            where=PROGRAM.name if settings.program else MULTI_MODEL.name,
            hint="Choose another EndpointKind, or register the package without it",
        )
    holder = ModelHolder(folder, partial(ServedModel.of, settings, folder))
    holder.start(watch=False)
    holder.wait()
    return Application(one_model(settings, holder, Observer(None, LINE_FORMATS["json"])))
