"""The command line of `cloud`."""

import re
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sagetree.cloud import descriptions
from sagetree.cloud.account.calls import Account, open_session
from sagetree.cloud.account.members import SIBLINGS
from sagetree.cloud.account.template import TEMPLATES
from sagetree.cloud.arguments import add_parameters, pairs_of
from sagetree.cloud.commands import traffic
from sagetree.cloud.commands.approve import approve
from sagetree.cloud.commands.batch import batch
from sagetree.cloud.commands.check import check
from sagetree.cloud.commands.delete import delete
from sagetree.cloud.commands.drift import drift
from sagetree.cloud.commands.erase import erase
from sagetree.cloud.commands.launch import launch, siblings_of
from sagetree.cloud.commands.leftovers import leftovers
from sagetree.cloud.commands.redrive import redrive
from sagetree.cloud.commands.run import run
from sagetree.cloud.commands.status import status
from sagetree.cloud.commands.upload import tables_of, upload
from sagetree.desk.options import command_parser, count_type
from sagetree.errors import UserError, quote
from sagetree.machine.program import describe, ended, fail, start_logging

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    Commands = _SubParsersAction[ArgumentParser]

DESCRIPTION = """\
Launch, use and remove the solution on AWS: a bucket for tables, a pipeline that trains
and judges a model, a registry where a person approves it, an endpoint and an API that
score. Each command prints the calls it makes as commands of the AWS CLI, each behind a +,
so that you can type them yourself; with --dry-run it prints them and calls nothing.
"""

EXAMPLES = """\
in the order of use:
  sagetree cloud launch --image 111122223333.dkr.ecr.us-east-1.amazonaws.com/sagetree:0.2.0-amd64
  sagetree cloud upload claims.csv customers.csv
  sagetree cloud run
  sagetree cloud approve
  sagetree cloud status
  sagetree cloud ingest customers.csv
  sagetree cloud shift 10 --package 2
  sagetree cloud rollback
  sagetree cloud batch claims.csv scores
  sagetree cloud drift
  sagetree cloud check
  sagetree cloud redrive
  sagetree cloud erase 4711
  sagetree cloud delete
  sagetree cloud leftovers

`sagetree cloud COMMAND --help` says what each one does.
"""

# What CloudFormation takes; one that cannot work may still be deleted.
_STACK = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{0,127}")


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
        return fail(
            "Interrupted. What was started in AWS goes on: see 'sagetree cloud status'", None
        )
    return fail(describe(error), None)


def _parser() -> ArgumentParser:
    parser = command_parser("sagetree cloud", DESCRIPTION, EXAMPLES)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_launch(commands)
    _add_upload(commands)
    _add_run(commands)
    _add(
        commands,
        "status",
        "show the state of the whole solution",
        descriptions.STATUS,
        lambda a, _: status(a),
    )
    _add_approve(commands)
    _add_traffic(commands)
    _add_erase(commands)
    _add_delete(commands)
    _add(
        commands,
        "leftovers",
        "list what deleting the stack has left behind",
        descriptions.LEFTOVERS,
        lambda a, _: leftovers(a),
    )
    _add_ingest(commands)
    _add_batch(commands)
    _add_drift(commands)
    _add(
        commands,
        "check",
        "compare the account with the template",
        descriptions.CHECK,
        lambda a, _: check(a),
    )
    _add(
        commands,
        "redrive",
        "score the dead letters again",
        descriptions.REDRIVE,
        lambda a, _: redrive(a),
    )
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
    parser.add_argument(
        "--stack", default="sagetree", metavar="NAME", help="the stack's name (default: sagetree)"
    )
    parser.add_argument(
        "--region", metavar="REGION", help="a region of AWS (default: the AWS CLI's)"
    )
    parser.add_argument("--profile", metavar="PROFILE", help="a profile of the AWS CLI")
    parser.add_argument("--dry-run", action="store_true", help="print the calls, and make none")
    parser.set_defaults(work=work)
    return parser


def _add_launch(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        siblings = siblings_of(",".join(options.with_siblings))
        return launch(account, TEMPLATES, options.image, pairs_of(options.parameter), siblings)

    parser = _add(commands, "launch", "make the stack, or update it", descriptions.LAUNCH, work)
    parser.add_argument(
        "--image",
        required=True,
        metavar="URI",
        help="the image in this account's ECR: the URI that build_and_push.sh printed",
    )
    parser.add_argument(
        "--with",
        dest="with_siblings",
        action="append",
        default=[],
        metavar="NAMES",
        help=f"stacks beside it, with commas between: {', '.join(SIBLINGS)} (default: none)",
    )
    add_parameters(
        parser, "a parameter of a template, such as MinimumAuc=0.8 or AlertEmail=me@example.com"
    )


def _add_upload(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        return upload(account, tables_of(options.tables))

    parser = _add(commands, "upload", "copy tables into the bucket", descriptions.UPLOAD, work)
    parser.add_argument("tables", nargs="+", metavar="[TABLE=]PATH", help="a file or a folder")


def _add_run(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        return run(account, pairs_of(options.parameter))

    parser = _add(commands, "run", "run the pipeline and follow it", descriptions.RUN, work)
    add_parameters(
        parser, "a parameter of the pipeline, such as MinimumAuc=0.8 or ApprovalStatus=Approved"
    )


def _add_approve(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        return approve(account, options.version)

    parser = _add(
        commands, "approve", "approve a registered model for serving", descriptions.APPROVE, work
    )
    parser.add_argument(
        "version",
        nargs="?",
        type=count_type,
        metavar="VERSION",
        help="the model's version (default: the latest)",
    )


def _add_traffic(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        return traffic.shift(account, traffic.percent_of(options.percent), options.package)

    parser = _add(
        commands, "shift", "give a challenger a share of the requests", traffic.SHIFT, work
    )
    parser.add_argument("percent", metavar="PERCENT", help="its share, from 0 to 100")
    name = "a model's version, or its ARN"
    parser.add_argument("--package", metavar="PACKAGE", help=f"{name} (default: the challenger)")
    parser = _add(
        commands, "shadow", "send copies of requests to a model", traffic.SHADOW,
        lambda account, options: traffic.shadow(account, options.package),
    )  # fmt: skip
    parser.add_argument("package", metavar="PACKAGE", help=f"{name}, or {traffic.OFF}")
    back = "go back to the model served before"
    _add(commands, "rollback", back, traffic.ROLLBACK, lambda account, _: traffic.rollback(account))


def _add_batch(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        return batch(account, options.input, options.output, options.instance_type)

    parser = _add(
        commands, "batch", "score files by a batch transform job", descriptions.BATCH, work
    )
    parser.add_argument("input", metavar="INPUT", help="files with rows")
    parser.add_argument("output", metavar="OUTPUT", help="where the scores go")
    parser.add_argument(
        "--instance-type",
        default="ml.m5.large",
        metavar="TYPE",
        help="the job's instance (default: ml.m5.large)",
    )


def _add_ingest(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        from sagetree.cloud.commands.ingest import ingest_as_asked  # and the database

        return ingest_as_asked(account, options)

    parser = _add(commands, "ingest", "write tables into feature groups", descriptions.INGEST, work)
    parser.add_argument("sources", nargs="+", metavar="[TABLE=]SOURCE", help="a table")
    parser.add_argument("--secret", default="", metavar="ARN", help="the secret with a token")
    parser.add_argument("--event-time", default="", metavar="COLUMN", help="with event times")
    parser.add_argument(
        "--from",
        dest="first",
        type=count_type,
        default=1,
        metavar="ROW",
        help="the row to go on from",
    )


def _add_drift(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        return drift(account, options.days)

    parser = _add(commands, "drift", "check what was scored for drift", descriptions.DRIFT, work)
    parser.add_argument(
        "--days", type=count_type, metavar="N", help="how far to look back (default: DriftDays)"
    )


def _add_erase(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        return erase(account, options.key, options.yes)

    parser = _add(
        commands, "erase", "remove the data kept about one policy", descriptions.ERASE, work
    )
    parser.add_argument("key", metavar="KEY", help="the policy, by the value of IdField")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _add_delete(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        return delete(account, agreed=options.yes, logs=options.keep_logs)

    parser = _add(
        commands, "delete", "remove the stack and what it made", descriptions.DELETE, work
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--keep-logs", action="store_true", help="keep the stacks' log groups")
