"""Rows of files as the model takes them: without a label, each scored as the server scores it."""

from collections.abc import Sequence

import numpy as np

from sagetree.bundle.model import Model
from sagetree.errors import DataError, quote
from sagetree.files.header import header_rule
from sagetree.files.slices import Slicing
from sagetree.files.sparse_files import Indices
from sagetree.machine.program import LOG
from sagetree.predictions.scored_rows import ScoredRows
from sagetree.tables.cells import Cell, MissingValues, category_text
from sagetree.tables.encoding import distinct_cells, encode_numbers
from sagetree.tables.layout import refuse_shifted
from sagetree.tables.table import Cells, Table, cell_list


class Inputs:
    """How one model takes rows; what it assumes about them is logged once."""

    def __init__(self, model: Model, *, keeps_text: bool) -> None:
        """With `keeps_text` all cells of CSV stay as they are written, as reasons show them."""
        self.model = model
        self._keeps_text = keeps_text
        self._said: set[str] = set()

    @property
    def slicing(self) -> Slicing:
        """How the files are read."""
        schema = self.model.schema
        by_position = schema.named and schema.numbered_names == schema.all_names
        return Slicing(
            is_header=header_rule((), schema.is_header, self._doubt),
            numbers=self._numbers,
            missing=self.model.features.missing,
            names=frozenset(schema.all_names),
            needed=frozenset(schema.input_names),
            indices=Indices(schema.first_index, len(schema.numbered_names)),
            numbered=() if by_position else schema.numbered_names,
        )

    def scored(self, table: Table) -> ScoredRows:
        """Return the rows and their scores.

        Raises SchemaError naming file, line and column where they do not fit the
        model, DataError for a first column that is neither the label nor the model's.
        """
        model = self.model
        rows = self.as_taken(table)
        refuse_shifted(rows, model.schema, model.features.missing)
        inputs = model.schema.arrange(rows)
        matrix = model.features.transform(inputs)
        base_margin = model.base_margin(rows)
        if model.schema.base_margins and base_margin is None:
            names = ", ".join(map(quote, model.schema.base_margins))
            self._say(f"WARNING: the rows have no base margin ({names}): every score starts from 0")
        scores = model.scorer.score(matrix.values, base_margin)
        return ScoredRows(model, rows, inputs, matrix, scores, base_margin=base_margin)

    def as_taken(self, table: Table) -> Table:
        """Return the rows as the model takes them: by name or by place, without the label.

        Raises DataError for a first column that is neither the label nor the model's.
        """
        return self._without_label(self._by_name_or_place(table))

    def _numbers(self, names: Sequence[str], named: bool) -> Sequence[bool]:
        """Say which columns of a CSV file are numbers to the model, however they are written."""
        schema = self.model.schema
        if not named:
            given = (schema.input_names, schema.all_names)
            known = next((known for known in given if len(known) == len(names)), ())
            names = known or [""] * len(names)
        numbers = () if self._keeps_text else self.model.features.number_columns
        return [name in numbers for name in names]

    def _by_name_or_place(self, table: Table) -> Table:
        schema = self.model.schema
        for name in set(table.index_columns) & set(table.names) - set(schema.all_names):
            table = table.without(name)  # an index that training's files had not
        known = {*schema.all_names, *(schema.label.columns if schema.label else ())}
        if table.named and not schema.named and known.isdisjoint(table.names):
            self._say(
                "The model does not know the names of its columns: columns are taken in their order"
            )
            return table._replace(named=False)
        return table

    def _without_label(self, table: Table) -> Table:
        """Return the rows without the label: by its name, or as the first of one column more."""
        schema = self.model.schema
        labels = schema.label.columns if schema.label else ("",)
        if table.named and schema.label:
            for name in set(labels) & set(table.names):
                table = table.without(name)
            return table
        widths = {len(schema.input_names), len(schema.all_names)}
        if table.named:  # of a model that knows no label
            has_label = len(table.names) - 1 in widths and table.names[0] not in schema.all_names
        else:
            width = len(table.columns)
            has_label = width not in widths and width - len(labels) in widths
        if not has_label:
            return table
        for place in range(len(labels)):
            self._check_label(table, place)
        if schema.label is None:
            what = f"column {quote(table.names[0])}" if table.named else "first column"
            self._say(f"The {what} is taken for the label and left out")
        names, columns = table.names[len(labels) :], table.columns[len(labels) :]
        return table._replace(names=names, columns=columns)

    def _check_label(self, table: Table, place: int) -> None:
        """Raise DataError where a column in the label's place holds what is not a label."""
        cells = table.columns[place]
        wrong = _unlike(cells, self._classes(), self.model.features.missing)
        if wrong is None:
            return
        names = ", ".join(self.model.schema.all_names[:_NAMES_SHOWN])
        raise DataError(
            f"{len(table.names)} columns, the model has {len(self.model.schema.all_names)}, and "
            f"the first one is not the label: it holds {quote(wrong)}",
            where=table.locate(cell_list(cells).index(wrong)),
            hint=f"Name the columns, or give only those of the model: {names}",
        )

    def _classes(self) -> tuple[str, ...]:
        """Return the spelling of the label's values, () where they are numbers."""
        model = self.model
        if model.schema.label:
            return model.schema.label.classes
        if model.objective.is_classification:
            return tuple(map(str, range(max(model.scorer.outputs, 2))))
        return ()

    def _doubt(self, sentence: str) -> None:
        self._say(f"{sentence[:1].upper()}{sentence[1:]}. If it is not, name the columns")

    def _say(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            LOG.warning("%s", sentence)


# Names of columns in an error.
_NAMES_SHOWN = 20


def _unlike(cells: Cells, classes: Sequence[str], missing: MissingValues) -> Cell:
    """Return a cell that is not one of a label's, None where there is none."""
    found = cells if isinstance(cells, list) else distinct_cells(cells)[1]
    if classes:
        known = {*classes, *missing.texts, None}
        return next((cell for cell in found if category_text(cell) not in known), None)
    misfits = encode_numbers(found, missing)[1]
    return found[misfits[0].row] if misfits else None


def unseen_columns(rows: ScoredRows) -> dict[str, int]:
    """Return the number of cells of each column whose category training never saw."""
    if not rows.matrix.unseen:
        return {}
    names, counts = np.unique([name for _, name in rows.matrix.unseen], return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))
