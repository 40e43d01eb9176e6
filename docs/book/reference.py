"""The pages that are made from the code: commands, variables, HTTP, a model's files."""

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from typing import get_args

from pydantic import BaseModel

from sagetree.boosters.calibration import Calibration
from sagetree.bundle import bundle
from sagetree.bundle.baseline import Baseline
from sagetree.bundle.bundle import Manifest, SelfCheck
from sagetree.bundle.column_baseline import ColumnBaselines
from sagetree.bundle.file_names import MANIFEST_FILE, MODEL_FILE
from sagetree.bundle.learning_curve import LearningCurve
from sagetree.decisions.decision import Decision
from sagetree.features.pipeline import FeaturePipeline
from sagetree.formats.media_types import ACCEPTS
from sagetree.machine.paths import BASE_DIR_VARIABLE
from sagetree.predictions.keys import KEYS
from sagetree.serve.attributes import HEADER
from sagetree.serve.bodies.decoders import DECODERS
from sagetree.serve.protocol.route_names import INFER, INFER_VERSION, INVOKE, V2
from sagetree.serve.variables import VARIABLES
from sagetree.tables.schema import Schema
from sagetree.train.hosts.cluster import DEFAULT_CLUSTER, PORT_VARIABLE, TIMEOUT_VARIABLE

COMMANDS = (
    "profile", "prepare", "train", "evaluate", "compare", "predict", "serve", "drift", "convert",
    "cloud",
)  # fmt: skip

_MODEL, _VERSION = INFER.removesuffix("/infer"), INFER_VERSION.removesuffix("/infer")

# Each method and path, and what is answered; tests hold them to the server's own.
ONE_MODEL: tuple[tuple[str, str, str], ...] = (
    ("GET", "/ping", "200 with an empty body once the model has passed its self-check"),
    ("POST", "/invocations", "rows in, scores out"),
    ("GET", "/execution-parameters", "what a batch transform job may send"),
    ("GET", "/", "the page to try the model in a browser"),
    ("GET", "/schema", "the columns a request holds, and what an answer can hold"),
    ("GET", "/metadata", "where the model comes from, and what serves it"),
    ("GET", "/openapi.json", "the same as OpenAPI 3.1"),
    ("GET", "/metrics", "counts and times of all workers, for Prometheus"),
    ("GET", "/health", "200 once the model is ready, as MLflow's server"),
    ("GET", "/version", "the server's version, as MLflow's server"),
)
OPEN_INFERENCE: tuple[tuple[str, str, str], ...] = (
    ("GET", V2, "the server's name, version and extensions"),
    ("GET", f"{V2}/health/live", "200 while the server runs"),
    ("GET", f"{V2}/health/ready", "200 once the model is ready"),
    ("GET", _MODEL, "the model's inputs and outputs"),
    ("GET", f"{_MODEL}/ready", "200 once the model is ready"),
    ("POST", INFER, "tensors in, tensors out: JSON or binary data"),
    ("GET", _VERSION, "as without a version; a model has one, `1`"),
    ("GET", f"{_VERSION}/ready", "as without a version"),
    ("POST", INFER_VERSION, "as without a version"),
    ("GET", f"{V2}/models/{{name}}", "404: the one model is called `model`"),
    ("POST", f"{V2}/models/{{name}}/infer", "404: the one model is called `model`"),
)
MANY_MODELS: tuple[tuple[str, str, str], ...] = (
    ("GET", "/ping", "200 while the server can take models"),
    ("GET", "/execution-parameters", "what a batch transform job may send"),
    ("GET", "/metrics", "counts and times of all workers and models"),
    ("POST", "/invocations", "rows in, scores out, of the model that the header names"),
    ("POST", "/models", "load a model"),
    ("GET", "/models", "the models that are loaded, in pages"),
    ("GET", "/models/{name}", "one of them"),
    ("DELETE", "/models/{name}", "unload it"),
    ("POST", INVOKE, "rows in, scores out"),
)

_FILES: tuple[tuple[str, type[BaseModel]], ...] = (
    (MANIFEST_FILE, Manifest),
    (bundle.SCHEMA_FILE, Schema),
    (bundle.FEATURES_FILE, FeaturePipeline),
    (bundle.SELFCHECK_FILE, SelfCheck),
    (bundle.DECISION_FILE, Decision),
    (bundle.CALIBRATION_FILE, Calibration),
    (bundle.BASELINE_FILE, Baseline),
    (bundle.COLUMNS_FILE, ColumnBaselines),
    (bundle.CURVE_FILE, LearningCurve),
)


def commands_page() -> str:
    """Return what each command's --help says."""
    parts = ["# Commands", "", "What each command says with `--help`.", ""]
    for name in COMMANDS:
        parts += [f"## sagetree {name}", "", "```text", _help(name), "```", ""]
    return "\n".join(parts)


def variables_page() -> str:
    """Return the environment variables."""
    rows = [
        (f"`{variable.name}`", variable.help, variable.allowed, variable.default)
        for variable in VARIABLES
    ]
    hosts = [
        (
            f"`{PORT_VARIABLE}`",
            "where the hosts of a training job meet",
            "a port number",
            str(DEFAULT_CLUSTER.port),
        ),
        (
            f"`{TIMEOUT_VARIABLE}`",
            "for how long a host waits for the others",
            "seconds",
            str(DEFAULT_CLUSTER.timeout),
        ),
    ]
    return "\n".join(
        (
            "# Environment variables",
            "",
            f"All programs: `{BASE_DIR_VARIABLE}` names the folder that stands for `/opt/ml`.",
            "",
            "## serve",
            "",
            *_table(("variable", "what it does", "values", "default"), rows),
            "",
            "## train on several hosts",
            "",
            *_table(("variable", "what it does", "values", "default"), hosts),
            "",
        )
    )


def http_page() -> str:
    """Return the server's paths, media types and keys."""
    heads = ("request", "answer")

    def paths(routes: Sequence[tuple[str, str, str]]) -> list[str]:
        return _table(heads, [(f"`{method} {path}`", text) for method, path, text in routes])

    return "\n".join(
        (
            "# HTTP",
            "",
            "[Serve](../docs/guide/serve.md) says what rows and answers look like; a server",
            "describes its own model at `/openapi.json`.",
            "",
            "## One model",
            "",
            *paths(ONE_MODEL),
            "",
            "## The Open Inference Protocol",
            "",
            *paths(OPEN_INFERENCE),
            "",
            "## Many models",
            "",
            "With `SAGEMAKER_MULTI_MODEL=true`:",
            "",
            *paths(MANY_MODELS),
            "",
            "## Media types",
            "",
            "Rows may come as " + _listed(DECODERS) + ".",
            "",
            "Answers may go as " + _listed(ACCEPTS) + ".",
            "",
            "## What an answer holds",
            "",
            f"`inference_output=` in the header `{HEADER}` chooses among {_listed(KEYS)}; `top_k=` "
            "bounds the contributions, `decision=` sets the threshold of the request.",
            "",
            "## Errors",
            "",
            "JSON with `error`, `message`, `where`, `hint` and `request_id`; wrong cells are in",
            "`violations`.",
            "",
        )
    )


def bundle_page() -> str:
    """Return the files of a model's folder, with the fields of each."""
    parts = [
        "# A model's files",
        "",
        "`model.tar.gz` holds XGBoost's model and, below `sagetree/`, JSON that says how a table",
        "becomes its features. Nothing in it is code. Files that are marked optional are left out",
        "where there is nothing to say.",
        "",
        f"## {MODEL_FILE}",
        "",
        "The model as XGBoost writes it (UBJSON); several of a cross-validation are numbered,",
        f"`{MODEL_FILE}-0` and on.",
        "",
        f"## {bundle.ROWS_FILE}",
        "",
        "Optional: hashes of the rows that training had, by which evaluation recognises them.",
        "",
    ]
    for name, record in _FILES:
        parts += [f"## {name}", "", _sentence(record), ""]
        rows = [
            (f"`{field}`", _type(value.annotation), "" if value.is_required() else "optional")
            for field, value in record.model_fields.items()
        ]
        parts += [*_table(("field", "type", ""), rows), ""]
    return "\n".join(parts)


def _help(name: str) -> str:
    command = (sys.executable, "-m", "sagetree.cli", name, "--help")
    # argparse wraps lines by the terminal's width
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    shown = subprocess.run(  # noqa: S603 - a command of our own
        command, env=environment, stdout=subprocess.PIPE, check=True, text=True
    )
    return shown.stdout.strip()


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [_row(heads), "|" + "---|" * len(heads)]
    return lines + [_row(row) for row in rows]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _sentence(record: type[BaseModel]) -> str:
    """Return the docstring as Markdown, in one paragraph each."""
    text = inspect.cleandoc(record.__doc__ or "")
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _type(annotation: object) -> str:
    """Return a type as a reader knows it: `list of Column`, `number`."""
    words = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false"}
    if isinstance(annotation, type) and not get_args(annotation):
        return words.get(annotation.__name__, annotation.__name__)
    text = re.sub(r"(?:[a-z_]+\.)+", "", str(annotation).replace("typing.", ""))
    return f"`{text}`"
