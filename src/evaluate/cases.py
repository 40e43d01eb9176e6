"""The rows an evaluation is of: by the model's own plan, or by what its objective implies."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from sagetree.bundle.bundle import Manifest, ModelBundle, read_manifest
from sagetree.bundle.file_names import MANIFEST_FILE
from sagetree.bundle.learning_curve import LearningCurve, TuningHistory
from sagetree.bundle.model import Model
from sagetree.bundle.training_rows import TrainingRows
from sagetree.decisions.rules import amounts_of
from sagetree.errors import DataError, quote
from sagetree.features.plan import LabelledRows, TablePlan
from sagetree.files.header import header_rule
from sagetree.files.reading import read_table
from sagetree.machine.program import LOG
from sagetree.tables.label import AnyLabel, ClassLabel, Label, NumberLabel
from sagetree.tables.roles import RoleColumns
from sagetree.tables.schema import Schema
from sagetree.tables.table import Table


def read_rows(folder: Path, model: Model, named: Collection[str] = ()) -> Table:
    """Return the labelled rows; a header is known by the trained names, or by its looks.

    A first row that holds one of the columns `named` by somebody is one too.
    """

    def tell(sentence: str) -> None:
        LOG.warning("%s: %s. If it is not, name the columns as in training", folder.name, sentence)

    table = read_table(folder, header_rule(named, model.schema.is_header, tell))
    if len(table.names) < 2:
        raise DataError(
            "there is one column, and both label and features are needed",
            where=table.locate(0),
            hint="Separate the cells by commas",
        )
    return table


def labelled_rows(table: Table, model: Model) -> tuple[TablePlan, LabelledRows]:
    """Return the model's plan, and the rows it makes of a table.

    Rows without the columns of its base margins start from 0, those without its
    weights count as one each, and a warning says so. Raises DataError where label,
    group or base margins are not as the model needs.
    """
    table = named_rows(table, model)
    label = model.schema.label or _plain_label(_label_name(table, model.schema), model)
    margins = _base_margins(table, model)
    amounts = amounts_of(model.decision.parsed_rule) if model.decision else {}
    roles = RoleColumns(_weight(table, model), margins, _group(model), **amounts)
    plan = TablePlan(label, roles, model.schema, model.features)
    if plan.roles.group and plan.roles.group not in table.names:
        raise DataError(
            f"group column {quote(plan.roles.group)} is missing",
            where=table.locate(0),
            hint=(
                "The model ranks rows within a group: add the column that says which group each "
                "row belongs to"
            ),
        )
    return plan, plan.apply(table)


def named_rows(table: Table, model: Model) -> Table:
    """Return a table with its columns' names as the model knows them, where it can know them."""
    return _with_names(_without_foreign_names(table, model.schema), model.schema)


def _without_foreign_names(table: Table, schema: Schema) -> Table:
    """Return a table without its names where a model that knows none would not know these."""
    known = {*schema.all_names, *(schema.label.columns if schema.label else ())}
    if table.named and not schema.named and known.isdisjoint(table.names):
        LOG.info(
            "The model does not know the names of its columns: columns are taken in their order"
        )
        return table._replace(named=False)
    return table


def _with_names(table: Table, schema: Schema) -> Table:
    """Return a table without names by those of training, if it has all columns behind the label."""
    names = (*(schema.label.columns if schema.label else ()), *schema.all_names)
    is_whole = not table.named and not table.roles and len(names) == len(table.names)
    return table._replace(names=names) if is_whole else table


class TrainingRecord(NamedTuple):
    """What a model in a folder says about its training; one not made by sagetree says nothing."""

    rows: TrainingRows | None = None
    curve: LearningCurve | None = None
    manifest: Manifest | None = None

    @property
    def hyperparameters(self) -> Mapping[str, str]:
        """Its hyperparameters, none of a model that does not say."""
        return self.manifest.hyperparameters if self.manifest else {}

    @property
    def tuning(self) -> TuningHistory | None:
        """What was searched before it."""
        return self.manifest.tuning if self.manifest else None

    @classmethod
    def of(cls, folder: Path) -> "TrainingRecord":
        """Read it from the model's folder."""
        path = folder / MANIFEST_FILE
        if not path.exists():
            return cls()
        bundle = ModelBundle.load(folder)
        return cls(bundle.rows, bundle.curve, read_manifest(path))


def _label_name(table: Table, schema: Schema) -> str:
    """Return the one name that is none of the model's columns, else the first column's."""
    others = [name for name in table.names if name not in schema.all_names]
    return others[0] if table.named and len(others) == 1 else table.names[0]


def _plain_label(name: str, model: Model) -> AnyLabel:
    """Return the label of a model that knows none: numbers, or classes by their number."""
    if model.objective.task == "binary":
        return Label(name=name, negative="0", positive="1")
    if model.objective.task == "multiclass":
        return ClassLabel(name=name, classes=tuple(map(str, range(_class_count(model)))))
    return NumberLabel(name=name)


def _class_count(model: Model) -> int:
    parameters = model.scorer.boosters[0].config()["learner_model_param"]
    return int(str(parameters["num_class"]))


def _weight(table: Table, model: Model) -> str | None:
    """Return the column of weights, None where the table has not the model's."""
    found = [column.name for column in model.schema.columns if column.kind == "weight"]
    if not found or found[0] in table.names:
        return found[0] if found else None
    if "weight" not in table.roles:
        LOG.warning(
            "WARNING: the rows have no weight (%s): every row counts as one", quote(found[0])
        )
    return None


def _group(model: Model) -> str | None:
    """Return the column of groups of a model that ranks."""
    if model.objective.task != "ranking":
        return None
    return next((c.name for c in model.schema.columns if c.kind == "group"), None)


def _base_margins(table: Table, model: Model) -> tuple[str, ...]:
    """Return the columns of base margins, () where the table has none of them."""
    names = model.schema.base_margins
    lacking = [name for name in names if name not in table.names]
    if lacking and len(lacking) < len(names):
        raise DataError(
            f"the base margin {quote(lacking[0])} is missing",
            where=table.locate(0),
            hint=f"Give all of them, or none: {', '.join(map(quote, names))}",
        )
    if lacking:
        LOG.warning(
            "WARNING: the rows have no base margin (%s): every score starts from 0",
            ", ".join(map(quote, names)),
        )
    return () if lacking else names
