"""Print what is known about vulnerabilities of the Python packages in an image.

usage: audit.py IMAGE

pip-audit asks PyPI about every package in the image's own bill of materials. Nothing is failed by
the answer, since a build must not break on the day somebody finds a hole; packages that could not
be looked up are counted as just that, not as safe.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

UV = Path(sys.executable).with_name("uv")
PIP_AUDIT = "pip-audit==2.10.1"
SBOM = "/opt/sagetree/sbom.json"
PYPI = "pkg:pypi/"

# PyPI's answer to a package takes a fraction of a second; there are some forty.
TIMEOUT = 300

Audited = Mapping[str, Any]


def main() -> int:
    """Audit the image that the command line names."""
    (image,) = sys.argv[1:]
    packages = packages_of(image)
    try:
        audited = audit(packages)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, ValueError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        sys.stdout.write(f"pip-audit: no result: {said[-1] if said else error}\n")
        return 0
    sys.stdout.write("".join(f"{line}\n" for line in lines_of(audited)))
    return 0


def packages_of(image: str) -> Sequence[str]:
    """Return NAME==VERSION of every package from PyPI in the image."""
    command = ["docker", "run", "--rm", "--network", "none", image, "cat", SBOM]
    bom = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)  # noqa: S603
    parts = [part for part in bom["components"] if part["purl"].startswith(PYPI)]
    return [f"{part['name']}=={part['version']}" for part in parts]


def audit(packages: Sequence[str]) -> Sequence[Audited]:
    """Return pip-audit's result for each package. Raises CalledProcessError, TimeoutExpired."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("".join(f"{package}\n" for package in packages))
        file.flush()
        command = [
            UV, "tool", "run", "--quiet", "--from", PIP_AUDIT, "pip-audit",
            "--requirement", file.name, "--no-deps", "--disable-pip",
            "--progress-spinner", "off", "--format", "json",
        ]  # fmt: skip
        result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)  # noqa: S603
    if not result.stdout.startswith("{"):  # with findings it ends with 1, and still prints them
        raise subprocess.CalledProcessError(result.returncode, command, stderr=result.stderr)
    found: Sequence[Audited] = json.loads(result.stdout)["dependencies"]
    return found


def lines_of(audited: Sequence[Audited]) -> Sequence[str]:
    """Return the result for people: a summary, then one line for each finding."""
    skipped = [package for package in audited if "skip_reason" in package]
    findings = [
        f"  {package['name']} {package['version']}: {hole['id']}, "
        f"mended in {', '.join(hole['fix_versions']) or 'no version yet'}"
        for package in audited
        for hole in package.get("vulns", ())
    ]
    looked_up = len(audited) - len(skipped)
    lines = [f"pip-audit: {looked_up} packages looked up, {len(findings)} known vulnerabilities"]
    lines += findings
    if skipped:
        lines.append(
            f"  {len(skipped)} packages could not be looked up, so nothing is known of them: "
            f"{skipped[0]['skip_reason']}"
        )
    return lines


if __name__ == "__main__":
    sys.exit(main())
