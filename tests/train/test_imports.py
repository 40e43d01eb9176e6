"""What a training from files does not import, because it costs seconds and memory."""

import os
import subprocess
import sys
from pathlib import Path

CODE = """
import sys
import sagetree.train.cli
code = sagetree.train.cli.main(["--set", "num_round=2", "--set", "nfold=2"])
print("MODULES", sorted({"sklearn", "pandas", "duckdb", "flask"} & sys.modules.keys()))
sys.exit(code)
"""


def test_plain_training_imports_no_scikit_learn_and_no_pandas(tmp_path: Path) -> None:
    folder = tmp_path / "input" / "data" / "train"
    folder.mkdir(parents=True)
    rows = "".join(f"{i % 2},{i % 7}.5,{'abc'[i % 3]}\n" for i in range(60))
    (folder / "a.csv").write_text("y,n,c\n" + rows)
    ran = subprocess.run(
        [sys.executable, "-c", CODE],
        env=os.environ | {"SAGEMAKER_BASE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.splitlines()[-1] == "MODULES []"
