"""Check that the image can be built for amd64 and for arm64 from what uv.lock holds.

usage: check_wheels.py

For the cpu and the gpu build, each locked package must have a wheel that fits the Python and the
C library of the Dockerfile's base image. One that has no wheel at all is built from source, which
works on every architecture as long as it is pure Python: the builder has no compiler. Ends with 1
and the missing ones if there are any. Needs no network.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

ROOT = Path(__file__).parent.parent
UV = Path(sys.executable).with_name("uv")
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}

# The C library of each Debian release that a base image may name: 2.36 and so on.
GLIBC_MINOR = {"bookworm": 36, "trixie": 41}

Package = Mapping[str, Any]


def main() -> int:
    """Check every build on every architecture; print what is missing."""
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    (found,) = re.findall(r"^ARG BASE_IMAGE=python:3\.(\d+)-slim-(\w+)$", dockerfile, re.MULTILINE)
    python, glibc = (3, int(found[0])), GLIBC_MINOR[found[1]]
    missing = []
    for build, options in re.findall(r'^ +(\w+)\) echo "(--.*)" ;;', dockerfile, re.MULTILINE):
        packages = locked(options.split())
        for platform, machine in MACHINES.items():
            needed = [package for package in packages if applies(package, python, machine)]
            fitting = wheel_tags(python, glibc, machine)
            sources = [package["name"] for package in needed if not package.get("wheels")]
            missing += [
                f"{build} on {platform}: {package['name']} {package['version']} has no wheel for it"
                for package in needed
                if package["name"] not in sources and not fitting & tags_of(package)
            ]
            built = f", from source: {', '.join(sources)}" if sources else ""
            sys.stdout.write(f"{build} on {platform}: {len(needed)} packages{built}\n")
    sys.stdout.write("".join(f"{line}\n" for line in missing))
    return 1 if missing else 0


def locked(options: list[str]) -> list[Package]:
    """Return what the lock holds for the project with these extras, for every platform."""
    command = [UV, "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project"]
    result = subprocess.run(  # noqa: S603 - our own command
        [*command, "--format", "pylock.toml", *options], cwd=ROOT, check=True, capture_output=True
    )
    packages: list[Package] = tomllib.loads(result.stdout.decode())["packages"]
    return packages


def applies(package: Package, python: tuple[int, int], machine: str) -> bool:
    """Return whether the image on `machine` needs the package."""
    version = ".".join(map(str, python))
    environment = {
        "python_version": version, "python_full_version": f"{version}.0",
        "implementation_name": "cpython", "platform_python_implementation": "CPython",
        "sys_platform": "linux", "platform_system": "Linux", "os_name": "posix",
        "platform_machine": machine,
    }  # fmt: skip
    return "marker" not in package or Marker(package["marker"]).evaluate(environment)


def wheel_tags(python: tuple[int, int], glibc: int, machine: str) -> set[Tag]:
    """Return the tags of all wheels that fit."""
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(glibc, 4, -1)]
    platforms += [f"manylinux{name}_{machine}" for name in ("2014", "2010", "1")]
    return {
        *cpython_tags(python, platforms=platforms),
        *compatible_tags(python, platforms=[*platforms, "any"]),
    }


def tags_of(package: Package) -> set[Tag]:
    """Return the tags of all wheels that the lock holds of a package."""
    names = [wheel["url"].rsplit("/", 1)[1] for wheel in package["wheels"]]
    return {tag for name in names for tag in parse_wheel_filename(name)[3]}


if __name__ == "__main__":
    sys.exit(main())
