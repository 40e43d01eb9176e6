"""`sagetree serve`: the command line around the server."""

import argparse
import os
from collections.abc import Sequence

from sagetree.errors import SagetreeError
from sagetree.machine.program import LOG, Terminated, start_logging
from sagetree.serve import server
from sagetree.serve.settings import ServeSettings
from sagetree.serve.telemetry.log_lines import set_log_format
from sagetree.serve.variables import PORT, PORT_OPTION, variables_help

FAILED = 1

DESCRIPTION = """\
Answer HTTP requests with the model in /opt/ml/model, as SageMaker asks:

  GET  /ping                   200 when the model has passed its self-check, else 503 and why
  POST /invocations            rows as text/csv or application/json in, scores out
  GET  /execution-parameters   what a batch transform job may send

and, for people and tools elsewhere:

  GET  /                       a page to try the model
  GET  /schema, /metadata, /openapi.json, /metrics
"""


def main(argv: Sequence[str]) -> int:
    """Run the server until SIGTERM or SIGINT; return the exit code."""
    arguments = _parser().parse_args(argv)
    start_logging()
    try:
        settings = ServeSettings.read(
            os.environ, host=arguments.host, port=arguments.port, reload=arguments.reload
        )
        set_log_format(settings.log_format)
        return server.run(settings)
    except Terminated as end:
        LOG.error("%s", end)
        return FAILED
    except SagetreeError as error:
        LOG.error("sagetree serve cannot start: %s", error)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sagetree serve",
        description=DESCRIPTION,
        epilog=f"environment variables (and what holds without them):\n{variables_help()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on (0.0.0.0)")  # noqa: S104 - SageMaker calls from outside the container
    parser.add_argument(PORT_OPTION, help=f"port to listen on (${PORT.name}, else {PORT.default})")
    parser.add_argument(
        "--reload",
        action="store_true",
        help="for development: take up changes of the code and of the model",
    )
    return parser
