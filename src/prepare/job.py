"""The walk of a processing job: raw tables to train, validation and test."""

from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG
from sagetree.prepare.database import open_database
from sagetree.prepare.inputs import find_tables
from sagetree.prepare.joining import JOINED, count_unmatched, join
from sagetree.prepare.kinds import key_cells
from sagetree.prepare.loading import load_table
from sagetree.prepare.outputs import Output, write_parts
from sagetree.prepare.query import read_query
from sagetree.prepare.records import RecordColumns, keep_latest
from sagetree.prepare.report import keys_report, parts_report, tables_report
from sagetree.prepare.settings import PrepareSettings
from sagetree.prepare.splitting import count_parts, read_label, split_by_key


def run(opt_ml: OptMl, settings: PrepareSettings) -> int:
    """Join and split the tables below processing/input and return 0.

    Raises UserError for what the user gave. The parts' files appear when all
    of them are written.
    """
    output = Output(opt_ml.processing / "output", settings.format)
    with open_database(settings.memory_limit) as db:
        query = read_query(db, settings.sql)
        files = find_tables(opt_ml.processing / "input", query)
        tables = [load_table(db, table) for table in files]
        db.confine(output.folders)
        keys = key_cells(db, tables, settings.key)
        columns = RecordColumns(settings.key, settings.event_time, settings.deleted)
        cleaned = [keep_latest(db, raw, keys[raw.name], columns) for raw in tables]
        LOG.info("%s\n", tables_report(cleaned))
        unmatched = count_unmatched(db, cleaned)
        key = join(db, query, settings.key)
        LOG.info("%s\n", keys_report(unmatched, db.count(JOINED)))
        label = read_label(db, settings.label, settings.positive_label)
        split = split_by_key(db, key, label, settings.shares, settings.seed)
        parts = count_parts(db, split, label)
        write_parts(db, split, [label.column, key], [], output)
    LOG.info(parts_report(parts, label))
    return 0
