"""Read back what was pushed: one manifest, in the format that SageMaker and Lambda take.

usage: pushed.py REGISTRY REPOSITORY TAG <PASSWORD

Prints the image's digest. The exit code is 1, with a sentence, for an index of several
manifests and for OCI's format: SageMaker refuses them when a model is made, not at the push.
"""

import base64
import json
import sys
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"

# Whatever there is, is to be seen: a registry answers in a format that is accepted.
ACCEPTED = (
    MANIFEST,
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
)

REMEDY = (
    "build it without attestations and in Docker's format, by an engine whose builder is "
    "'docker' (docker buildx use default), and push it under another --tag"
)


def main() -> int:
    """Check one tag of a registry."""
    registry, repository, tag = sys.argv[1:]
    try:
        manifest, digest = read(registry, repository, tag, sys.stdin.read().strip())
    except URLError as error:
        if isinstance(error, HTTPError):
            error.close()
        return failed(f"{registry}/{repository}:{tag} cannot be read back: {error}")
    if fault := fault_of(manifest):
        return failed(f"{registry}/{repository}:{tag} {fault}, which AWS refuses: {REMEDY}")
    sys.stdout.write(f"{digest}\n")
    return 0


def read(registry: str, repository: str, tag: str, password: str) -> tuple[dict[str, Any], str]:
    """Return a tag's manifest and its digest."""
    scheme = "http" if registry.startswith(("127.0.0.1:", "localhost:")) else "https"
    request = Request(  # noqa: S310 - one of the two
        f"{scheme}://{registry}/v2/{repository}/manifests/{tag}",
        headers={
            "Accept": ", ".join(ACCEPTED),
            "Authorization": f"Basic {base64.b64encode(f'AWS:{password}'.encode()).decode()}",
        },
    )
    with urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer), str(answer.headers["Docker-Content-Digest"])


def fault_of(manifest: Mapping[str, Any]) -> str:
    """Return what AWS would refuse of a manifest, "" if nothing.

    >>> fault_of({"mediaType": ACCEPTED[3], "manifests": []})
    'is an index of manifests (application/vnd.oci.image.index.v1+json)'
    """
    kind = str(manifest.get("mediaType", "no media type"))
    if "manifests" in manifest:
        return f"is an index of manifests ({kind})"
    if kind != MANIFEST:
        return f"has a manifest of type {kind}"
    config = manifest["config"]["mediaType"]
    if config != CONFIG:
        return f"has a configuration of type {config}"
    layers = sorted({layer["mediaType"] for layer in manifest["layers"]} - {LAYER})
    return f"has layers of type {', '.join(layers)}" if layers else ""


def failed(text: str) -> int:
    """Say why it is not as it should be."""
    sys.stderr.write(f"build_and_push.sh: {text}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
