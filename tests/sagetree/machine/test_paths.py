"""SageMaker's folders, at any root, and spelled in one place."""

from pathlib import Path

import pytest

import sagetree
from sagetree.machine.paths import OptMl

SRC = Path(sagetree.__file__).parents[1]


@pytest.mark.parametrize(
    ("environ", "root"),
    [
        ({}, "/opt/ml"),
        ({"SAGEMAKER_BASE_DIR": ""}, "/opt/ml"),
        ({"SAGEMAKER_BASE_DIR": "/tmp/ml"}, "/tmp/ml"),
        ({"SAGEMAKER_BASE_DIR": "here/ml", "OTHER": "x"}, "here/ml"),
    ],
)
def test_the_root(environ: dict[str, str], root: str) -> None:
    assert OptMl.from_environ(environ) == OptMl(Path(root))


def test_the_folders_are_sagemakers() -> None:
    opt_ml = OptMl(Path("/opt/ml"))
    folders = {
        "config": "/opt/ml/input/config",
        "data": "/opt/ml/input/data",
        "model": "/opt/ml/model",
        "output_data": "/opt/ml/output/data",
        "failure": "/opt/ml/output/failure",
        "message": "/opt/ml/output/message",
        "processing": "/opt/ml/processing",
    }
    assert {name: str(getattr(opt_ml, name)) for name in folders} == folders
