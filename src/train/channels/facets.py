"""The facets of a training job: who is in them, row by row, and what labels say about them."""

from dataclasses import dataclass, replace

from sagetree.evaluate.bias.favourable import find_favourable
from sagetree.evaluate.bias.members import Members, find_members
from sagetree.evaluate.bias.reweighing import Reweighing
from sagetree.features.plan import LabelledRows, TablePlan
from sagetree.machine.program import LOG
from sagetree.tables.facets import FacetRows, Shapes, check_columns, facet_rows
from sagetree.tables.roles import RowRoles
from sagetree.tables.table import Table
from sagetree.train.settings.settings import TrainSettings


@dataclass(frozen=True)
class JobFacets:
    """The facets of the channel train, and which label is good for a person, by its number."""

    members: Members
    favourable: int
    shapes: Shapes
    reweighing: Reweighing | None = None

    @classmethod
    def of(cls, table: Table, plan: TablePlan, settings: TrainSettings) -> "JobFacets | None":
        """Find them in train's table; None where no facets are named. Logs what to know of them.

        Raises UserError where the table or its label has no such facets.
        """
        asked = settings.bias
        if asked is None:
            return None
        favourable = find_favourable(plan.label, asked.favourable, asked.setting)
        members = find_members(table, asked, plan.features.missing, plan.schema, plan.label)
        for note in members.notes:
            LOG.warning("Facets: %s", note)
        shapes: Shapes = {c.name: c.written for c in plan.schema.columns if c.written is not None}
        return cls(members, favourable, shapes)

    def on_train(self, rows: LabelledRows, *, reweighs: bool) -> "tuple[JobFacets, LabelledRows]":
        """Return the rows of train with their facets, and weights by these if they are asked for.

        The facets that come with them reweigh other rows alike.
        """
        found = self
        if reweighs:
            inside = self.members.rows.inside
            reweighing = Reweighing.of(inside, rows.labels, rows.roles.weight)
            found = replace(self, reweighing=reweighing)
            if reweighing.one_sided:
                LOG.warning(
                    "Warning: reweigh=facet: %d rows are in facets in which all have the same "
                    "label: no weights make these independent of it",
                    reweighing.one_sided,
                )
        return found, found._with(rows, self.members.rows)

    def on_others(self, table: Table, plan: TablePlan, rows: LabelledRows) -> LabelledRows:
        """Return the rows of a further channel with their facets. Raises DataError for its lack."""
        check_columns(table, self.members.facets)
        missing = plan.features.missing
        return self._with(rows, facet_rows(table, self.members.facets, missing, self.shapes))

    def _with(self, rows: LabelledRows, found: FacetRows) -> LabelledRows:
        emphasis = self.reweighing.emphasis(found.inside, rows.labels) if self.reweighing else None
        roles = replace(
            rows.roles, facets=found.inside, facet_groups=found.groups, emphasis=emphasis
        )
        return replace(rows, roles=roles)

    def members_of(self, roles: RowRoles) -> Members:
        """Return who is in the facets, of rows with these roles."""
        assert roles.facets is not None  # noqa: S101 - all rows that are learnt from have them
        assert roles.facet_groups is not None  # noqa: S101
        return Members(self.members.facets, FacetRows(roles.facets, roles.facet_groups))
