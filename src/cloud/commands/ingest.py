"""`sagetree cloud ingest`: tables into their feature groups."""

from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from sagetree.cloud.account.calls import Account
from sagetree.cloud.account.members import SIBLINGS, find_member, output_of_sibling
from sagetree.cloud.account.refusals import refusals
from sagetree.cloud.account.stack import existing_stack, output_of
from sagetree.cloud.account.typed import line_of, words_of
from sagetree.cloud.store.groups import FeatureGroup, StorePlace, group_name
from sagetree.cloud.store.ingest import (
    RUNTIME,
    as_counts,
    check_first,
    ready_group,
    wanted_group,
    writer,
)
from sagetree.cloud.store.sources import fetch, is_remote, server_of, table_of
from sagetree.cloud.store.tables import SourceTable, open_table
from sagetree.cloud.store.writing import WrittenRows
from sagetree.errors import UserError, quote

# The stack beside the core in which groups are made.
FEATURES = "features"


class IngestOptions(NamedTuple):
    """What a person says about all tables; "" and 1 where he says nothing."""

    secret: str = ""
    event_time: str = ""
    first: int = 1


def ingest_as_asked(account: Account, options: Namespace) -> int:
    """Write the tables that a person names, as she asks for it by the command's options."""
    given = IngestOptions(options.secret, options.event_time, options.first)
    return ingest(account, sources_of(options.sources), given)


def ingest(account: Account, sources: Mapping[str, str], given: IngestOptions) -> int:
    """Write tables into their groups; return 1 if a row of one could not be written."""
    if given.first > 1 and len(sources) > 1:
        raise UserError("--from is a row of one table", hint="Name that table alone")
    _check_secret(sources, given)
    for table in sources:
        group_name(account.stack, table)
    if account.dry_run:
        return _say_calls(account, sources, given)
    place, beside = _place(account)
    id_field = beside["IdField"]
    failed = [
        table
        for table, source in sources.items()
        if _ingest(account, place, id_field, table, source, given)
    ]
    known = existing_stack(account).parameters.get("OnlineTables", "")
    if (online := _with(known, sources)) != known:
        account.say(
            f"To look claims up in them:  sagetree cloud launch {account.options} --image "
            f"{beside['ImageUri']} --parameter OnlineTables={online}"
        )
    return 1 if failed else 0


def _check_secret(sources: Mapping[str, str], given: IngestOptions) -> None:
    """Raise UserError where a server's token would go to another one, or to none."""
    servers = sorted({server for source in sources.values() if (server := server_of(source))})
    if given.secret and not servers:
        raise UserError(
            "--secret is the token of a server, and no table comes from a server",
            hint="Leave it out, or name the table by its address: https://...",
        )
    if given.secret and len(servers) > 1:
        raise UserError(
            f"--secret is the token of one server, and the tables come from {', '.join(servers)}",
            hint="Ingest the tables of each server by themselves",
        )


def sources_of(arguments: Sequence[str]) -> dict[str, str]:
    """Return the source of each argument: TABLE=SOURCE, or one whose name is the table's."""
    sources: dict[str, str] = {}
    for argument in arguments:
        name, equals, source = argument.partition("=")
        if not equals or "/" in name:  # an address may have = in it
            name, source = table_of(argument), argument
        if not source:
            raise UserError(
                f"{quote(argument)} does not name a source",
                hint="Name a file, a folder or an address",
            )
        if name in sources:
            raise UserError(
                f"the table {quote(name)} is named twice",
                hint="Put its files into one folder, and name that",
            )
        sources[name] = source
    return sources


def _with(known: str, tables: Iterable[str]) -> str:
    """Return a list with commas with more tables, each once.

    >>> _with("customers,claims", ["claims", "cars"]), _with("", ["cars"])
    ('customers,claims,cars', 'cars')
    """
    return ",".join(dict.fromkeys([*filter(None, known.split(",")), *tables]))


class _Clients(Mapping[str, Any]):
    """The person's clients, by their services."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def __getitem__(self, service: str) -> Any:  # noqa: ANN401
        return self._account.client(service)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _place(account: Account) -> tuple[StorePlace, Mapping[str, str]]:
    """Return where groups are made, and the parameters of the stack that is there for it."""
    role, database = (
        output_of_sibling(account, FEATURES, name) for name in ("StoreRoleArn", "DatabaseName")
    )
    stack = find_member(account, SIBLINGS[FEATURES])
    parameters = stack.parameters if stack else {}
    bucket = output_of(account, "BucketName")
    place = StorePlace(account.stack, bucket, role, database, parameters.get("KmsKeyArn", ""))
    return place, parameters


def _ingest(
    account: Account, place: StorePlace, id_field: str, name: str, source: str, given: IngestOptions
) -> bool:
    """Write one table; return whether a row of it could not be written."""
    clients = _Clients(account)
    failures = Path(f"{name}-failures-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.jsonl")
    with TemporaryDirectory(prefix="sagetree-ingest-") as folder:
        if is_remote(source):
            _say_fetch(account, source, given.secret)
        with refusals("s3", "GetObject"):
            path = fetch(clients, source, given.secret, Path(folder))
        with open_table(name, path, id_field) as table:
            check_first(table, given.first)
            wanted = wanted_group(table, account.stack, id_field, given.event_time)
            group = _group(account, clients, place, table, wanted)
            account.type_out(RUNTIME, "put-record", *_record_words(group.name))
            account.say(f"  and so on for each of {table.rows} rows")
            done = writer(clients, group, table, failures).write(given.first)
    _say(account, group.name, done, failures)
    return bool(done.failed)


def _group(
    account: Account,
    clients: Mapping[str, Any],
    place: StorePlace,
    table: SourceTable,
    wanted: FeatureGroup,
) -> FeatureGroup:
    with refusals("sagemaker", "CreateFeatureGroup"):
        if FeatureGroup.of(clients, wanted.name) is None:
            request = wanted.request(place, table.name)
            account.type_out(*words_of("sagemaker", "create_feature_group", request))
        return ready_group(clients, place, table, wanted, account.pause)


def _say(account: Account, group: str, done: WrittenRows, failures: Path) -> None:
    """Say what became of the rows. Raises UserError where something ended the work."""
    counts = ", ".join(f"{count} {kind}" for kind, count in as_counts(done).items())
    account.say(f"{group}: {counts}")
    if done.failed:
        account.say(f"  the reasons, row by row: {failures}")
    if done.stopped is not None:
        account.say(f"  to go on, once the cause below is corrected: --from {done.following}")
        with refusals(RUNTIME, "PutRecord"):
            raise done.stopped


def _say_calls(account: Account, sources: Mapping[str, str], given: IngestOptions) -> int:
    """Say the calls that would be made; a table's columns are not read."""
    role = output_of_sibling(account, FEATURES, "StoreRoleArn")
    for table, source in sources.items():
        if is_remote(source):
            _say_fetch(account, source, given.secret)
        group = group_name(account.stack, table)
        words = ("create-feature-group", "--feature-group-name", group, "--role-arn", role)
        account.type_out("sagemaker", *words, "--cli-input-json", f"file://{table}-group.json")
        account.type_out(RUNTIME, "put-record", *_record_words(group))
        account.say("  and so on for each row")
    return 0


def _say_fetch(account: Account, source: str, secret: str) -> None:
    if source.startswith("s3://"):
        account.type_out("s3", "cp", source, ".")
        return
    header = ""
    if secret:
        words = ("secretsmanager", "get-secret-value", "--secret-id", secret)
        account.type_variable("TOKEN", *words, query="SecretString")
        header = '-H "Authorization: Bearer $TOKEN" '
    account.say(f"+ curl -LO {header}{line_of([source])}")


def _record_words(group: str) -> Sequence[str]:
    return ("--feature-group-name", group, "--record", "file://record.json")
