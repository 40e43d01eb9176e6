"""The environment variables of the server: what each means, and which values it takes.

The names are SageMaker's own, where it has one. `VARIABLES` is also the table of `serve --help`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar, get_args

from sagemaker_inference import parameters

from sagetree.boosters.best_rounds import Rounds
from sagetree.boosters.shap_method import ShapMethod
from sagetree.decisions.rules import ALLOWED_DECISIONS, parse_decision
from sagetree.formats.media_types import ACCEPTS, CSV, JSON
from sagetree.machine.paths import BASE_DIR_VARIABLE
from sagetree.predictions.keys import DEFAULT_KEYS, KEYS, parse_keys
from sagetree.serve.protocol.messages import MEGABYTE

# SageMaker sends real-time requests of up to 25 MB.
MAX_PAYLOAD_MB = 25
# The answer time SageMaker allows to a real-time request.
TIMEOUT_SECONDS = 60

# Longer than the idle time of the clients before us (60 s), which thus close
# first: a server that does so now and then breaks a request under way.
KEEPALIVE_SECONDS = 75

# Asynchronous inference has the largest payload of SageMaker's modes: 1 GB.
LARGEST_PAYLOAD_MB = 1024

# Of the memory; the rest is for the programs, for requests, and for loading.
MODEL_MEMORY_SHARE = 0.7

# CloudWatch's usual period.
EMF_SECONDS = 60

# SageMaker's containers get their credentials from it.
ON_SAGEMAKER = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"

PORT_OPTION = "--port"

MULTI_RECORD, SINGLE_RECORD = "MULTI_RECORD", "SINGLE_RECORD"

LOG_FORMATS = ("text", "json")

Value = TypeVar("Value")
Value_co = TypeVar("Value_co", covariant=True)


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return the parser of a whole number; it raises ValueError outside of the range."""

    def parse(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise ValueError(text)
        return number

    return parse


def one_of(values: Iterable[Value]) -> Callable[[str], Value]:
    """Return the parser of one of some words in any case; it raises KeyError for others."""
    known = {str(value).lower(): value for value in values}
    return lambda text: known[text.lower()]


def _truth(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.lower()]


def _decision(text: str) -> str:
    parse_decision(text)
    return text


@dataclass(frozen=True)
class Variable(Generic[Value_co]):
    """One environment variable; `allowed` completes "must be ...", `default` says what holds."""

    name: str
    parse: Callable[[str], Value_co]
    allowed: str
    default: str
    help: str


PORT = Variable(
    parameters.BIND_TO_PORT_ENV,
    whole_number(0, 65535),
    "a port number up to 65535 (0: any free port)",
    "8080",
    "port to listen on",
)
WORKERS = Variable(
    parameters.MODEL_SERVER_WORKERS_ENV,
    whole_number(1, 1024),
    "a whole number from 1 to 1024",
    "the cores this container may use",
    "worker processes, each with its own copy of the model",
)
TIMEOUT = Variable(
    parameters.MODEL_SERVER_TIMEOUT_ENV,
    whole_number(1, 3600),
    "seconds from 1 to 3600",
    str(TIMEOUT_SECONDS),
    "seconds after which a hanging worker is replaced",
)
ACCEPT = Variable(
    parameters.DEFAULT_INVOCATIONS_ACCEPT_ENV,
    one_of(ACCEPTS),
    f"one of {', '.join(ACCEPTS)}",
    f"{JSON} for a request in it, else {CSV}",
    "type of the answer to a request without Accept",
)
OUTPUT = Variable(
    "SAGEMAKER_INFERENCE_OUTPUT",
    parse_keys,
    f"a comma list of {', '.join(KEYS)}, each once",
    ",".join(DEFAULT_KEYS),
    "what an answer holds for each row",
)
DECISION = Variable(
    "SAGETREE_DECISION",
    _decision,
    f"one of {ALLOWED_DECISIONS}",
    "the model's own",
    "the score from which a row is called positive; a rule chooses it on the curve that the model "
    "stores",
)
BATCH = Variable(
    "SAGEMAKER_BATCH",
    _truth,
    "true or false",
    "false",
    "set by a batch transform job: each record is one line of the answer",
)
PAYLOAD = Variable(
    parameters.MAX_REQUEST_SIZE,
    whole_number(0, LARGEST_PAYLOAD_MB),
    f"megabytes up to {LARGEST_PAYLOAD_MB} (0: no limit)",
    str(MAX_PAYLOAD_MB),
    "largest request body in MB",
)
CONTENT_LENGTH = Variable(
    "MAX_CONTENT_LENGTH",
    whole_number(1, LARGEST_PAYLOAD_MB * MEGABYTE),
    f"bytes up to {LARGEST_PAYLOAD_MB * MEGABYTE}",
    PAYLOAD.name,
    "the same limit in bytes",
)
KEEPALIVE = Variable(
    "SAGETREE_KEEPALIVE_SECONDS",
    whole_number(1, 3600),
    "seconds from 1 to 3600",
    str(KEEPALIVE_SECONDS),
    "how long a connection stays open between requests; set it longer than the load balancer's",
)
STRATEGY = Variable(
    "SAGEMAKER_BATCH_STRATEGY",
    one_of((MULTI_RECORD, SINGLE_RECORD)),
    f"{MULTI_RECORD} or {SINGLE_RECORD}",
    MULTI_RECORD,
    "set by a batch transform job: what /execution-parameters says",
)
TRANSFORMS = Variable(
    "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS",
    whole_number(1, 1024),
    "a whole number from 1 to 1024",
    "as many as keep the workers busy",
    "set by a batch transform job: what /execution-parameters says",
)
ENSEMBLE = Variable(
    "SAGEMAKER_INFERENCE_ENSEMBLE",
    lambda text: {"true": True, "1": True}[text.lower()],
    "true: to serve one model alone, leave only that one in the folder",
    "true",
    "whether the models of a cross-validation answer together",
)
THREADS = Variable(
    "OMP_NUM_THREADS",
    whole_number(1, 1024),
    "a whole number from 1 to 1024",
    "the cores this container may use",
    "threads that share the rows of one large request",
)

MULTI_MODEL = Variable(
    parameters.MULTI_MODEL_ENV,
    _truth,
    "true or false",
    "false",
    "serve models that are loaded and unloaded by requests to /models",
)
MODEL_MEMORY = Variable(
    "SAGETREE_MODEL_MEMORY_MB",
    whole_number(1, 2**24),
    "megabytes from 1 on",
    f"{MODEL_MEMORY_SHARE:.0%} of the memory this container may use",
    "with many models: memory for them in all workers together",
)
PROGRAM = Variable(
    parameters.USER_PROGRAM_ENV,
    str,
    "the name of a Python file",
    "none",
    "your own script that answers, in model/code or the submit directory",
)
SUBMIT_DIRECTORY = Variable(
    "SAGEMAKER_SUBMIT_DIRECTORY",
    str,
    "a folder, a .tar.gz file, or s3://bucket/key of one",
    "model/code",
    "where your own script is",
)
SHAP: Variable[ShapMethod] = Variable(
    "SAGETREE_CONTRIBUTIONS",
    one_of(get_args(ShapMethod)),
    f"one of {', '.join(get_args(ShapMethod))}",
    "sagetree",
    "what computes contributions; the values are equal, and xgboost takes longer",
)
ROUNDS: Variable[Rounds] = Variable(
    "SAGETREE_ROUNDS",
    one_of(get_args(Rounds)),
    f"one of {', '.join(get_args(Rounds))}",
    "best",
    "which rounds of a plain XGBoost model predict: those up to the best one of its early "
    "stopping, or all",
)
LOG_FORMAT = Variable(
    "SAGETREE_LOG_FORMAT",
    one_of(LOG_FORMATS),
    f"one of {', '.join(LOG_FORMATS)}",
    "text",
    "format of the log's lines",
)
EMF = Variable(
    "SAGETREE_EMF_SECONDS",
    whole_number(0, 3600),
    "seconds up to 3600 (0: never)",
    f"{EMF_SECONDS} on SageMaker, else 0",
    "how often the log has a line from which CloudWatch makes metrics",
)
PAGE = Variable(
    "SAGETREE_PAGE",
    _truth,
    "true or false",
    "false on SageMaker, else true",
    "answer GET / with a page to try the model",
)

VARIABLES: tuple[Variable[object], ...] = (
    PORT, WORKERS, TIMEOUT, ACCEPT, OUTPUT, DECISION, BATCH, STRATEGY, TRANSFORMS, PAYLOAD,
    CONTENT_LENGTH, KEEPALIVE, THREADS, ENSEMBLE, MULTI_MODEL, MODEL_MEMORY, PROGRAM,
    SUBMIT_DIRECTORY, SHAP, ROUNDS, LOG_FORMAT, EMF, PAGE,
)  # fmt: skip


def variables_help() -> str:
    """Return the table of all variables for `serve --help`."""
    rows = [f"  {BASE_DIR_VARIABLE} (/opt/ml)\n      folder that holds model/"]
    rows += [f"  {v.name} ({v.default})\n      {v.help}: {v.allowed}" for v in VARIABLES]
    return "\n".join(rows)
