"""List what the image is made of, as a CycloneDX bill of materials.

usage: uv export --format cyclonedx1.5 ... | sbom.py SITE_PACKAGES DPKG_STATUS DOCUMENTS >sbom.json

The lock, as uv exports it, holds the hashes and who needs whom, but for every platform: only what
is installed is kept. Debian's packages and Python itself are added, and the licences that each
package states of itself. No clock and no random number goes in, so that the same image gives the
same file.
"""

import json
import platform
import re
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote

Bom = dict[str, Any]
Component = dict[str, Any]

TOOL_PREFIX = "uv:"


def main() -> int:
    """Read the lock's list from standard input and write the image's."""
    site, status, documents = sys.argv[1:]
    found = licences(site)
    parts = [python(), *debian(Path(status).read_text("utf-8"), Path(documents))]
    bom = image_bom(json.load(sys.stdin), installed(site), found, parts)
    json.dump(bom, sys.stdout, indent=1, sort_keys=True)
    return 0


def installed(site: str) -> Mapping[str, str]:
    """Return name and version of every Python package below `site`."""
    return {_name(found): found.version for found in distributions(path=[site])}


def licences(site: str) -> Mapping[str, list[str]]:
    """Return the licences that each Python package below `site` states of itself."""
    return {_name(found): _stated(found) for found in distributions(path=[site])}


def _name(found: Distribution) -> str:
    return str(found.metadata["Name"]).lower().replace("_", "-").replace(".", "-")


def _stated(found: Distribution) -> list[str]:
    """Return the expression of the metadata, else their classifiers, else their short text."""
    if expression := found.metadata.get("License-Expression"):
        return [expression]
    classifiers = found.metadata.get_all("Classifier") or ()
    if named := [name.split(" :: ")[-1] for name in classifiers if name.startswith("License :: ")]:
        return named
    text = str(found.metadata.get("License") or "").strip()
    return [text.splitlines()[0]] if text else []


def image_bom(
    bom: Bom,
    packages: Mapping[str, str],
    stated: Mapping[str, list[str]],
    others: Iterable[Component],
) -> Bom:
    """Return `bom` cut down to `packages`, with the rest of the image added."""
    root = {**bom["metadata"]["component"], "type": "application"}
    root.pop("properties", None)
    kept = [part for part in bom["components"] if packages.get(part["name"]) == part["version"]]
    if unknown := packages.keys() - {part["name"] for part in kept} - {root["name"]}:
        raise SystemExit(f"installed, but not in the lock: {', '.join(sorted(unknown))}")
    references = {part["bom-ref"] for part in (root, *kept)}
    licensed = [{**without_notes(part), **_licences(stated.get(part["name"], ()))} for part in kept]
    components = [*licensed, *others]
    result = {
        **bom,
        "metadata": {"component": root, "tools": bom["metadata"]["tools"]},
        "components": sorted(components, key=lambda part: str(part["purl"])),
        "dependencies": [
            {
                **entry,
                "dependsOn": [need for need in entry.get("dependsOn", ()) if need in references],
            }
            for entry in bom["dependencies"]
            if entry["ref"] in references
        ],
    }
    del result["serialNumber"]
    text = json.dumps(result, sort_keys=True)
    return {**result, "serialNumber": uuid.uuid5(uuid.NAMESPACE_OID, text).urn}


def without_notes(part: Component) -> Component:
    """Return a component without what only uv understands, such as a marker."""
    notes = [
        note for note in part.get("properties", ()) if not note["name"].startswith(TOOL_PREFIX)
    ]
    bare = {name: value for name, value in part.items() if name != "properties"}
    return {**bare, "properties": notes} if notes else bare


def python() -> Component:
    """Return the interpreter, which is not a Debian package in Python's own images."""
    version = platform.python_version()
    purl = f"pkg:generic/python@{version}"
    cpe = f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*"
    return {
        "type": "application", "bom-ref": purl, "name": "python", "version": version,
        "purl": purl, "cpe": cpe, **_licences(["PSF-2.0"]),
    }  # fmt: skip


def debian(status: str, documents: Path) -> Iterator[Component]:
    """Yield the packages that dpkg's status file says are installed."""
    release = platform.freedesktop_os_release()["VERSION_ID"]
    for paragraph in status.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line)
        if not fields.get("Status", "").endswith(" installed"):
            continue
        name, version = fields["Package"], fields["Version"]
        purl = f"pkg:deb/debian/{quote(name)}@{quote(version, safe=':')}"
        source = fields.get("Source", name).split()[0]
        purl += f"?arch={fields['Architecture']}&distro=debian-{release}&upstream={source}"
        yield {
            "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
            **_licences(_copyright(documents / name / "copyright")),
        }  # fmt: skip


def _copyright(path: Path) -> list[str]:
    """Return the short names of the licences in a copyright file that machines can read."""
    if not path.is_file():
        return []
    text = path.read_text("utf-8", errors="replace")
    return list(dict.fromkeys(re.findall(r"^License: *(\S.*?) *$", text, re.MULTILINE)))


def _licences(names: Iterable[str]) -> Component:
    found = [{"license": {"name": name}} for name in names]
    return {"licenses": found} if found else {}


if __name__ == "__main__":
    sys.exit(main())
