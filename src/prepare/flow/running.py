"""Flows to the tables they are for: read and checked whole, then run on what was loaded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sagetree.errors import DataError, SettingsError, quote
from sagetree.machine.program import LOG
from sagetree.prepare.csv_blocks import check_names
from sagetree.prepare.database import Database
from sagetree.prepare.flow.casts import SQL_TYPES, kind_of
from sagetree.prepare.flow.document import Chain, Node, read_chains, shown, source_table
from sagetree.prepare.flow.operators import UnknownError, check_source, read_step, with_named_later
from sagetree.prepare.flow.relation import NUMBER, Note, Relation, StepError
from sagetree.prepare.flow.steps import FlowStep
from sagetree.prepare.inputs import find_name, listing
from sagetree.prepare.loading import RawTable


@dataclass(frozen=True)
class TableFlow:
    """The steps for one table; `operators` are what the flow calls them, `file` its name."""

    table: str
    steps: Sequence[FlowStep]
    operators: Sequence[str]
    file: str


def read_flows(paths: Sequence[Path]) -> Sequence[TableFlow]:
    """Return what the flows say, before any table is read.

    Raises SettingsError for what is not a flow, two for one table, and all
    together for the steps that are not known here.
    """
    flows: dict[str, TableFlow] = {}
    unknown: list[str] = []
    for path in paths:
        for chain in read_chains(path):
            flow = _table_flow(chain, path.name, unknown)
            if other := find_name(flows, flow.table):
                raise SettingsError(
                    f"{flows[other].file} and {path.name} are both for the table "
                    f"{shown(flow.table)}",
                    where="--flow",
                    hint="Leave one of them",
                )
            flows[flow.table] = flow
    if unknown:
        raise SettingsError(
            f"steps that are not supported: {'; '.join(dict.fromkeys(unknown))}",
            where="--flow",
            hint=(
                "Leave them out of the flow, and do the same with a query (--sql); "
                "docs/guide/flows.md lists what is supported"
            ),
        )
    return [*flows.values()]


def _table_flow(chain: Chain, file: str, unknown: list[str]) -> TableFlow:
    """Return the known steps of a chain; what is not known of it goes into `unknown`."""
    steps: list[FlowStep] = []
    for place, node in enumerate((chain.source, *chain.steps), 1):
        try:
            if node is chain.source:
                check_source(node)
            else:
                steps.append(read_step(node))
        except UnknownError as error:
            unknown.append(f"{file}, step {place}: {_called(node, error)}")
    operators = [node.operator for node in chain.steps]
    return TableFlow(source_table(chain.source), with_named_later(steps), operators, file)


def _called(node: Node, error: UnknownError) -> str:
    words = [str(node.parameters["operator"])] if "operator" in node.parameters else []
    words += [str(error)] if str(error) not in ("", *words) else []
    return f"{node.operator} ({', '.join(words)})" if words else node.operator


def run_flows(
    db: Database, tables: Sequence[RawTable], flows: Sequence[TableFlow]
) -> Sequence[RawTable]:
    """Return the tables, those that flows are for as the flows make them.

    Raises SettingsError for a flow whose table is not there, DataError for
    one that it is not made for.
    """
    made: dict[str, TableFlow] = {}
    for flow in flows:
        name = find_name([table.name for table in tables], flow.table)
        if name is None:
            raise SettingsError(
                f"{flow.file} is for the table {shown(flow.table)}, and the tables are "
                f"{listing(table.name for table in tables)}",
                where="--flow",
                hint="Give the table the name of the flow's source, or leave the flow out",
            )
        made[name] = flow
    return [_run(db, raw, made[raw.name]) if raw.name in made else raw for raw in tables]


def _run(db: Database, raw: RawTable, flow: TableFlow) -> RawTable:
    if raw.written:
        raise SettingsError(
            f"{flow.file} is for the table {raw.name}, which is a feature group's offline store",
            where="--flow",
            hint="Leave the flow out if the store holds what it made, or use the raw table",
        )
    relation = _taken(_relation(db, raw), raw, flow)
    columns = [column for column in relation.kinds if column not in relation.times]
    check_names(tuple(columns), f"table {raw.name}, after {flow.file}")
    db.run(f"CREATE TABLE made.flow AS {relation.sql} ORDER BY {NUMBER}")
    _tell(db, raw, flow, relation.notes)
    cells = ", ".join(RawTable.cell(column) for column in columns)
    db.run(f"CREATE OR REPLACE TABLE {raw.sql} AS SELECT {cells} FROM made.flow ORDER BY {NUMBER}")
    db.run("DROP TABLE made.flow")
    LOG.info(
        "%s: %d steps of %s, %d columns to %d\n",
        raw.name, len(flow.steps), flow.file, len(raw.columns), len(columns),
    )  # fmt: skip
    kinds = zip(columns, db.columns(raw.sql).values(), strict=True)
    return replace(raw, columns=dict(kinds), is_csv=False)


def _taken(relation: Relation, raw: RawTable, flow: TableFlow) -> Relation:
    """Return what the steps make of a table. Raises DataError for one that cannot be taken."""
    for place, (step, operator) in enumerate(zip(flow.steps, flow.operators, strict=True), 2):
        try:
            relation = step.apply(replace(relation, step=place))
        except StepError as error:
            raise DataError(
                error.reason,
                where=f"table {raw.name}, {flow.file}, step {place} ({operator})",
                hint=error.hint,
            ) from error
    return relation


def _relation(db: Database, raw: RawTable) -> Relation:
    cells = [f"rowid AS {NUMBER}"]
    kinds = {column: kind_of(sql_type) for column, sql_type in raw.columns.items()}
    for column, kind in kinds.items():
        cell = raw.cell(column)
        made = cell if kind == "object" else f"CAST({cell} AS {SQL_TYPES[kind]})"
        cells.append(f"{made} AS {cell}")
    return Relation(f"SELECT {', '.join(cells)} FROM {raw.sql}", kinds, db.rows)


def _tell(db: Database, raw: RawTable, flow: TableFlow, notes: Sequence[Note]) -> None:
    """Log what steps could not keep. Raises DataError for what they must not meet."""
    if not notes:
        return
    counts = ", ".join(f"count({note.sql}), min({note.sql})" for note in notes)
    found = db.row(f"SELECT {counts} FROM made.flow")
    for note, count, example in zip(notes, found[::2], found[1::2], strict=True):
        where = f"{flow.file}, step {note.step} ({flow.operators[note.step - 2]})"
        if count and note.is_fatal:
            place, value = db.row(
                f"SELECT {NUMBER}, {note.sql} FROM made.flow WHERE {note.sql} IS NOT NULL "
                f"ORDER BY 1 LIMIT 1"
            )
            more = f", as in {count - 1} other rows" if count > 1 else ""
            raise DataError(
                f"{quote(value)} is not a known category to {where}{more}",
                where=f"{raw.locate(place)}, column {quote(note.column)}",
                hint=note.text,
            )
        if count:
            LOG.warning(
                "Warning: %s, column %s: in %d of %d rows, such as %s, %s",
                where, quote(note.column), count, raw.rows, quote(example), note.text,
            )  # fmt: skip
