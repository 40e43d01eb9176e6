"""Rules of the source itself: what no module may do, and that its examples are true."""

import ast
import dataclasses
import doctest
import importlib
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from pydantic import BaseModel

import sagetree
from sagetree.bundle.bundle import Manifest, Origin

SRC = Path(sagetree.__file__).parents[1]
FILES = sorted(SRC.rglob("*.py"))
PROGRAMS = ("prepare", "train", "evaluate", "predict", "drift", "serve", "cloud")


def module_of(path: Path) -> str:
    """The name to import: src/train/cli.py is sagetree.train.cli."""
    parts = path.relative_to(SRC).with_suffix("").parts
    within = () if parts[0] == "sagetree" else ("sagetree",)
    return ".".join(within + parts).removesuffix(".__init__")


# The modules of Spark's room cannot be imported where pyspark is not (make spark installs it).
WITHOUT = () if find_spec("pyspark") else ("sagetree.prepare.spark.",)
MODULES = sorted(name for name in map(module_of, FILES) if not name.startswith(WITHOUT))
SHARED = [name for name in MODULES if name.split(".")[1:2] not in [[p] for p in PROGRAMS]]


TEXTS = {str(path.relative_to(SRC)): path.read_text() for path in FILES}


def trees(words: str) -> Iterator[tuple[str, ast.Module]]:
    """The files in which the words are found, parsed: all of them would take seconds."""
    return ((path, ast.parse(text)) for path, text in TEXTS.items() if re.search(words, text))


# Modules that turn data into code or objects, and functions that do.
FORBIDDEN_MODULES = {
    "pickle", "cPickle", "_pickle", "joblib", "cloudpickle", "dill", "marshal", "shelve",
}  # fmt: skip
FORBIDDEN_NAMES = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_ATTRIBUTES = {"read_pickle", "to_pickle", "allow_pickle"}
FORBIDDEN = "|".join(
    [*FORBIDDEN_MODULES, *FORBIDDEN_ATTRIBUTES, *(rf"(?<![.\w]){n}\b" for n in FORBIDDEN_NAMES)]
)


def sins(tree: ast.AST) -> Iterator[str]:
    """What in a module could run data as code."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found = [name.name for name in names]
            case ast.ImportFrom(module=module):
                found = [module or ""]
            case ast.Call(func=ast.Name(id=name)) if name in FORBIDDEN_NAMES:
                yield f"{name}() in line {node.lineno}"
                continue
            case ast.Attribute(attr=name) | ast.keyword(arg=name) if name in FORBIDDEN_ATTRIBUTES:
                yield f"{name} in line {node.lineno}"
                continue
            case ast.Call(args=[ast.Constant(value=str(name)), *_]):
                # importlib.import_module("pickle"); its name in a sentence is not a module's
                found = [name]
            case _:
                continue
        for name in found:
            if name.split(".")[0] in FORBIDDEN_MODULES:
                yield f"{name} in line {node.lineno}"


def test_no_data_becomes_code() -> None:
    assert [f"{path}: {sin}" for path, tree in trees(FORBIDDEN) for sin in sins(tree)] == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import os, joblib.numpy_pickle as p",
        "from cloudpickle import loads",
        "eval('1')",
        "def f(x):\n    return exec(x)",
        "import pandas\npandas.read_pickle('x')",
        "import numpy\nnumpy.load('x', allow_pickle=True)",
        "import importlib\nimportlib.import_module('pickle')",
        "__import__('os')",
    ],
)
def test_the_rule_finds_what_it_forbids(source: str) -> None:
    assert re.search(FORBIDDEN, source)
    assert len(list(sins(ast.parse(source)))) == 1


def test_a_public_class_has_a_name_of_its_own() -> None:
    """Two classes of one name are two meanings of one word.

    The names in sagetree.official are the official containers'.
    """
    places = defaultdict(list)
    for path, text in TEXTS.items():
        for name in re.findall(r"^ *class ([^\W_]\w*)[:(\[]", text, re.MULTILINE):
            if not path.startswith("sagetree/official/"):
                places[name].append(path)
    assert len(places) > len(FILES) / 2  # the pattern finds them
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_a_room_has_at_most_14_files() -> None:
    """And a file at most 350 lines (docs/architecture.md)."""
    rooms = Counter(path.parent for path in FILES if path.name != "__init__.py")
    assert {str(room): count for room, count in rooms.items() if count > 14} == {}
    lines = {name: text.count("\n") for name, text in TEXTS.items()}
    assert {name: count for name, count in lines.items() if count > 350} == {}


def test_opt_ml_is_spelled_in_one_place() -> None:
    """As a value; a docstring may name it."""
    spelled = [(path, value) for path, tree in trees("/opt/ml") for value in opt_ml_values(tree)]
    assert spelled == [("sagetree/machine/paths.py", "/opt/ml")]


def opt_ml_values(tree: ast.AST) -> Iterator[str]:
    """What in a module begins with /opt/ml and is not a docstring."""
    documents = set()
    for node in ast.walk(tree):
        match node:
            case (
                ast.Module(body=[ast.Expr(value=first), *_])
                | ast.ClassDef(body=[ast.Expr(value=first), *_])
                | ast.FunctionDef(body=[ast.Expr(value=first), *_])
            ):
                documents.add(first)
            case ast.Constant(value=str(text)) if text.startswith("/opt/ml"):
                if node not in documents:
                    yield text


# Imports modules, under an audit hook that tells of every environment variable read by our own
# code, of every file opened for writing, and of the programs that the first of them load.
IMPORT_ALL = (
    f"PROGRAMS = {PROGRAMS!r}"
    + """
import importlib, os, signal, sys
from sagetree.machine import unused

class Watched(dict):
    def __getitem__(self, key):
        _tell(key)
        return super().__getitem__(key)

    def get(self, key, default=None):
        _tell(key)
        return super().get(key, default)

    def __contains__(self, key):
        _tell(key)
        return super().__contains__(key)

told = []

def _tell(key):
    caller = sys._getframe(2).f_code.co_filename
    if caller.startswith(sys.argv[1]):
        told.append(f"read {key}")

def audit(event, arguments):
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        told.append(f"wrote {arguments[0]}")
    if event in ("os.mkdir", "os.remove", "os.rename", "socket.bind", "subprocess.Popen"):
        told.append(f"{event} {arguments}")

def handlers():
    return [signal.getsignal(number) for number in signal.valid_signals()]

before = handlers()
os.environ = Watched(os.environ)
sys.addaudithook(audit)
unused.leave_out_unused()  # as every program begins
for name in sys.argv[2:]:
    if name == "--":  # what comes before it are modules that load no program
        programs = {"sagetree." + program for program in PROGRAMS} | {"flask", "gunicorn", "duckdb"}
        told += [f"loaded {program}" for program in sorted(programs & set(sys.modules))]
    else:
        importlib.import_module(name)

if handlers() != before:
    told.append("set a signal")
import logging
if logging.getLogger().handlers or logging.getLogger("sagetree").handlers:
    told.append("set up logging")
sys.exit("\\n".join(told) or 0)
"""
)


def test_importing_everything_does_nothing(tmp_path: Path) -> None:
    """No output, no file, no variable of ours read, with an empty environment.

    The modules of sagetree come first, and load no program.
    """
    names = [*SHARED, "--", *MODULES]
    result = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", IMPORT_ALL, str(SRC), *names],
        capture_output=True, text=True, timeout=60, cwd=tmp_path, env={},
    )  # fmt: skip
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_the_watch_on_imports_sees(tmp_path: Path) -> None:
    """The test above would tell, were there something to tell."""
    (tmp_path / "sinner.py").write_text(
        "import os, signal, logging, sagetree.predict\n"
        "os.environ.get('SAGEMAKER_BASE_DIR')\n"
        "'X' in os.environ\n"
        "open('made', 'w').close()\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "logging.getLogger('sagetree').addHandler(logging.NullHandler())\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, str(tmp_path), "sinner", "--"],
        capture_output=True, text=True, timeout=60, cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert result.stderr.splitlines() == [
        "read SAGEMAKER_BASE_DIR", "read X", "wrote made", "loaded sagetree.predict",
        "set a signal", "set up logging",
    ]  # fmt: skip


WITH_EXAMPLES = sorted(module_of(path) for path in FILES if ">>>" in path.read_text())


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_in_docstrings_are_true(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(name), report=True)
    assert failed == 0


def types_of(name: str) -> list[type]:
    """The classes a module defines."""
    found = vars(importlib.import_module(name)).values()
    return [kind for kind in found if isinstance(kind, type) and kind.__module__ == name]


# Iceberg's and Data Wrangler's: a part of them is read.
OTHERS_FILES = {
    "sagetree.prepare.stores.iceberg",
    "sagetree.prepare.flow.document",
    "sagetree.prepare.flow.operators",
}


def test_values_are_never_changed() -> None:
    for kind in (kind for name in MODULES for kind in types_of(name)):
        if dataclasses.is_dataclass(kind):
            assert kind.__dataclass_params__.frozen, kind
        if issubclass(kind, BaseModel):
            assert kind.model_config["frozen"], kind
            # a manifest may tell more than this version asks for, as do other programs' files
            tells_more = kind in (Manifest, Origin) or kind.__module__ in OTHERS_FILES
            assert tells_more or kind.model_config["extra"] == "forbid", kind


def test_there_are_examples() -> None:
    names = ["sagetree.tables.cells", "sagetree.errors", "sagetree.tables.schema"]
    tried = [doctest.testmod(importlib.import_module(name)).attempted for name in names]
    assert all(tried)
