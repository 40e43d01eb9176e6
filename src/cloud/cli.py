"""The command line of `cloud`."""

import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from sagetree.cloud.account.calls import Account, open_session
from sagetree.cloud.account.template import read_template
from sagetree.cloud.commands.approve import approve
from sagetree.cloud.commands.check import check
from sagetree.cloud.commands.delete import delete
from sagetree.cloud.commands.launch import launch
from sagetree.cloud.commands.leftovers import leftovers
from sagetree.cloud.commands.run import run
from sagetree.cloud.commands.status import status
from sagetree.cloud.commands.upload import tables_of, upload
from sagetree.errors import UserError, quote
from sagetree.machine.program import describe, ended, fail, start_logging

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    Commands = _SubParsersAction[ArgumentParser]

DESCRIPTION = """\
Launch, use and remove the solution on AWS: a bucket for tables, a pipeline that trains
and judges a model, a registry where a person approves it, an endpoint and an API that
score. Each command prints what it calls as the AWS CLI has it, behind a +, so that it
can be typed; with --dry-run it prints that and calls nothing.
"""

EXAMPLES = """\
in the order of use:
  sagetree cloud launch --image 111122223333.dkr.ecr.us-east-1.amazonaws.com/sagetree:0.1.0-amd64
  sagetree cloud upload claims.csv customers.csv
  sagetree cloud run
  sagetree cloud approve
  sagetree cloud status
  sagetree cloud check
  sagetree cloud delete
  sagetree cloud leftovers

`sagetree cloud COMMAND --help` says what each one does.
"""

# What CloudFormation takes; one that cannot work may still be deleted.
_STACK = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{0,127}")

_LAUNCH = """\
Create the stack from the template of this version of sagetree, and wait until it stands
(some minutes). Roles are made: your own must be allowed to. If a part cannot be made,
all of it is taken back, and the first failure is the message.
"""

_UPLOAD = """\
Copy tables into the stack's bucket, from where the pipeline reads them. Each is a file, or
a folder of files that are one table; its name is the table's, or say which table it is:

  sagetree cloud upload claims.csv customers.csv
  sagetree cloud upload claims=2026/claims_january.parquet customers=people/
"""

_RUN = """\
Start the pipeline (prepare, train, evaluate, register) and follow it to its end, some ten
minutes. A model below the minimum AUC is registered as rejected, and the run fails with
the figure. Ctrl-C ends the following, not the run.
"""

_STATUS = """\
Say how the stack is, how the last runs ended, which models there are with their figures
and approvals, what the endpoint serves and what it was to serve, the state of each alarm,
and what is paid for.
"""

_APPROVE = """\
Say the figures of a registered model and approve it: it is then deployed by itself. A
model that was rejected is not approved here.
"""

_DELETE = """\
Delete the stack with the endpoint, the models and the data in the bucket, unless it was
launched with KeepData=yes. Asks first. Job records, the logs of jobs and the image in ECR
stay (`build_and_push.sh --delete` removes the image).
"""

_LEFTOVERS = """\
List what bears the stack's name and is not in the stack, with the command that removes
each. Exit code 1 if deleting the stack leaves something, or has left something.
"""

_CHECK = """\
Compare the account with what the template promised, by calls that read only: encryption,
public access and TLS of the bucket, retention of logs, roles, images of the functions, the
API's authorization, whether the endpoint serves the approved model, alarms, and drift of
any part. Exit code 1 if a promise does not hold.
"""


def main(argv: Sequence[str]) -> int:
    """Run a command and return the exit code."""
    options = _parser().parse_args(argv)
    start_logging()
    return ended(lambda: _run(options), _failed)


def _run(options: Namespace) -> int:
    if not _STACK.fullmatch(options.stack):
        raise UserError(
            f"--stack is {quote(options.stack)}",
            hint="Use letters, digits and hyphens, a letter first",
        )
    session = None if options.dry_run else open_session(options.region, options.profile)
    chosen = [
        word
        for name in ("region", "profile")
        if getattr(options, name)
        for word in (f"--{name}", getattr(options, name))
    ]
    work: Callable[[Account, Namespace], int] = options.work
    return work(Account(options.stack, session, tuple(chosen)), options)


def _failed(error: BaseException) -> int:
    if isinstance(error, KeyboardInterrupt):
        return fail("Interrupted. What was begun in AWS goes on: see 'sagetree cloud status'", None)
    return fail(describe(error), None)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="sagetree cloud",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_launch(commands)
    _add_upload(commands)
    _add_run(commands)
    _add(commands, "status", "say how all of it is", _STATUS, lambda a, _: status(a))
    _add_approve(commands)
    _add_delete(commands)
    _add(
        commands,
        "leftovers",
        "list what a deleted stack left",
        _LEFTOVERS,
        lambda a, _: leftovers(a),
    )
    _add(commands, "check", "compare the account with the template", _CHECK, lambda a, _: check(a))
    return parser


def _add(
    commands: "Commands",
    name: str,
    summary: str,
    description: str,
    work: Callable[[Account, Namespace], int],
) -> ArgumentParser:
    """Add a command with the options that all of them have."""
    parser: ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=description,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--stack", default="sagetree", metavar="NAME", help="(default: sagetree)")
    parser.add_argument("--region", metavar="REGION", help="(default: the AWS CLI's)")
    parser.add_argument("--profile", metavar="PROFILE", help="of the AWS CLI")
    parser.add_argument(
        "--dry-run", action="store_true", help="print what would be called, and call nothing"
    )
    parser.set_defaults(work=work)
    return parser


def _add_launch(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        return launch(account, read_template(), options.image, _pairs(options.parameter))

    parser = _add(commands, "launch", "make the stack", _LAUNCH, work)
    parser.add_argument(
        "--image",
        required=True,
        metavar="URI",
        help="the image in this account's ECR, which build_and_push.sh printed",
    )
    _add_parameters(parser, "of the template, such as MinimumAuc=0.8 or AlertEmail=me@example.com")


def _add_upload(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        return upload(account, tables_of(options.tables))

    parser = _add(commands, "upload", "copy tables into the bucket", _UPLOAD, work)
    parser.add_argument("tables", nargs="+", metavar="[TABLE=]PATH", help="a file or a folder")


def _add_run(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        return run(account, _pairs(options.parameter))

    parser = _add(commands, "run", "run the pipeline and follow it", _RUN, work)
    _add_parameters(parser, "of the pipeline, such as MinimumAuc=0.8 or ApprovalStatus=Approved")


def _add_approve(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        return approve(account, options.version)

    parser = _add(commands, "approve", "let a registered model be served", _APPROVE, work)
    parser.add_argument(
        "version", nargs="?", type=_version, help="of the model (default: the latest)"
    )


def _add_delete(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        return delete(account, options.yes)

    parser = _add(commands, "delete", "remove the stack and what it made", _DELETE, work)
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _add_parameters(parser: ArgumentParser, of_what: str) -> None:
    parser.add_argument(
        "--parameter", action="append", default=[], metavar="NAME=VALUE", help=of_what
    )


def _pairs(arguments: Sequence[str]) -> Mapping[str, str]:
    pairs: dict[str, str] = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals or not name:
            raise UserError(
                f"--parameter is {quote(argument)}", hint="Write --parameter NAME=VALUE"
            )
        if name in pairs:
            raise UserError(f"--parameter {name} is given twice", hint="Give it once")
        pairs[name] = value
    return pairs


def _version(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)
