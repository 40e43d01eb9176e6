"""The model of a package in the registry, as files on this machine."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from sagetree.bundle.archive import ARCHIVE, open_model
from sagetree.cloud.clients import Clients


class Artifact(NamedTuple):
    """A package's model in `folder`, and what its container's environment would be."""

    folder: Path
    environ: Mapping[str, str]


@contextmanager
def artifact_of(clients: Clients, package: str) -> Iterator[Artifact]:
    """Yield the model of the package with this ARN; its files last as long as the context.

    Raises BotoCoreError and ClientError where AWS does not give it, ArtifactError for an archive
    that cannot be unpacked.
    """
    described = clients["sagemaker"].describe_model_package(ModelPackageName=package)
    container = described["InferenceSpecification"]["Containers"][0]
    place = urlsplit(container["ModelDataUrl"])
    with tempfile.TemporaryDirectory(prefix="sagetree-artifact-") as folder:
        archive = Path(folder) / ARCHIVE
        found = clients["s3"].get_object(Bucket=place.netloc, Key=place.path.lstrip("/"))
        with archive.open("wb") as file:
            for chunk in found["Body"].iter_chunks():
                file.write(chunk)
        with open_model(archive) as unpacked:
            yield Artifact(unpacked, container.get("Environment", {}))
