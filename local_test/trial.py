"""1000 rows through train, evaluate, serve and one prediction, in seconds, after a change of code.

The tables are made once and kept in the folder; remove it for new ones. The real programs run, one
process each, with the configuration of test_dir.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from local_test.demo import HERE, make_channels, predict, script, server, test_claims

POLICIES = 1000
SEED = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run the programs and print what came out; return the exit code of the first that fails."""
    parser = argparse.ArgumentParser(prog="python -m local_test.trial", description=__doc__)
    parser.add_argument("--dir", type=Path, default=HERE / "try_dir", help="stands for /opt/ml")
    folder: Path = parser.parse_args(argv).dir.resolve()
    begin = time.monotonic()
    try:
        if not (folder / "input" / "data" / "validation").is_dir():  # the last that is made
            make_channels(folder, POLICIES, SEED)
        shutil.copytree(
            HERE / "test_dir" / "input" / "config", folder / "input" / "config", dirs_exist_ok=True
        )
        script("train_local.sh", folder)
        script("evaluate_local.sh", folder)
        claim = test_claims(folder)[0]
        with server(folder) as address:
            (answer,) = predict(address, [claim], "score,predicted_label")
    except subprocess.CalledProcessError as error:
        print(f"\nstopped: the step above failed with exit code {error.returncode}")
        return 1
    decision = json.loads((folder / "processing" / "evaluation" / "decision.json").read_bytes())
    low, high = decision["interval"]
    print(
        f"\nAUC {decision['auc']:.3f} ({low:.3f} to {high:.3f}) on the test rows",
        f"policy {claim['policy_id']}: {json.dumps(answer)}",
        f"{folder}, in {time.monotonic() - begin:.1f} s",
        sep="\n",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
