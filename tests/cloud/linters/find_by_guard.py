"""Guard's rules over templates; prints [rule, resource] pairs. Runs alone."""

import json
import sys
from pathlib import Path

from cfn_guard_rs import run_checks

rules = Path(sys.argv[1]).read_text()
found = set()
for file in sys.argv[2:]:
    report = run_checks(json.loads(Path(file).read_text()), rules)
    assert report.compliant or report.not_compliant, "no rule has looked at anything"
    for rule in report.not_compliant:
        found |= {(rule["Rule"]["name"], str(rule["Rule"]["checks"])[:3000])}
print(json.dumps(sorted(found)))
