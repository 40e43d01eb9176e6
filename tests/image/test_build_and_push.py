"""build_and_push.sh for real: the AWS CLI on a moto server, a registry on loopback, pulled back."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.image.cloud import SDK, Cloud

SCRIPT = "build_and_push.sh"

pytestmark = pytest.mark.docker


def test_what_is_pushed_can_be_pulled_and_run(cloud: Cloud, clone: Path) -> None:
    code, log = cloud.run(f"./{SCRIPT}", "--repository", "team/fraud", "--keep", "3", cwd=clone)
    assert code == 0, log
    assert "smoke test passed: trained, served, pinged, predicted 0." in log
    sha = subprocess.check_output(
        ["git", "-c", "safe.directory=*", "rev-parse", "--short=12", "HEAD"], cwd=clone, text=True
    ).strip()
    uri = f"{cloud.registry}/team/fraud"
    _, left = cloud.run("docker", "ps", "--quiet", "--filter", f"ancestor={uri}:0.1.0-{sha}")
    assert left == ""  # the smoke test's server is stopped
    pushed, digest = log.splitlines()[-2:]
    assert pushed == f"pushed {uri}:0.1.0"
    assert digest.startswith("digest sha256:")

    named = ("--repository-names", "team/fraud")
    (repository,) = cloud.aws("ecr", "describe-repositories", *named)["repositories"]  # type: ignore[misc,attr-defined]
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    assert repository["imageTagMutability"] == "IMMUTABLE"
    policy = cloud.aws("ecr", "get-lifecycle-policy", "--repository-name", "team/fraud")
    assert '"countNumber": 3' in str(policy["lifecyclePolicyText"])

    for tag in ("0.1.0", f"0.1.0-{sha}"):
        name = f"{uri}:{tag}"
        cloud.run("docker", "image", "rm", name)
        code, text = cloud.run("docker", "pull", "-q", name)
        assert code == 0, text
        code, text = cloud.run("docker", "run", "--rm", name, "sagetree", "--version")
        assert (code, text) == (0, "0.1.0\n")
        assert digest.removeprefix("digest ") in cloud.run(
            "docker", "image", "inspect", "--format", "{{.RepoDigests}}", name
        )[1]  # fmt: skip
        cloud.run("docker", "image", "rm", name)


def test_a_dry_run_prints_every_step_and_does_none(cloud: Cloud, clone: Path) -> None:
    code, log = cloud.run(f"./{SCRIPT}", "--repository", "nothing", "--dry-run", cwd=clone)
    assert code == 0, log
    for step in ("create-repository", "docker login", "docker build", "smoke.sh", "docker push"):
        assert step in log
    repositories = cloud.aws("ecr", "describe-repositories")["repositories"]
    assert "nothing" not in json.dumps(repositories)


def _without(folder: Path, *missing: str) -> str:
    """Return a PATH that lacks some commands."""
    folder.mkdir()
    for command in ("bash", "git", "sed", "dirname", "basename", "docker", "aws", "env"):
        found = shutil.which(command, path=f"{SDK / 'aws' / 'bin'}{os.pathsep}{os.environ['PATH']}")
        if command not in missing and found:
            (folder / command).symlink_to(found)
    return str(folder)


def test_each_precondition_is_one_sentence(cloud: Cloud, clone: Path, tmp_path: Path) -> None:
    def refusal(*arguments: str, **environ: str) -> str:
        code, log = cloud.run(f"./{SCRIPT}", *arguments, cwd=clone, **environ)
        assert code == 1, log
        return log.splitlines()[-1].removeprefix("build_and_push.sh: ")

    assert refusal(PATH=_without(tmp_path / "a", "docker")) == "Docker is not installed"
    assert refusal(PATH=_without(tmp_path / "b", "aws")) == "the AWS CLI is not installed"
    assert refusal(DOCKER_HOST="tcp://127.0.0.1:1") == "the Docker engine does not answer: start it"
    assert (
        refusal(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
        == "AWS accepts no credentials: run 'aws configure', or use --profile"
    )
    assert refusal(AWS_DEFAULT_REGION="") == "no region is set: use --region"
    assert refusal("--colour") == "unknown option --colour: see --help"
    assert refusal("--tag") == "--tag needs a value"
    assert refusal("--keep", "0") == "--keep is 0 and must be a whole number from 1"
    (clone / "new.txt").write_text("x")
    assert refusal() == (
        "the tree has changes that are not committed: commit them, or use --allow-dirty"
    )
    (clone / "new.txt").unlink()
    cloud.aws("ecr", "create-repository", "--repository-name", "full")
    layer = {"mediaType": "application/vnd.docker.image.rootfs.diff.tar", "size": 1, "digest": "x"}
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    content = {"schemaVersion": 2, "mediaType": kind, "config": layer, "layers": [layer]}
    manifest = json.dumps(content)
    options = ["--repository-name", "full", "--image-tag", "0.1.0", "--image-manifest", manifest]
    cloud.aws("ecr", "put-image", *options)
    assert refusal("--repository", "full") == (
        "the tag 0.1.0 is in full already: raise the version, or use --tag"
    )
