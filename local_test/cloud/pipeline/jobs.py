"""A job's folder as SageMaker lays it out, and the container that works on it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from local_test.cloud.pipeline.containers import Ended
from local_test.cloud.pipeline.objects import fetch, fetch_listed, packed, place, store

Arguments = Mapping[str, Any]

_HOSTS = {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "eth0"}
_OPT_ML = PurePosixPath("/opt/ml")


class JobFailed(Exception):  # noqa: N818 - it says what happened
    """A job's container failed: its reason, and the last lines it wrote."""


class Containers(Protocol):
    """What runs a job: Docker, for the demo."""

    def job(self, command: Sequence[str], opt_ml: Path, environment: Mapping[str, str]) -> Ended:
        """Run a command of the image to its end, with `opt_ml` as its /opt/ml."""


@dataclass(frozen=True)
class Jobs:
    """Runs jobs, each in a folder of its own; `s3` is the client of the role that they have."""

    containers: Containers
    s3: Any
    folder: Path

    def processing(self, name: str, arguments: Arguments) -> str:
        """Run a processing job, and return the message that it left.

        Inputs come from S3, and outputs go there.
        """
        opt_ml = self.folder / name
        for given in arguments.get("ProcessingInputs", []):
            source = given["S3Input"]
            is_list = source["S3DataType"] == "ManifestFile"
            get = fetch_listed if is_list else fetch
            get(self.s3, source["S3Uri"], _inside(opt_ml, source["LocalPath"]))
        outputs = [o["S3Output"] for o in arguments["ProcessingOutputConfig"]["Outputs"]]
        for output in outputs:
            _inside(opt_ml, output["LocalPath"]).mkdir(parents=True, exist_ok=True)
        config = {"processingjobconfig": {**arguments, "ProcessingJobName": name}}
        _write(opt_ml / "config", {**config, "resourceconfig": _HOSTS})
        what = arguments["AppSpecification"]
        command = [*what["ContainerEntrypoint"], *what.get("ContainerArguments", [])]
        self._run(command, opt_ml, arguments.get("Environment", {}))
        for output in outputs:
            store(self.s3, _inside(opt_ml, output["LocalPath"]), output["S3Uri"])
        return _said(opt_ml)

    def training(self, name: str, arguments: Arguments) -> str:
        """Run a training job, and return the S3 address of its model.tar.gz."""
        opt_ml = self.folder / name
        channels = {}
        for channel in arguments["InputDataConfig"]:
            source = channel["DataSource"]["S3DataSource"]
            target = opt_ml / "input" / "data" / channel["ChannelName"]
            fetch(self.s3, source["S3Uri"], target)
            channels[channel["ChannelName"]] = {
                "ContentType": channel.get("ContentType", ""),
                "TrainingInputMode": "File",
                "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
                "RecordWrapperType": "None",
            }
        files = {
            "hyperparameters": arguments.get("HyperParameters", {}),
            "inputdataconfig": channels,
            "resourceconfig": _HOSTS,
        }
        _write(opt_ml / "input" / "config", files)
        (opt_ml / "model").mkdir()
        self._run(["train"], opt_ml, arguments.get("Environment", {}))
        archive = packed(opt_ml / "model", opt_ml / "model.tar.gz")
        uri = f"{arguments['OutputDataConfig']['S3OutputPath']}/{name}/output/model.tar.gz"
        bucket, key = place(uri)
        self.s3.upload_file(str(archive), bucket, key)
        return uri

    def _run(self, command: Sequence[str], opt_ml: Path, environment: Mapping[str, str]) -> None:
        (opt_ml / "output").mkdir(exist_ok=True)
        ended = self.containers.job(command, opt_ml, environment)
        if ended.code:
            reason = f"{command[0]} ended with exit code {ended.code}"
            raise JobFailed(f"{reason}\n{_said(opt_ml) or ended.last_lines}")


def _said(opt_ml: Path) -> str:
    for name in ("failure", "message"):
        file = opt_ml / "output" / name
        if file.is_file():
            return file.read_text()
    return ""


def _inside(opt_ml: Path, path: str) -> Path:
    return opt_ml / PurePosixPath(path).relative_to(_OPT_ML)


def _write(folder: Path, files: Mapping[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
