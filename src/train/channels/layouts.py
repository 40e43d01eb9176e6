"""The columns of a channel as its files on all hosts have them: the same, read the same way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import pyarrow as pa

from sagetree.errors import DataError, quote
from sagetree.files.sparse_files import Indices
from sagetree.tables.arrow_types import is_text
from sagetree.tables.table import Cells, Role, Table
from sagetree.train.channels.channels import Other
from sagetree.train.hosts.group import Group

# Reads this host's files, knowing what the others have found.
Read = Callable[[Other], Table]


@dataclass(frozen=True)
class _Layout:
    """The columns that a host has found, and what the cells of each are, "" for none."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    named: bool
    roles: Mapping[Role, str]
    first_index: int | None
    index_columns: tuple[str, ...]

    @classmethod
    def of(cls, table: Table) -> "_Layout":
        types = tuple(_type_of(cast("pa.ChunkedArray", cells)) for cells in table.columns)
        return cls(
            table.names,
            types,
            table.named,
            dict(table.roles),
            table.first_index,
            table.index_columns,
        )

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "_Layout":
        lists = {name: tuple(found[name]) for name in ("names", "types", "index_columns")}
        return cls(**{**found, **lists})

    @property
    def words(self) -> frozenset[str]:
        return self.of_type("text")

    def of_type(self, kind: str) -> frozenset[str]:
        pairs = zip(self.names, self.types, strict=True)
        return frozenset(name for name, found in pairs if found == kind)

    @property
    def indices(self) -> Indices:
        """The columns of rows without names, if they are sparse."""
        first = self.first_index or 0
        return Indices(first, len(self.names) - 1 - len(self.roles))

    def empty(self) -> Table:
        """Return a table of these columns without any row."""
        columns = tuple(pa.chunked_array([], pa.null()) for _ in self.names)
        return Table(
            self.names,
            columns,
            0,
            self.named,
            (),
            self.roles,
            self.first_index,
            self.index_columns,
        )


def _type_of(cells: pa.ChunkedArray) -> str:
    kind = cells.type.value_type if pa.types.is_dictionary(cells.type) else cells.type
    if cells.null_count == len(cells):
        return ""
    if is_text(kind):
        return "text"
    if pa.types.is_timestamp(kind):
        return "moment"
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return "number" if is_number else str(kind)


def read_alike(group: Group, read: Read, *, has_files: bool) -> Table:
    """Return this host's rows of a channel, in the columns that all hosts have.

    A host may have no rows. Raises DataError where no host has some, or where
    columns are not the same.
    """
    holders = group.gather(has_files)
    table = read(Other()) if has_files or not any(holders) else None
    layouts = _told(group, table)
    other = _other(layouts)
    if group.any(table is not None and _is_to_be_read_again(_Layout.of(table), other)):
        if table is not None:
            table = read(other)
        layouts = _told(group, table)
    if not any(group.gather(0 if table is None else table.rows)):
        raise DataError(
            "there are no rows on any host",
            where=f"host {group.name}" if table is None else table.locate(0),
            hint="Put rows below the header",
        )
    _check_alike(group, layouts)
    first = next(layout for layout in layouts if layout)
    if table is None:
        return first.empty()
    columns: Sequence[Cells] = tuple(map(table.column, first.names))
    return first.empty()._replace(columns=columns, rows=table.rows, sources=table.sources)


def _told(group: Group, table: Table | None) -> list[_Layout | None]:
    own = None if table is None else asdict(_Layout.of(table))
    return [None if found is None else _Layout.from_json(found) for found in group.gather(own)]


def _other(layouts: Sequence[_Layout | None]) -> Other:
    """Return what a host needs to know to read its files as the others do."""
    known = [layout for layout in layouts if layout]
    texts = frozenset(name for layout in known for name in layout.words)
    widths = {len(layout.names) for layout in known}
    if any(layout.named for layout in known) or len(widths) == 1 == len(
        {layout.first_index for layout in known}
    ):
        return Other(texts)
    of_all = [layout.indices for layout in known]
    first = min(indices.first for indices in of_all)
    last = max(indices.first + indices.width for indices in of_all)
    return Other(texts, Indices(first, last - first))


def _is_to_be_read_again(own: _Layout, other: Other) -> bool:
    numbers = own.of_type("number")
    is_narrow = other.indices is not None and own.indices != other.indices
    return is_narrow or bool(numbers & other.texts)


def _check_alike(group: Group, layouts: Sequence[_Layout | None]) -> None:
    """Raise DataError naming the first host whose columns are not those of another one."""
    found = [(name, each) for name, each in zip(group.names, layouts, strict=True) if each]
    name, first = found[0]
    for other, layout in found[1:]:
        both = f"of host {name} and host {other}"
        if layout.named != first.named:
            raise DataError(
                f"only {other if layout.named else name} has a header, {both}",
                hint=(
                    "Give every file a header, or none of them; or set header=true or header=false"
                ),
            )
        if not layout.named and len(layout.names) != len(first.names):
            raise DataError(
                f"it has {len(layout.names)} columns, and host {name} has {len(first.names)}",
                where=f"host {other}",
                hint=_SAME_COLUMNS,
            )
        unlike = sorted(set(layout.names) ^ set(first.names))
        if unlike or layout.roles != first.roles:
            column = (
                unlike[0] if unlike else next(iter({*layout.roles.values(), *first.roles.values()}))
            )
            holder = other if column in layout.names else name
            raise DataError(
                f"column {quote(column)} is only in {holder}, {both}", hint=_SAME_COLUMNS
            )
    _check_types(found)


def _check_types(found: Sequence[tuple[str, _Layout]]) -> None:
    for column in found[0][1].names:
        kinds: dict[str, str] = {}
        for name, layout in found:
            kind = layout.types[layout.names.index(column)]
            if kind:
                kinds.setdefault(kind, name)
        if len(kinds) > 1:
            types = ", ".join(f"{kind} on host {name}" for kind, name in kinds.items())
            raise DataError(
                f"its types do not agree: {types}",
                where=f"column {quote(column)}",
                hint="Write the column with the same type in all files",
            )


_SAME_COLUMNS = "All files of a channel need the same columns"
