"""Labels that came later: for which rows, found by what names a request or a row."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sagetree.drift.captured.records import is_capture, read_records
from sagetree.drift.captured.requests import EVENT_ID, INFERENCE_ID
from sagetree.drift.captured.rows import CapturedRows
from sagetree.errors import DataError, SettingsError, quote, quote_all
from sagetree.files.header import header_rule
from sagetree.files.reading import read_table
from sagetree.machine.program import LOG
from sagetree.tables.cells import Cell, MissingValues, category_text
from sagetree.tables.label import AnyLabel, Labels
from sagetree.tables.schema import Schema
from sagetree.tables.table import Cells, Source, Table, cell_list

Rows = NDArray[np.intp]

# In ground truth as Model Monitor takes it: the inference id, or the event id where a request
# has no other.
_EITHER = "id"


@dataclass(frozen=True)
class LateLabels:
    """A table of labels, and by its other columns' names what may name their rows."""

    label: AnyLabel
    table: Table
    keys: Mapping[str, Sequence[Cell]]
    where: str


@dataclass(frozen=True)
class JoinedLabels:
    """The rows (numbers, n) whose labels (n) or (n, 2) are known; `key` is what joined them."""

    rows: Rows
    labels: Labels
    key: str
    unmatched: int


def read_labels(path: Path, schema: Schema) -> LateLabels:
    """Read labels: a table with the label's column and one that names rows, or ground truth.

    Raises UserError where the model has no label, or the file none of the model's.
    """
    if schema.label is None:
        raise SettingsError(
            "the model does not store what its label is",
            where=f"--labels {path}",
            hint="Leave --labels out: what a foreign model predicts is unknown",
        )
    if not path.exists():
        hint = "Check its name, and the current folder"
        raise SettingsError(
            "the file or folder does not exist", where=f"--labels {path}", hint=hint
        )
    if path.is_file() and is_capture(path):
        return _ground_truth(path, schema.label)

    def tell(sentence: str) -> None:
        LOG.warning("%s: %s. If it is not, name the columns", path.name, sentence)

    table = read_table(path, header_rule(schema.label.columns, schema.is_header, tell))
    needed = schema.label.columns
    lacking = [name for name in needed if name not in table.names]
    others = [name for name in table.names if name not in needed]
    if lacking or not others:
        raise DataError(
            f"the label {quote(lacking[0])} is missing"
            if lacking
            else "no column identifies the rows",
            where=str(path),
            hint=f"Give a table with the column {quote_all(needed)} and one that names each row, "
            f"such as {INFERENCE_ID}",
        )
    return LateLabels(
        schema.label,
        _of_columns({name: table.column(name) for name in needed}, table.sources),
        {name: cell_list(table.column(name)) for name in others},
        str(path),
    )


def _ground_truth(path: Path, label: AnyLabel) -> LateLabels:
    keys: list[Cell] = []
    cells: list[Cell] = []
    for record in read_records(path):
        lines = (record.truth or "").splitlines()
        cells += lines
        keys += [record.inference_id or record.event_id] * len(lines)
    if not cells:
        hint = "Give a table, or ground truth as Model Monitor takes it"
        raise DataError("none of its records has a label", where=str(path), hint=hint)
    if len(label.columns) > 1:
        raise DataError(
            f"records of ground truth hold one value, and the label is {quote(label.name)}",
            where=str(path),
            hint="Give a table with both columns of the label, and one that names each row",
        )
    source = Source(len(cells), str(path))
    return LateLabels(
        label, _of_columns({label.columns[0]: cells}, (source,)), {_EITHER: keys}, str(path)
    )


def _of_columns(columns: Mapping[str, Cells], sources: tuple[Source, ...]) -> Table:
    rows = sum(source.rows for source in sources)
    return Table(tuple(columns), tuple(columns.values()), rows, True, sources)


def join(found: LateLabels, rows: CapturedRows, missing: MissingValues) -> JoinedLabels:
    """Return the rows whose labels are in the table.

    A request of several rows takes as many labels, in their order. Raises DataError where
    nothing joins the two, and for a label that is not one of the model's.
    """
    key, names = _key(found, rows)
    places: dict[str, list[int]] = defaultdict(list)
    first = found.table.columns[0]
    known = [_is_there(cell, missing) for cell in cell_list(first)]
    for place, cell in enumerate(found.keys[key]):
        text = category_text(cell)
        if text is not None and known[place]:
            places[text].append(place)
    chosen, labels = _pairs(rows.records, names, places, cell_list(first))
    unclear = sum(name in places for name in names) - len(chosen)
    if unclear:
        LOG.warning(
            "%s: %d rows have several different labels, or not one label for each row of their "
            "request: they are left out",
            found.where,
            unclear,
        )
    encoded = _encoded(found.label, found.table, labels, missing)
    return JoinedLabels(np.array(chosen, np.intp), encoded, key, rows.rows - len(chosen))


def merged(label: AnyLabel, rows: CapturedRows, missing: MissingValues) -> JoinedLabels | None:
    """Return the labels that Model Monitor merged into the capture, None where there are none."""
    chosen = [row for row, truth in enumerate(rows.truths) if truth]
    if not chosen or len(label.columns) > 1:
        return None
    cells: list[Cell] = [rows.truths[row] for row in chosen]
    table = _of_columns({label.columns[0]: cells}, (Source(len(cells), "the capture"),))
    encoded = _encoded(label, table, range(len(cells)), missing)
    return JoinedLabels(np.array(chosen), encoded, "the capture", rows.rows - len(chosen))


def _is_there(cell: Cell, missing: MissingValues) -> bool:
    text = category_text(cell)
    return text is not None and text not in missing.texts


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).lower()


def _key(found: LateLabels, rows: CapturedRows) -> tuple[str, Sequence[str | None]]:
    """Return the column of the labels that names rows, and what it is of the captured ones."""
    texts = {name: list(map(category_text, cells)) for name, cells in rows.keys.items()}
    either = [
        inference or event
        for inference, event in zip(texts[INFERENCE_ID], texts[EVENT_ID], strict=True)
    ]
    there = {_plain(name): cells for name, cells in texts.items() if any(cells)}
    if any(either):
        there.setdefault(_EITHER, either)
    shared = [name for name in found.keys if _plain(name) in there]
    if len(shared) > 1 and _plain(shared[0]) in map(_plain, (INFERENCE_ID, EVENT_ID)):
        shared = shared[:1]
    if len(shared) > 1:
        shared = [name for name in shared if _names_each(found.keys[name])] or shared
    if len(shared) == 1:
        return shared[0], there[_plain(shared[0])]
    if shared:
        raise DataError(
            f"columns {quote_all(shared)} may each identify the rows",
            where=found.where,
            hint="Leave one of them, beside the label",
        )
    named = [name for name, cells in texts.items() if any(cells)]
    raise DataError(
        "the captured rows have none of its columns",
        where=found.where,
        hint=f"Give a column {quote_all(named)}, beside the label"
        if named
        else "Capture with an inference id, or let both files have a column that names the rows",
    )


def _names_each(cells: Sequence[Cell]) -> bool:
    """Say whether no two rows have the same cell: of several columns it is such that names rows."""
    return len(set(map(category_text, cells))) == len(cells)


def _pairs(
    records: NDArray[np.intp],
    names: Sequence[str | None],
    places: Mapping[str, Sequence[int]],
    labels: Sequence[Cell],
) -> tuple[list[int], list[int]]:
    """Return the rows that have a label, and the place of each one's."""
    requests: dict[tuple[int, str], list[int]] = defaultdict(list)
    for row, (record, name) in enumerate(zip(records.tolist(), names, strict=True)):
        if name is not None and name in places:
            requests[record, name].append(row)
    chosen: list[int] = []
    found: list[int] = []
    for (_, name), rows in requests.items():
        given = places[name]
        if len(given) == len(rows):
            chosen += rows
            found += given
        elif len(rows) == 1 and len({category_text(labels[place]) for place in given}) == 1:
            chosen += rows
            found += given[:1]
    return chosen, found


def _encoded(
    label: AnyLabel, table: Table, places: Sequence[int], missing: MissingValues
) -> Labels:
    if not places:
        return np.empty(0, np.float32)
    columns = tuple(table.take(places))
    picked = table._replace(
        columns=columns, rows=len(places), sources=(Source(len(places), table.file),)
    )
    return label.encode(picked, missing)[0]
