"""The containers behind the account's endpoints, with the models that its registry names."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from local_test.cloud.account.actors import SERVICE, Actors
from local_test.cloud.pipeline.containers import Ended, Server
from local_test.cloud.pipeline.objects import place, unpacked


class Host(Protocol):
    """What runs servers of the image: Docker, for the demo."""

    def serve(self, model: Path, environment: Mapping[str, str]) -> Server | Ended:
        """Serve a model's folder; return what came of it."""

    def remove(self, server: Server) -> None:
        """Stop and remove a server."""


@dataclass
class Servers:
    """The servers behind the endpoints, one for each by its name."""

    actors: Actors
    host: Host
    folder: Path
    running: dict[str, Server] = field(default_factory=dict)

    def serve(self, endpoint: str, model_name: str) -> str:
        """Serve a model instead of the one before; return why it does not come to work."""
        folder, environment = self._fetched(model_name)
        started = self.host.serve(folder, environment)
        if isinstance(started, Ended):
            return f"the container did not answer /ping:\n{started.last_lines}"
        self.stop(endpoint)
        self.running[endpoint] = started
        return ""

    def stop(self, endpoint: str) -> None:
        """Remove what serves an endpoint."""
        if server := self.running.pop(endpoint, None):
            self.host.remove(server)

    def address(self, endpoint: str) -> str | None:
        """Return where an endpoint's container answers."""
        server = self.running.get(endpoint)
        return server.address if server else None

    def _fetched(self, model_name: str) -> tuple[Path, Mapping[str, str]]:
        sagemaker = self.actors.client(SERVICE, "sagemaker")
        found = sagemaker.describe_model(ModelName=model_name)
        container = found.get("PrimaryContainer") or found["Containers"][0]
        if package := container.get("ModelPackageName"):
            described = sagemaker.describe_model_package(ModelPackageName=package)
            container = described["InferenceSpecification"]["Containers"][0] | {
                "Environment": container.get("Environment", {})
            }
        folder = self.folder / model_name / uuid.uuid4().hex[:6]
        folder.mkdir(parents=True)
        bucket, key = place(container["ModelDataUrl"])
        role = found["ExecutionRoleArn"].rsplit("/", 1)[-1]
        archive = folder / "model.tar.gz"
        self.actors.client(role, "s3").download_file(bucket, key, str(archive))
        return unpacked(archive, folder / "model"), container.get("Environment", {})
