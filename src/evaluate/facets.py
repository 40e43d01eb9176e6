"""The facets of an evaluation's rows: found in the table, measured by a model's predictions."""

from typing import NamedTuple

from sagetree.bundle.model import Model
from sagetree.evaluate.bias.analysis import BiasAnalysis
from sagetree.evaluate.bias.asked import FacetRequest
from sagetree.evaluate.bias.favourable import favourable_predictions, find_favourable
from sagetree.evaluate.bias.measuring import PredictedRows, measure_bias
from sagetree.evaluate.bias.members import Members, find_members
from sagetree.evaluate.cases import named_rows
from sagetree.evaluate.comparison.answers import Answers
from sagetree.evaluate.metrics.binary import Evaluation
from sagetree.evaluate.metrics.measured import Measured
from sagetree.features.pipeline import FeatureMatrix
from sagetree.tables.label import AnyLabel
from sagetree.tables.table import Table


class RowsOfFacets(NamedTuple):
    """What is asked of facets, and which rows are in them."""

    asked: FacetRequest
    members: Members

    def bias(
        self,
        made: FeatureMatrix,
        answers: Answers,
        label: AnyLabel,
        evaluation: Evaluation | Measured,
    ) -> BiasAnalysis:
        """Return what labels and a model's predictions say about the facets.

        Raises SettingsError where no value of the label can be the favourable one.
        """
        favourable = find_favourable(label, self.asked.favourable, self.asked.setting)
        model = answers.model
        threshold = evaluation.threshold if isinstance(evaluation, Evaluation) else None
        called = favourable_predictions(model.objective, answers.scores, threshold, favourable)
        matrix = made.values
        rows = PredictedRows(
            answers.labels, called, model.features, lambda some: matrix[some], answers.weights
        )
        return measure_bias(self.members, rows, label, favourable)


def split_facets(
    table: Table, asked: FacetRequest | None, model: Model, other: Model
) -> tuple[Table, RowsOfFacets | None]:
    """Return a table without the facets' columns that neither model knows, and who is in them.

    That is None where no facets are asked for. Raises UserError for facets that the table
    does not have.
    """
    if asked is None:
        return table, None
    table, schema = named_rows(table, model), model.schema
    members = find_members(table, asked, model.features.missing, schema, schema.label)
    for name in asked.columns.difference(schema.all_names, other.schema.all_names):
        table = table.without(name)
    return table, RowsOfFacets(asked, members)
