"""Scored rows as the columns of the output: identifiers, scores, and what else is asked for."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sagetree.bundle.model import Model
from sagetree.errors import SettingsError, quote
from sagetree.machine.program import LOG
from sagetree.predict.identifiers import SameIdentifiers
from sagetree.predict.settings import Wanted
from sagetree.predictions.reasons import explain
from sagetree.predictions.scored_rows import ClassName, ScoredRows, available_keys, predicted_labels
from sagetree.tables.table import Cells

# A column of the output, and its values.
_Named = tuple[str, pa.Array | pa.ChunkedArray]


class Outputs:
    """The columns of one output: those of the first rows, which all others must have too."""

    def __init__(self, model: Model, wanted: Wanted) -> None:
        """Raise SettingsError for what the model cannot give."""
        self._model = model
        self._wanted = wanted
        self.identifiers = SameIdentifiers()
        available = available_keys(model)
        # several labels of yes and no have no class in common
        is_one = model.objective.task == "multiclass" or model.scorer.outputs == 1
        self._has_labels = "predicted_label" in available and is_one
        if wanted.reasons and not {"reasons", "contributions"} <= {*available}:
            raise SettingsError(
                "this model cannot give reasons: a row has more than one score",
                where="--reasons",
                hint="It has several targets. Leave it out, or ask for --contributions",
            )
        if wanted.contributions and "contributions" not in available:
            raise SettingsError(
                "this model cannot give contributions: its leaves have several values, which this "
                "XGBoost cannot explain",
                where="--contributions",
                hint="Leave it out",
            )

    def table(self, rows: ScoredRows) -> pa.Table:
        """Return the columns of some rows. Raises DataError where identifiers come and go."""
        made = [*_scores(rows)]
        if self._has_labels:
            made.append(("predicted_label", _labels(rows)))
        if self._wanted.reasons:
            made.append(("reasons", self._reasons(rows)))
        if self._wanted.contributions:
            made += _contributions(rows)
        kept = self._kept(rows, {name for name, _ in made})
        columns = [*kept, *made]
        repeated = [n for n, count in Counter(name for name, _ in columns).items() if count > 1]
        if repeated:
            raise SettingsError(
                f"two columns of the output would be called {quote(repeated[0])}",
                hint="Rename the column in training, or leave --contributions out",
            )
        return pa.table([c for _, c in columns], [name for name, _ in columns])

    def _reasons(self, rows: ScoredRows) -> pa.Array:
        contributions, most = rows.contributions, self._wanted.reasons
        found = explain(rows.model, rows.table, rows.matrix, rows.scores, contributions, most)
        return pa.array(found, pa.list_(pa.string()))

    def _kept(self, rows: ScoredRows, made: set[str]) -> list[_Named]:
        """Return the columns that identify the rows, as their file holds them."""
        schema, request = rows.model.schema, rows.request
        names = request.names
        if not request.named and len(names) == len(schema.all_names):
            names = schema.all_names
        identifiers = [column.name for column in schema.columns if column.kind == "identifier"]
        held = tuple(name for name in identifiers if name in names)
        if self.identifiers.check(held, request.file):
            for name in sorted(made & set(held)):
                LOG.warning(
                    "WARNING: the identifier %s is left out: a column of the output has the same "
                    "name",
                    quote(name),
                )
        return [
            (name, _arrow(request.columns[names.index(name)])) for name in held if name not in made
        ]


def _arrow(cells: Cells) -> pa.Array | pa.ChunkedArray:
    if isinstance(cells, list):
        return pa.array(cells)
    return cells.cast(cells.type.value_type) if pa.types.is_dictionary(cells.type) else cells


def _labels(rows: ScoredRows) -> pa.Array:
    found = predicted_labels(rows)
    return pa.array(found.astype(np.float64) if isinstance(found, np.ndarray) else found)


def _scores(rows: ScoredRows) -> Iterator[_Named]:
    if rows.scores.ndim == 1:
        yield "score", pa.array(rows.scores)
        return
    for name, scores in zip(_output_names(rows), rows.scores.T, strict=True):
        yield f"score_{name}", pa.array(np.ascontiguousarray(scores))


def _output_names(rows: ScoredRows) -> Sequence[ClassName]:
    """Return what the model's outputs are called: the classes, else their numbers from 0."""
    count = rows.model.scorer.outputs
    is_class = rows.model.objective.task == "multiclass"
    return rows.classes if is_class and len(rows.classes) == count else range(count)


def _contributions(rows: ScoredRows) -> Iterator[_Named]:
    """Yield each column's SHAP values and the base value, of several outputs for each."""
    names = rows.table.names
    values = rows.contributions
    if values.ndim == 2:
        yield from _explained(values, names, "")
        return
    for place, output in enumerate(_output_names(rows)):
        yield from _explained(values[:, place], names, f"_{output}")


def _explained(values: NDArray[np.float32], names: Sequence[str], output: str) -> Iterator[_Named]:
    columns = [pa.array(np.ascontiguousarray(column)) for column in values.T]
    yield f"base_value{output}", columns[-1]
    for name, column in zip(names, columns[:-1], strict=True):
        yield f"contribution{output}_{name}", column
