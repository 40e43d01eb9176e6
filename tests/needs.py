"""What some tests need beyond Python: where it is not there they are skipped, and say so."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest
import xgboost

from sagetree.machine.gpus import visible_gpus

# The finished run of SageMaker's workshop on fraud: tables, and what SageMaker itself answered.
WORKSHOP = Path(
    os.environ.get("SAGETREE_WORKSHOP_DATA") or Path(__file__).parents[1] / ".." / "shared" / "data"
)

needs_workshop = pytest.mark.skipif(
    not (WORKSHOP / "train.csv").is_file(),
    reason="needs the workshop's data in the folder that SAGETREE_WORKSHOP_DATA names "
    "(tests/oracle/README.md says where they come from)",
)

needs_script_mode = pytest.mark.skipif(
    find_spec("sagemaker_training") is None,
    reason="needs sagemaker-training, which a C compiler and Python's headers build (make install)",
)


def _needs(program: str, package: str) -> pytest.MarkDecorator:
    reason = f"{program} is not installed (Debian: apt install {package})"
    return pytest.mark.skipif(shutil.which(program) is None, reason=reason)


needs_java = _needs("java", "default-jdk-headless")
needs_spark = pytest.mark.skipif(
    find_spec("pyspark") is None or shutil.which("java") is None,
    reason="needs Java and pyspark (make spark; Debian: apt install default-jre-headless)",
)
needs_node = _needs("node", "nodejs")
needs_curl = _needs("curl", "curl")
needs_cosign = _needs("cosign", "cosign")
needs_go = _needs("go", "golang-go")
needs_nginx = _needs("nginx", "nginx-light")
needs_haproxy = _needs("haproxy", "haproxy")
needs_promtool = _needs("promtool", "prometheus")
needs_prometheus = _needs("prometheus", "prometheus")


def skip_without(script: str, install: Sequence[str | Path], environment: dict[str, str]) -> None:
    """Install by uv the packages that a script names in its first lines, or skip the test."""
    if not Path(install[0]).is_file():
        pytest.skip("needs uv beside Python (make install)")
    made = subprocess.run(install, env=environment, capture_output=True, text=True)
    if made.returncode != 0:
        reason = " ".join(made.stderr.split())
        pytest.skip(f"needs the packages that {script} names, from PyPI: {reason}")


needs_uv = pytest.mark.skipif(
    not Path(sys.executable).with_name("uv").is_file(),
    reason="needs uv beside Python, which makes environments of other XGBoosts (make install)",
)

needs_gpu = pytest.mark.skipif(
    not (xgboost.build_info()["USE_CUDA"] and visible_gpus()),
    reason="needs a GPU and XGBoost's CUDA build (uv sync --group gpu)",
)
