"""The rows an evaluation is of: by the model's own plan, or by what its objective implies."""

import json
from collections.abc import Sequence
from pathlib import Path

from sagetree.bundle.bundle import MANIFEST_FILE, ModelBundle
from sagetree.bundle.model import Model
from sagetree.bundle.training_rows import TrainingRows
from sagetree.errors import DataError, quote
from sagetree.features.plan import LabelledRows, TablePlan
from sagetree.tables.label import AnyLabel, ClassLabel, Label, NumberLabel
from sagetree.tables.roles import RoleColumns
from sagetree.tables.schema import Schema
from sagetree.tables.table import Table


def labelled_rows(table: Table, model: Model) -> tuple[TablePlan, LabelledRows]:
    """Return the model's plan, and the rows it makes of a table.

    Raises DataError where label or group are not as the model needs.
    """
    label = model.schema.label or _plain_label(table.names[0], model)
    table = _with_names(table, model.schema)
    plan = TablePlan(label, RoleColumns(group=_group(model)), model.schema, model.features)
    if plan.roles.group and plan.roles.group not in table.names:
        raise DataError(
            f"there is no group column {quote(plan.roles.group)}",
            where=table.locate(0),
            hint="The model ranks rows within a group: say to which one each row belongs",
        )
    return plan, plan.apply(table)


def _with_names(table: Table, schema: Schema) -> Table:
    """Return a table without names by those of training, if it has all columns behind the label."""
    names = (*(schema.label.columns if schema.label else ()), *schema.all_names)
    is_whole = not table.named and not table.roles and len(names) == len(table.names)
    return table._replace(names=names) if is_whole else table


def training_rows(folder: Path) -> TrainingRows | None:
    """Return the rows that the model in a folder was trained on, None if it does not know them."""
    return ModelBundle.load(folder).rows if (folder / MANIFEST_FILE).exists() else None


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


def _group(model: Model) -> str | None:
    """Return the column of groups of a model that ranks."""
    if model.objective.task != "ranking":
        return None
    return next((c.name for c in model.schema.columns if c.kind == "group"), None)


def quantiles_of(model: Model) -> Sequence[float]:
    """Return the quantiles a model predicts, in the order of its outputs; () if it does not."""
    objective = model.scorer.boosters[0].config()["objective"]
    parameters = objective.get("quantile_loss_param")
    if not isinstance(parameters, dict):
        return ()
    return tuple(map(float, json.loads(parameters["quantile_alpha"])))
