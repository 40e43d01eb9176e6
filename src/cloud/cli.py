"""The command line of `cloud`."""

import re
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

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
  sagetree cloud launch --image 111122223333.dkr.ecr.us-east-1.amazonaws.com/sagetree:0.1.0-amd64
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

_LAUNCH = """\
Create the stack from this version's template, and wait until it is complete (a few
minutes). The stack has roles of its own, which your credentials must be allowed to make.
If one part cannot be made, everything is rolled back, and the message names the first
failure. --with makes optional stacks beside it, such as queue for claims that may wait. A
stack that is there is updated, and so are those beside it: they get the image, the
parameters that are named, and this version's templates. cloud/README.md describes the
parameters.
"""

_UPLOAD = """\
Copy tables (CSV with a header, or Parquet) into the stack's bucket, where the pipeline
reads them. A table is a file, or a folder whose files are parts of it. It is called as the
file or folder is, unless you name it:

  sagetree cloud upload claims.csv customers.csv
  sagetree cloud upload claims=2026/claims_january.parquet customers=people/
"""

_RUN = """\
Start the pipeline (prepare, train, evaluate, register) and follow it to its end, about ten
minutes. A model below MinimumAuc is registered as rejected, and the run fails and says its
AUC. Ctrl-C stops following the run, and the run goes on.
"""

_STATUS = """\
Show the state of the stack, how the last runs ended, the models with their metrics and
approvals, what the endpoint serves (and what it should serve, if that differs), each
alarm, the address to send claims to, and what costs money.
"""

_APPROVE = """\
Show the metrics of a registered model and approve it; the stack then deploys it. A model
that was rejected cannot be approved by this command.
"""

_DELETE = """\
Delete the stacks beside it, then the stack with the endpoint, the models and the data in
the bucket, unless it was launched with KeepData=yes. It asks first. The records and logs of
jobs stay, and so does the image in ECR (`build_and_push.sh --delete` removes that).
"""

_LEFTOVERS = """\
List everything that has the stack's name and is not part of the stack, with the command
that removes it. What the deletion of the stack will remove is marked so. The exit code is
1 if anything else is left.
"""

_BATCH = """\
Score files (.csv, .jsonl or .parquet, all of one kind) by a batch transform job of the
deployed model, and wait for it. INPUT is a file or a folder here, which is sent in parts
of 24 MB, or an address in S3; OUTPUT is a folder here or an address in S3. Each file
becomes one with the ending .out, that has a line with the score for each row; in S3 each
part does.
"""

_DRIFT = """\
Have a job compare what was scored in the last days with the rows that the deployed model
was trained on, and, where it is known what became of claims, its figures with those of
then. Wait for the job, and say what it found. The exit code is 1 if it found something. It
needs the stack that `launch --with watch` makes.
"""

_REDRIVE = """\
Claims that were sent by POST /claims or straight into the queue, and that the model
refused or could not be asked about for an hour, are dead letters for 14 days. Say why the
first of them were refused, and put all of them into the queue again. The queue is made by
`launch --with queue`.
"""

_INGEST = """\
Write tables into feature groups, made where there are none: by the stack's IdField, with
the column event_time or the time of now. A table is a file or folder here (CSV, Parquet,
JSON Lines), or an address in S3 or of a server. Rows that are not taken go into a file with
the reasons, and the exit code is 1. It needs the stack NAME-features.
"""

_ERASE = """\
Remove what the stack keeps of one policy: its records in online stores, and its rows in
tables, offline stores, the pipeline's prepared rows, scored claims, outcomes, and files that
were scored, in all versions of the objects. Say what there is, and ask first. Each object is
written anew without the rows before its old version goes. The exit code is 1 if something
must be looked into by hand.
"""

_CHECK = """\
Compare the account with what the template promises, by calls that only read: the bucket's
encryption, public access and TLS, how long logs are kept, the roles, the functions' image,
the API's authorization, whether the endpoint serves the approved model, the alarms, and
the drift of each resource. The exit code is 1 if a promise does not hold.
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
    parser = command_parser("sagetree cloud", DESCRIPTION, EXAMPLES)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_launch(commands)
    _add_upload(commands)
    _add_run(commands)
    _add(commands, "status", "show the state of all of it", _STATUS, lambda a, _: status(a))
    _add_approve(commands)
    _add_traffic(commands)
    _add_erase(commands)
    _add_delete(commands)
    _add(
        commands,
        "leftovers",
        "list what deleting the stack has left",
        _LEFTOVERS,
        lambda a, _: leftovers(a),
    )
    _add_ingest(commands)
    _add_batch(commands)
    _add_drift(commands)
    _add(commands, "check", "compare the account with the template", _CHECK, lambda a, _: check(a))
    _add(commands, "redrive", "score the dead letters again", _REDRIVE, lambda a, _: redrive(a))
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
        siblings = siblings_of(options.with_siblings)
        return launch(account, TEMPLATES, options.image, pairs_of(options.parameter), siblings)

    parser = _add(commands, "launch", "make the stack, or update it", _LAUNCH, work)
    parser.add_argument(
        "--image",
        required=True,
        metavar="URI",
        help="the image in this account's ECR, which build_and_push.sh printed",
    )
    parser.add_argument(
        "--with",
        dest="with_siblings",
        default="",
        metavar="NAMES",
        help=f"stacks beside it, with commas between: {', '.join(SIBLINGS)} (default: none)",
    )
    add_parameters(
        parser, "a parameter of a template, such as MinimumAuc=0.8 or AlertEmail=me@example.com"
    )


def _add_upload(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        return upload(account, tables_of(options.tables))

    parser = _add(commands, "upload", "copy tables into the bucket", _UPLOAD, work)
    parser.add_argument("tables", nargs="+", metavar="[TABLE=]PATH", help="a file or a folder")


def _add_run(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        return run(account, pairs_of(options.parameter))

    parser = _add(commands, "run", "run the pipeline and follow it", _RUN, work)
    add_parameters(
        parser, "a parameter of the pipeline, such as MinimumAuc=0.8 or ApprovalStatus=Approved"
    )


def _add_approve(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        return approve(account, options.version)

    parser = _add(commands, "approve", "let a registered model be served", _APPROVE, work)
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
    back = "go back to the model that was served before"
    _add(commands, "rollback", back, traffic.ROLLBACK, lambda account, _: traffic.rollback(account))


def _add_batch(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        return batch(account, options.input, options.output, options.instance_type)

    parser = _add(commands, "batch", "score files by a batch transform job", _BATCH, work)
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

    parser = _add(commands, "ingest", "write tables into feature groups", _INGEST, work)
    parser.add_argument("sources", nargs="+", metavar="[TABLE=]SOURCE", help="a table")
    parser.add_argument("--secret", default="", metavar="ARN", help="the secret with a token")
    parser.add_argument("--event-time", default="", metavar="COLUMN", help="with event times")
    parser.add_argument(
        "--from", dest="first", type=count_type, default=1, metavar="ROW", help="where to go on"
    )


def _add_drift(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        return drift(account, options.days)

    parser = _add(commands, "drift", "look for drift in what was scored", _DRIFT, work)
    parser.add_argument(
        "--days", type=count_type, metavar="N", help="how far to look back (default: DriftDays)"
    )


def _add_erase(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        return erase(account, options.key, options.yes)

    parser = _add(commands, "erase", "remove what is kept of one policy", _ERASE, work)
    parser.add_argument("key", metavar="KEY", help="the policy, by the value of IdField")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _add_delete(commands: "Commands") -> None:
    def work(account: Account, options: Namespace) -> int:
        return delete(account, options.yes)

    parser = _add(commands, "delete", "remove the stack and what it made", _DELETE, work)
    parser.add_argument("--yes", action="store_true", help="do not ask")
