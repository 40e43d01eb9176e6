"""build_and_push.sh for real: the AWS CLI on a moto server, a registry on loopback, pulled back."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.image.cloud import SDK, Cloud
from tests.needs import needs_cosign

SCRIPT = "build_and_push.sh"

pytestmark = pytest.mark.docker


def architecture(cloud: Cloud) -> str:
    """This machine's, as Docker calls it."""
    _, text = cloud.run("docker", "version", "--format", "{{.Server.Arch}}")
    return text.strip()


def test_what_is_pushed_can_be_pulled_and_run(cloud: Cloud, clone: Path) -> None:
    code, log = cloud.run(f"./{SCRIPT}", "--repository", "team/fraud", "--keep", "3", cwd=clone)
    assert code == 0, log
    assert "smoke test passed: trained, served, pinged, predicted 0." in log
    arch = architecture(cloud)
    sha = subprocess.check_output(
        ["git", "-c", "safe.directory=*", "rev-parse", "--short=12", "HEAD"], cwd=clone, text=True
    ).strip()
    uri = f"{cloud.registry}/team/fraud"
    _, left = cloud.run("docker", "ps", "--quiet", "--filter", f"ancestor={uri}:0.2.0-{sha}-{arch}")
    assert left == ""  # the smoke test's server is stopped
    pushed, digest = log.splitlines()[-2:]
    assert pushed == f"pushed {uri}:0.2.0-{arch}"
    assert digest.startswith("digest sha256:")

    named = ("--repository-names", "team/fraud")
    (repository,) = cloud.aws("ecr", "describe-repositories", *named)["repositories"]  # type: ignore[misc,attr-defined]
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    assert repository["imageTagMutability"] == "IMMUTABLE"
    policy = cloud.aws("ecr", "get-lifecycle-policy", "--repository-name", "team/fraud")
    assert '"countNumber": 3' in str(policy["lifecyclePolicyText"])

    policy = cloud.aws("ecr", "get-repository-policy", "--repository-name", "team/fraud")
    (statement,) = json.loads(str(policy["policyText"]))["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert statement["Condition"] == {
        "ArnLike": {"aws:SourceArn": "arn:aws:lambda:us-east-1:123456789012:function:*"}
    }

    for tag in (f"0.2.0-{arch}", f"0.2.0-{sha}-{arch}"):
        name = f"{uri}:{tag}"
        cloud.run("docker", "image", "rm", name)
        code, text = cloud.run("docker", "pull", "-q", name)
        assert code == 0, text
        code, text = cloud.run("docker", "run", "--rm", name, "sagetree", "--version")
        assert (code, text) == (0, "0.2.0\n")
        assert digest.removeprefix("digest ") in cloud.run(
            "docker", "image", "inspect", "--format", "{{.RepoDigests}}", name
        )[1]  # fmt: skip
        cloud.run("docker", "image", "rm", name)


def test_a_dry_run_prints_every_step_and_does_none(cloud: Cloud, clone: Path) -> None:
    code, log = cloud.run(f"./{SCRIPT}", "--repository", "nothing", "--dry-run", cwd=clone)
    assert code == 0, log
    steps = (
        "create-repository",
        "set-repository-policy",
        "docker login",
        "docker build",
        "smoke.sh",
        "docker push",
        "pushed.py",
    )
    for step in steps:
        assert step in log
    repositories = cloud.aws("ecr", "describe-repositories")["repositories"]
    assert "nothing" not in json.dumps(repositories)


def test_each_platform_has_manifests_and_tags_of_its_own(cloud: Cloud, clone: Path) -> None:
    platforms = ("--platform", "linux/amd64,linux/arm64")
    code, log = cloud.run(f"./{SCRIPT}", *platforms, "--tag", "7", "--dry-run", cwd=clone)
    assert code == 0, log
    assert "manifest create" not in log
    pushes = [line.split(":")[-1] for line in log.splitlines() if "docker push" in line]
    assert [tag.split("-")[0] for tag in pushes] == ["7"] * 4
    assert [tag.split("-")[-1] for tag in pushes] == ["amd64", "amd64", "arm64", "arm64"]


def test_buildkit_is_told_to_add_nothing(cloud: Cloud, clone: Path, tmp_path: Path) -> None:
    docker = shutil.which("docker")
    plugin = tmp_path / "bin" / "docker"
    plugin.parent.mkdir()
    plugin.write_text(f'#!/bin/sh\n[ "$1" = buildx ] || exec {docker} "$@"\n')
    plugin.chmod(0o755)
    path = f"{plugin.parent}{os.pathsep}{cloud.environ['PATH']}"
    code, log = cloud.run(f"./{SCRIPT}", "--dry-run", cwd=clone, PATH=path)
    assert code == 0, log
    (build,) = (line for line in log.splitlines() if line.startswith("+ docker build"))
    assert " --provenance=false --sbom=false --output type=image\\,oci-mediatypes=false " in build


@pytest.fixture
def small(clone: Path, image: str) -> Path:
    """A clone whose build is done at once: the image that is there, under another name."""
    (clone / "Dockerfile").write_text(f"FROM {image}\n")
    author = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    subprocess.run(["git", *author, "commit", "-qam", "small"], cwd=clone, check=True)
    return clone


def test_a_repository_of_one_s_own_is_let_to_lambda_or_left_alone(
    cloud: Cloud, small: Path
) -> None:
    named = ("--repository-name", "own")
    cloud.aws("ecr", "create-repository", *named)
    code, log = cloud.run(f"./{SCRIPT}", "--repository", "own", cwd=small)
    assert code == 0, log
    pushed = [line.split()[-1] for line in log.splitlines() if "docker push" in line]
    cloud.run("docker", "image", "rm", *pushed)
    assert "LambdaPulls" in str(cloud.aws("ecr", "get-repository-policy", *named))
    statement = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "ecr:*"}
    mine = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    cloud.aws("ecr", "set-repository-policy", *named, "--policy-text", mine)
    options = ("--repository", "own", "--tag", "2", "--dry-run")
    code, log = cloud.run(f"./{SCRIPT}", *options, cwd=small)
    assert code == 0, log
    assert "Note: the repository's policy does not let Lambda pull" in log
    assert "set-repository-policy" not in log


def test_delete_asks_and_removes_the_repository(cloud: Cloud, clone: Path) -> None:
    cloud.aws("ecr", "create-repository", "--repository-name", "gone")

    def delete(*options: str) -> tuple[int, list[str]]:
        command = (f"./{SCRIPT}", "--delete", "--repository", "gone", *options)
        code, log = cloud.run(*command, cwd=clone, DOCKER_HOST="tcp://127.0.0.1:1")
        return code, log.splitlines()

    code, lines = delete()  # nobody answers
    assert (code, lines[-1]) == (
        1,
        "build_and_push.sh: nothing was deleted: type the repository's name, or use --yes",
    )
    assert lines[0] == ("This deletes the repository gone in us-east-1 with its 0 tags and images.")
    code, lines = delete("--dry-run")
    assert (code, len(lines)) == (0, 1)
    assert "delete-repository --repository-name gone --force" in lines[0]
    code, lines = delete("--yes")
    assert (code, lines[-1]) == (0, "deleted gone with its 0 tags and images")
    assert delete("--yes") == (
        1,
        ["build_and_push.sh: there is no repository gone in us-east-1"],
    )


def _without(folder: Path, *missing: str) -> str:
    """Return a PATH that lacks some commands."""
    folder.mkdir()
    for command in ("bash", "git", "sed", "dirname", "basename", "docker", "aws", "env", "python3"):
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
    assert refusal(PATH=_without(tmp_path / "c", "python3")) == (
        "python3 is not installed: it reads back what was pushed"
    )
    assert refusal("--yes") == "--yes goes with --delete only"
    assert refusal("--platform", "linux/s390x") == (
        "--platform is linux/s390x and must be linux/amd64 or linux/arm64"
    )
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
    tag = f"0.2.0-{architecture(cloud)}"
    options = ["--repository-name", "full", "--image-tag", tag, "--image-manifest", manifest]
    cloud.aws("ecr", "put-image", *options)
    assert refusal("--repository", "full") == (
        f"the tag {tag} is in full already: raise the version, or use --tag"
    )


def test_what_was_pushed_is_signed_by_its_digest(cloud: Cloud, small: Path, tmp_path: Path) -> None:
    log = tmp_path / "signed"
    cosign = tmp_path / "bin" / "cosign"
    cosign.parent.mkdir()
    cosign.write_text(f'#!/bin/sh\necho "$@" >>{log}\n')
    cosign.chmod(0o755)
    path = f"{cosign.parent}{os.pathsep}{cloud.environ['PATH']}"
    options = ("--repository", "signed", "--sign", "cosign.key")
    code, said = cloud.run(f"./{SCRIPT}", *options, cwd=small, PATH=path)
    assert code == 0, said
    digest = said.splitlines()[-1].removeprefix("digest ")
    pushed = [line.split()[-1] for line in said.splitlines() if "docker push" in line]
    cloud.run("docker", "image", "rm", *pushed)
    assert log.read_text() == (
        "sign --help\n"
        f"sign --yes --key cosign.key --tlog-upload=false {cloud.registry}/signed@{digest}\n"
    )


@needs_cosign
def test_the_signature_is_verified_by_the_public_key(
    cloud: Cloud, small: Path, tmp_path: Path
) -> None:
    secret = {"COSIGN_PASSWORD": "word"}
    cloud.run("cosign", "generate-key-pair", cwd=tmp_path, **secret)
    options = ("--repository", "verified", "--sign", str(tmp_path / "cosign.key"))
    code, said = cloud.run(f"./{SCRIPT}", *options, cwd=small, **secret)
    assert code == 0, said
    pushed = [line.split()[-1] for line in said.splitlines() if "docker push" in line]
    cloud.run("docker", "image", "rm", *pushed)
    digest = said.splitlines()[-1].removeprefix("digest ")
    named = f"{cloud.registry}/verified@{digest}"
    command = ("cosign", "verify", "--private-infrastructure", "--key", "cosign.pub", named)
    code, said = cloud.run(*command, cwd=tmp_path)
    assert code == 0, said
    assert "The signatures were verified against the specified public key" in said


@pytest.mark.skipif(shutil.which("cosign") is not None, reason="cosign is installed here")
def test_without_cosign_nothing_is_pushed(cloud: Cloud, clone: Path) -> None:
    code, said = cloud.run(f"./{SCRIPT}", "--sign", "cosign.key", "--dry-run", cwd=clone)
    assert code == 1
    assert said.splitlines()[-1] == (
        "build_and_push.sh: cosign is not installed: it signs what was pushed"
    )
