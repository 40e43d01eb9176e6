"""parliament over a file of [role, policy] pairs; writes [rule, role] pairs. Runs alone."""

import json
import sys
from pathlib import Path

from parliament import analyze_policy_string

pairs = json.loads(Path(sys.argv[1]).read_text())
found = {
    (f"{finding.issue}({json.dumps(finding.detail, sort_keys=True, default=str)})", role)
    for role, policy in pairs
    for finding in analyze_policy_string(json.dumps(policy)).findings
}
sys.stdout.write(json.dumps(sorted(found)))
