"""`sagetree serve`: the command line around the server."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from sagetree.desk.contract_folder import refuse_base_dir
from sagetree.desk.next_steps import next_steps
from sagetree.desk.options import add_model, command_parser, parse_options
from sagetree.errors import SagetreeError, SettingsError
from sagetree.machine.program import LOG, Terminated, start_logging
from sagetree.serve import server
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.log_lines import set_log_format
from sagetree.serve.variables import MULTI_MODEL, PORT, PORT_OPTION, variables_help

FAILED = 1

# SageMaker calls from outside the container.
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104

DESCRIPTION = """\
Answer HTTP requests with a model.

With MODEL it serves a model of your own: a folder that sagetree train wrote to,
a folder with a model's files, or a model.tar.gz:

  sagetree serve sagetree-out

Without MODEL it serves /opt/ml/model, as SageMaker does; SAGEMAKER_BASE_DIR
names another folder than /opt/ml:

  SAGEMAKER_BASE_DIR=folder sagetree serve

It answers

  GET  /ping                   200 when the model has passed its self-check, else 503 and why
  POST /invocations            rows as text/csv or application/json in, scores out
  GET  /execution-parameters   what a batch transform job may send

and for people and other tools:

  GET  /                       a page to try the model
  GET  /schema, /metadata, /openapi.json, /metrics
"""


def main(argv: Sequence[str]) -> int:
    """Run the server until SIGTERM or SIGINT; return the exit code."""
    arguments = parse_options(_parser(), argv)
    start_logging()
    try:
        if arguments.model is None:
            return _run(arguments)
        # what opens archives is needed for them alone
        from sagetree.desk.model_folder import model_folder

        refuse_base_dir(os.environ, "MODEL")
        with model_folder(arguments.model) as folder:
            return _run(arguments, folder)
    except Terminated as end:
        LOG.error("%s", end)
        return FAILED
    except SagetreeError as error:
        LOG.error("sagetree serve cannot start: %s", error)
        return FAILED


def _run(arguments: argparse.Namespace, model_dir: Path | None = None) -> int:
    settings = ServeSettings.read(
        os.environ,
        host=arguments.host,
        port=arguments.port,
        reload=arguments.reload,
        model_dir=model_dir,
    )
    set_log_format(settings.log_format)
    if model_dir is not None:
        _tell(settings, arguments.model)
    return server.run(settings)


def _tell(settings: ServeSettings, model: Path) -> None:
    """Log which model is served and how to ask it. Raises SettingsError where it is not asked."""
    if settings.multi_model:
        raise SettingsError(
            f"the models come from requests to /models, and the command names {model}",
            where=MULTI_MODEL.name,
            hint="Unset it, or leave out MODEL",
        )
    host = "127.0.0.1" if settings.host in EVERY_ADDRESS else settings.host
    url = f"http://{host}:{settings.port or 'PORT'}/invocations"
    ask = ["curl", "-s", url, "-H", "Content-Type: text/csv", "--data-binary", "@rows.csv"]
    LOG.info(next_steps({"model": model}, ("ask it", ask)))


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "sagetree serve",
        DESCRIPTION,
        f"environment variables (and their defaults):\n{variables_help()}",
    )
    add_model(parser)
    parser.add_argument("--host", default=EVERY_ADDRESS[0], help="address to listen on (0.0.0.0)")
    parser.add_argument(PORT_OPTION, help=f"port to listen on (${PORT.name}, else {PORT.default})")
    parser.add_argument(
        "--reload",
        action="store_true",
        help="for development: reload when the code or the model changes",
    )
    return parser
