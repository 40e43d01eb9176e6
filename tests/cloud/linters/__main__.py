"""Run every program, or those that are named, and say what is new or no longer found."""

import sys
import tomllib
from pathlib import Path

from tests.cloud.linters.programs import PROGRAMS
from tests.cloud.linters.stacks import write_policies, write_templates
from tests.cloud.template.stack_template import CLOUD

ACCEPTED = CLOUD / "findings.toml"
FOLDER = CLOUD.parent / ".cloud-check"


def main(names: list[str]) -> int:
    """Return 1 if a program finds what is not accepted, or no longer what is."""
    FOLDER.mkdir(exist_ok=True)
    templates, policies = write_templates(FOLDER), write_policies(FOLDER)
    accepted = read_accepted(ACCEPTED)
    code = 0
    for name in names or PROGRAMS:
        pairs = PROGRAMS[name](FOLDER, templates, policies)
        found = {f"{name} {rule} {resource}" for rule, resource in pairs}
        known = {line for line in accepted if line.startswith(f"{name} ")}
        for line in sorted(found - known):
            print(f"new: {line}")
        for line in sorted(known - found):
            print(f"no longer found: {line}")
        print(f"{name}: {len(found)} findings, {len(found & known)} of them accepted")
        code |= found != known
    if code:
        print(f"Mend the templates, or list a finding with its reason in {ACCEPTED.name}")
    return code


def read_accepted(file: Path) -> dict[str, str]:
    """Return the reason why each finding is accepted. A finding stands there once."""
    reasons: dict[str, str] = {}
    for entry in tomllib.loads(file.read_text())["accepted"]:
        for line in entry["findings"]:
            assert line not in reasons, line
            assert entry["reason"], line
            reasons[line] = entry["reason"]
    return reasons


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
