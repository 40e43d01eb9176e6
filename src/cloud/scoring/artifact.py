"""The model of a package in the registry, as files on this machine."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sagetree.bundle.archive import ARCHIVE, open_model
from sagetree.cloud.clients import Clients
from sagetree.cloud.deployment.package import Package


@contextmanager
def files_of(clients: Clients, package: Package) -> Iterator[Path]:
    """Yield a folder with a package's model, which is gone afterwards.

    Raises ClientError where S3 does not give it, ArtifactError for an archive that cannot be
    unpacked.
    """
    bucket, _, key = package.model_data.removeprefix("s3://").partition("/")
    with tempfile.TemporaryDirectory(prefix="sagetree-artifact-") as folder:
        archive = Path(folder) / ARCHIVE
        with archive.open("wb") as file:
            shutil.copyfileobj(clients["s3"].get_object(Bucket=bucket, Key=key)["Body"], file)
        with open_model(archive) as unpacked:
            yield unpacked
