"""README's blocks that need Docker, and those that need AWS: on a moto server in its place."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.clients.running import free_port
from tests.docs.readme import Block, blocks, shell, write_tables
from tests.image.cloud import SDK, Cloud
from tests.programs import BIN

pytestmark = pytest.mark.docker

SECONDS = 600


def needing(language: str, need: str) -> list[Block]:
    return [block for block in blocks() if (block.language, block.needs) == (language, need)]


def test_the_image_trains_and_serves_as_readme_says(image: str, tmp_path: Path) -> None:
    write_tables(tmp_path)
    (folders,) = (b for b in needing("sh", "") if "hyperparameters.json" in b.text)
    (in_docker,) = needing("sh", "needs Docker")
    script = shell([folders, in_docker], free_port())
    build, run = "make image", " sagetree "
    assert script.count(build) == 1
    script = "\n".join(
        line.replace(run, f" {image} ") if "docker run" in line else line
        for line in script.splitlines()
        if not line.startswith(build)  # it is there
    )
    ended = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    assert ended.returncode == 0, ended.stdout
    assert sum(line.startswith("0.") for line in ended.stdout.splitlines()) == 50


def test_the_commands_for_aws_are_taken(cloud: Cloud, clone: Path) -> None:
    write_tables(clone)
    (clone / ".git" / "info" / "exclude").write_text("*.csv\n")  # as if in a folder of their own
    (block,) = needing("sh", "needs an AWS account, the AWS CLI and Docker")
    push = "./build_and_push.sh"
    assert block.text.count(push) == 1
    cloud.aws("s3api", "create-bucket", "--bucket", "my-bucket")
    code, log = cloud.run("bash", "-ec", block.text.replace(push, f"{push} --dry-run"), cwd=clone)
    assert code == 0, log
    assert "docker push" in log
    found = cloud.aws("s3api", "head-object", "--bucket", "my-bucket", "--key", "train/claims.csv")
    assert found["ContentLength"] == (clone / "claims.csv").stat().st_size


@pytest.mark.parametrize("sdk", ["v2", "v3"])
def test_the_sdk_takes_the_estimator_and_the_endpoint(
    sdk: str, cloud: Cloud, tmp_path: Path
) -> None:
    write_tables(tmp_path)
    of_sdk = dict(zip(("v2", "v3"), needing("python", "needs an AWS account"), strict=True))
    code, log = cloud.run(
        str(SDK / sdk / "bin" / "python"), "-c", of_sdk[sdk].text, cwd=tmp_path,
        SAGEMAKER_VALIDATE_ROLE="false", SAGEMAKER_SUPPRESS_V2_WARNING="1",
    )  # fmt: skip
    assert code == 0, log
    assert "body" in log  # what moto answers for any endpoint
    assert cloud.aws("sagemaker", "list-endpoints")["Endpoints"] == []
    (job, *_) = cloud.aws("sagemaker", "list-training-jobs")["TrainingJobSummaries"]  # type: ignore[misc]
    (name,) = (job["TrainingJobName"],)
    described = cloud.aws("sagemaker", "describe-training-job", "--training-job-name", name)
    assert described["HyperParameters"] == {"target": "fraud"}
