"""What some tests need beyond Python: where it is not there they are skipped, and say so."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

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

needs_uv = pytest.mark.skipif(
    not Path(sys.executable).with_name("uv").is_file(),
    reason="needs uv beside Python, which makes environments of other XGBoosts (make install)",
)
