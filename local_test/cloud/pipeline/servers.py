"""The containers behind the account's endpoints, with the models that its registry names."""

import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from local_test.cloud.account.actors import SERVICE, Actors
from local_test.cloud.pipeline.containers import Ended, Server
from local_test.cloud.pipeline.objects import place, unpacked

MODEL_SECONDS = 60


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

    def transform(self, request: Mapping[str, Any]) -> str:
        """Score each input of a transform job by one request; return why that failed, or nothing.

        SageMaker takes whole files where the request has no SplitType.
        """
        folder, environment = self._fetched(request["ModelName"])
        source, target = request["TransformInput"], request["TransformOutput"]
        if source["SplitType"] != "None":
            raise ValueError(f"the desk sends whole files, and not by {source['SplitType']}")
        started = self.host.serve(folder, {**environment, "SAGEMAKER_BATCH": "true"})
        if isinstance(started, Ended):
            return f"the container did not answer /ping:\n{started.last_lines}"
        try:
            return self._transform(request["ModelName"], started, source, target)
        finally:
            self.host.remove(started)

    def _transform(
        self, model: str, server: Server, source: Mapping[str, Any], target: Mapping[str, Any]
    ) -> str:
        role = self.actors.client(SERVICE, "sagemaker").describe_model(ModelName=model)
        s3 = self.actors.client(role["ExecutionRoleArn"].rsplit("/", 1)[-1], "s3")
        bucket, prefix = place(source["DataSource"]["S3DataSource"]["S3Uri"])
        to_bucket, to_prefix = place(target["S3OutputPath"])
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        headers = {"Content-Type": source["ContentType"], "Accept": target["Accept"]}
        for key in [entry["Key"] for page in pages for entry in page.get("Contents", [])]:
            body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            asked = urllib.request.Request(  # noqa: S310 - loopback
                f"{server.address}/invocations", body, headers
            )
            try:
                with urllib.request.urlopen(asked, timeout=MODEL_SECONDS) as answer:  # noqa: S310
                    said = answer.read()
            except urllib.error.HTTPError as error:
                error.close()
                return f"{key}: Bad HTTP status received from algorithm: {error.code}"
            name = key.removeprefix(prefix).strip("/") or key.rsplit("/", 1)[-1]
            s3.put_object(Bucket=to_bucket, Key=f"{to_prefix}/{name}.out", Body=said)
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
