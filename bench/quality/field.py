"""The field: who is judged, in which environment each runs, and what changes its results."""

import ast
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import numpy as np

from bench.quality.environment import PEERS_PYTHON, PYTHON, ROOT, pins
from bench.quality.table import FloatArray, Fold, Table, digest_of

# One thread for everyone, whatever a library takes for its own.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

HERE = Path(__file__).parent


class Contender(Protocol):
    """Whoever scores the rows of folds."""

    @property
    def name(self) -> str:
        """Return the name on the command line, in tables and of the folder of results."""

    @property
    def digest(self) -> str:
        """Return what changes when its results may."""

    def scores(self, table: Table, folds: Sequence[Fold]) -> Iterator[FloatArray]:
        """Yield the scores of each fold's rows, as soon as they are there."""


@dataclass(frozen=True)
class Process:
    """A contender that runs as `bench.quality.contenders`."""

    name: str
    python: Path
    sources: tuple[Path, ...]
    versions: tuple[str, ...]

    @cached_property
    def digest(self) -> str:
        """Return what changes with its sources, but for comments, and with its versions."""
        plumbing = [HERE / "table.py", HERE / "contenders" / "columns.py"]
        sources = [meaning(path) for path in (*plumbing, *self.sources)]
        return digest_of(*sources, *(text.encode() for text in self.versions))

    def scores(self, table: Table, folds: Sequence[Fold]) -> Iterator[FloatArray]:
        """Yield the scores of each fold; raise CalledProcessError where it fails."""
        asked = [(fold.repeat, fold.number, fold.rows.tolist()) for fold in folds]
        job = json.dumps({"table": table.to_json(), "folds": asked})
        command = [str(self.python), "-W", "ignore", "-m", "bench.quality.contenders", self.name]
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **ONE_THREAD},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(job)
            process.stdin.close()
            for line in process.stdout:
                yield np.array(json.loads(line))
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)


def ours(name: str = "sagetree", *others: str) -> Process:
    """Return sagetree as this checkout has it, by a contender's name and packages it needs too."""
    packages = ("numpy", "pyarrow", "scikit-learn", "scipy", "xgboost-cpu", *others)
    sources = [
        path
        for path in sorted((ROOT / "src").glob("*/**/*.py"))
        if path.relative_to(ROOT / "src").parts[0] not in ("serve", "prepare")
    ]
    return Process(
        name=name,
        python=PYTHON,
        sources=(
            *(HERE / "contenders" / f"{one}.py" for one in sorted({"sagetree", name})),
            *sources,
        ),
        versions=tuple(f"{package}=={version(package)}" for package in packages),
    )


def searched() -> Process:
    """Return sagetree after a search of its own."""
    return ours("tuned", "optuna")


def _peer(name: str, package: str, *others: str) -> Process:
    return Process(
        name=name,
        python=PEERS_PYTHON,
        sources=tuple(HERE / "contenders" / f"{module}.py" for module in (name, *others)),
        versions=(pins()[package],),
    )


def untuned() -> list[Process]:
    """Return the five peers with their own defaults."""
    return [
        _peer("catboost", "catboost"),
        _peer("lightgbm", "lightgbm"),
        _peer("histogram", "scikit-learn"),
        _peer("linear", "scikit-learn"),
        _peer("xgboost", "xgboost-cpu"),
    ]


def tuned() -> Process:
    """Return XGBoost after a search of twenty trials."""
    return _peer("search", "xgboost-cpu", "xgboost")


def meaning(path: Path) -> bytes:
    """Return a module's code without its comments, docstrings and layout."""
    return json.dumps(_meaning(ast.parse(path.read_text()))).encode()


def _meaning(node: object) -> object:
    """Return a syntax tree as lists: `ast.dump` differs from one Python to the next."""
    if isinstance(node, list):
        return [_meaning(part) for part in node if not _is_text(part)]
    if isinstance(node, ast.AST):
        # Newer Pythons have fields that are empty in older code.
        fields = ((name, _meaning(value)) for name, value in ast.iter_fields(node))
        return [type(node).__name__, *((name, value) for name, value in fields if value != [])]
    return repr(node)


def _is_text(node: object) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
