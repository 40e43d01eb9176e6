"""What training and evaluating files does not import, because it costs seconds and memory."""

import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import sys
import sagetree.evaluate.cli
import sagetree.train.cli
code = sagetree.train.cli.main(["a.csv", "--target=y", "--set=num_round=2", "--set=nfold=2"])
code = code or sagetree.evaluate.cli.main(["sagetree-out", "a.csv"])
print("MODULES", sorted({"sklearn", "pandas", "duckdb", "flask"} & sys.modules.keys()))
sys.exit(code)
"""


@pytest.mark.long
def test_neither_imports_scikit_learn_or_pandas(tmp_path: Path) -> None:
    rows = "".join(f"{i % 2},{i % 7}.5,{'abc'[i % 3]}\n" for i in range(60))
    (tmp_path / "a.csv").write_text("y,n,c\n" + rows)
    ran = subprocess.run([sys.executable, "-c", CODE], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.splitlines()[-1] == "MODULES []"
