"""What hyperparameters say about columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sagetree.decisions.rules import amounts_of
from sagetree.tables.cells import DateOrder, Decimal
from sagetree.train.hyperparameters.booster_rules import encodes_many, usual_encoding
from sagetree.train.hyperparameters.searching import searches_encoding
from sagetree.train.hyperparameters.value_types import plain_text


@dataclass(frozen=True)
class Columns:
    """What the user says about columns, by name; None where the user says nothing.

    `base_margin` has one column for each output; `csv_weights` says that the
    second column of CSV files is the weight, `encodes_many` that categories of many
    values are statistics of the label, whatever `encoding` says about few, `searches_encoding`
    that the job tries it for these, `shifts` that
    numbers may be moved so that float32 keeps them apart; `word_encoding` is that of words
    among numbers, which are never such statistics; `decimal` and `date_order` say how
    numbers and dates are written; `amounts` are what the decision's `miss` and `alarm` cost;
    `of_facets` are those that facets are of, which may be anything else beside.
    """

    target: str | None
    positive_label: str | None
    dropped: tuple[str, ...]
    kinds: Mapping[str, str]
    orders: Mapping[str, tuple[str, ...]]
    missing_values: tuple[str, ...]
    unknown_category: str
    encoding: str
    word_encoding: str
    encodes_many: bool = False
    searches_encoding: bool = False
    weight: str | None = None
    csv_weights: bool = False
    base_margin: tuple[str, ...] = ()
    group: str | None = None
    time: str | None = None
    label_lower_bound: str | None = None
    label_upper_bound: str | None = None
    event: str | None = None
    event_values: tuple[str, ...] = ()
    shifts: bool = True
    decimal: Decimal | None = None
    date_order: DateOrder | None = None
    amounts: Mapping[str, str] = field(default_factory=dict)
    of_facets: frozenset[str] = frozenset()

    @property
    def of_roles(self) -> frozenset[str]:
        """The columns that a setting names as no feature: the label's, and those with a role."""
        single = (
            self.target, self.weight, self.group, self.time, self.event, self.label_lower_bound,
            self.label_upper_bound,
        )  # fmt: skip
        return frozenset(name for name in (*single, *self.base_margin) if name)

    @property
    def named(self) -> frozenset[str]:
        """The columns that a setting names: a file whose first row holds one has a header."""
        others = {*self.dropped, *self.kinds, *self.amounts.values()}
        return self.of_roles | self.of_facets | others


def columns_of(values: Mapping[str, Any]) -> Columns:
    """Return what settled hyperparameters say about columns."""
    orders = {
        name: tuple(map(plain_text, order))
        for name, order in values.get("ordinal_columns", {}).items()
    }
    kinds = dict(values.get("column_types", {}))
    kinds |= dict.fromkeys(values.get("categorical_columns", ()), "category")
    kinds |= dict.fromkeys(orders, "ordinal")
    usual = usual_encoding(values)
    encoding = values.get("encoding", usual)
    return Columns(
        target=values.get("target"),
        positive_label=values.get("positive_label"),
        dropped=values.get("drop_columns", ()),
        kinds=MappingProxyType(kinds),
        orders=MappingProxyType(orders),
        missing_values=values.get("missing_values", ()),
        unknown_category=values["unknown_category"],
        encoding=encoding,
        word_encoding=usual if encoding == "target" else encoding,
        encodes_many=encodes_many(values),
        searches_encoding=searches_encoding(values),
        weight=values.get("weight_column"),
        csv_weights=values["csv_weights"],
        base_margin=values.get("base_margin_column", ()),
        group=values.get("group_column"),
        time=values.get("time_column"),
        label_lower_bound=values.get("label_lower_bound"),
        label_upper_bound=values.get("label_upper_bound"),
        event=values.get("event_column"),
        event_values=values.get("event_value", ()),
        shifts=values["preset"] == "sagetree",
        decimal=values.get("decimal"),
        date_order=values.get("date_order"),
        amounts=amounts_of(values["decision"]),
        of_facets=frozenset(n for facet in values.get("facets", ()) for n in facet.named),
    )
