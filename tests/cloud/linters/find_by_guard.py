"""Guard's rules over templates; writes [rule, resource] pairs. Runs alone."""

import json
import re
import sys
from pathlib import Path

# Not the package's own function: it cannot read all that this one answers.
from cfn_guard_rs.cfn_guard_rs import run_checks_rs

rules = Path(sys.argv[1]).read_text()
found = set()
for file in map(Path, sys.argv[2:]):
    report = json.loads(run_checks_rs(file.read_text(), rules, False))
    for broken in report["not_compliant"]:
        resources = set(re.findall(r"/Resources/(\w+)", json.dumps(broken))) or {file.stem}
        found |= {(broken["Rule"]["name"], resource) for resource in resources}
sys.stdout.write(json.dumps(sorted(found)))
