"""Flows changed at random, and any steps on any texts."""

import json
import random
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagetree.errors import SagetreeError
from sagetree.prepare.database import Database, identifier
from sagetree.prepare.flow.running import read_flows, run_flows
from sagetree.prepare.inputs import TableFiles
from sagetree.prepare.loading import load_table
from tests.prepare.flow.flows import (
    Node,
    cast,
    chosen,
    drop,
    flow,
    one_hot,
    ordinal,
    pandas,
    remove_symbols,
)
from tests.prepare.flow.workshop import CLAIMS, CUSTOMERS, claims_steps, customers_steps, table

pytestmark = pytest.mark.long

ODD = (None, [], {}, "", "x", 5, -1.5, True, ["x"], {"a": 1}, "sagemaker.spark.x", "long", "a" * 99)


def run(db: Database, text: str, name: str, rows: str) -> dict[str, list[Any]]:
    """Return the table's columns after a flow."""
    for schema, old in db.rows("SELECT schema_name, table_name FROM duckdb_tables()"):
        db.run(f"DROP TABLE {schema}.{identifier(old)}")
    with TemporaryDirectory() as folder:
        path, data = Path(folder) / "t.flow", Path(folder) / f"{name}.csv"
        path.write_text(text)
        data.write_text(rows)
        flows = read_flows([path])
        raw = load_table(db, TableFiles(name, {data.name: data}))
        [made] = run_flows(db, [raw], flows)
    cells = ", ".join(made.cell(column) for column in made.columns)
    found = db.rows(f"SELECT {cells} FROM {made.sql} ORDER BY rowid") if cells else []
    assert len(found) == raw.rows
    return {column: [row[i] for row in found] for i, column in enumerate(made.columns)}


def places(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Return every place in JSON: what holds it, and by which key."""
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key in keys:
        found.append((value, key))
        places(value[key], found)
    return found


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_a_flow_changed_at_random_is_run_or_refused(shared_db: Database, seed: int) -> None:
    draw = random.Random(seed)
    schema, steps, name = draw.choice(
        [(CLAIMS, claims_steps(), "claims"), (CUSTOMERS, customers_steps(), "customers")]
    )
    content = json.loads(flow(f"{name}.csv", steps))
    for _ in range(draw.randint(1, 3)):
        holder, key = draw.choice(places(content, []))
        if draw.random() < 0.3:
            del holder[key]
        elif isinstance(holder[key], str) and len(holder[key]) > 200 and draw.random() < 0.7:
            at = draw.randrange(len(holder[key]))
            holder[key] = holder[key][:at] + draw.choice("xyz") + holder[key][at + 1 :]
        else:
            holder[key] = draw.choice(ODD)
    with suppress(SagetreeError):
        run(shared_db, json.dumps(content), name, table(schema, 12))


Cells = list[Any]
SYMBOLS = "!@#$%^&*()_+=-/\\`~{}|<>?"


def to_long(text: str | None) -> int | None:
    found = re.fullmatch(r"\s*([+-]?\d+)(\.\d*)?\s*", text or "")
    return int(found[1]) if found else None


def each(change: Callable[[str], Any]) -> Callable[[Cells], Cells]:
    return lambda cells: [None if cell is None else change(cell) for cell in cells]


WORDS = ("Self", "self", "N/A", "na", "5", "7.9", "-3", "it's", "ÄÖ", "a b")
CASES: dict[str, tuple[Callable[[str], Node], Callable[[Cells], Cells]]] = {
    "lower": (lambda c: chosen("format_string", "Lower case", input_column=c), each(str.lower)),
    "remove": (
        remove_symbols,
        each(lambda cell: "".join(mark for mark in cell if mark not in SYMBOLS)),
    ),
    "ordinal": (
        lambda c: ordinal(c, "self", "Self", "na"),
        lambda cells: [{"self": 0.0, "Self": 1.0, "na": 2.0}.get(cell) for cell in cells],
    ),
    "long": (lambda c: cast(c, "long"), lambda cells: [*map(to_long, cells)]),
    "replace": (
        lambda c: pandas(
            f"d = {{'na': 'nothing', 'self': 'me'}}\ndf['{c}'] = df['{c}'].replace(d)"
        ),
        each(lambda cell: {"na": "nothing", "self": "me"}.get(cell, cell)),
    ),
}


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.tuples(*[st.sampled_from((*WORDS, ""))] * 2), min_size=1, max_size=8),
    steps=st.lists(
        st.tuples(st.sampled_from([*CASES, "one-hot", "drop"]), st.sampled_from("xy")), max_size=5
    ),
)
def test_any_steps_on_any_texts(
    shared_db: Database, rows: list[tuple[str, str]], steps: list[tuple[str, str]]
) -> None:
    expected: dict[str, Cells] = {"k": ["1"] * len(rows)}
    expected |= {name: [row[i] or None for row in rows] for i, name in enumerate("xy")}
    texts = {"x", "y"}
    nodes: list[Node] = []
    for way, column in steps:
        if column not in texts:
            continue
        if way == "drop":
            nodes.append(drop(column))
        elif way == "one-hot":
            nodes.append(one_hot(column, "self", "it's"))
            for word in ("self", "it's"):
                cells = expected[column]
                expected[f"{column}_{word}"] = [float(cell == word) for cell in cells]
        else:
            node, change = CASES[way]
            nodes.append(node(column))
            expected[column] = change(expected[column])
        if way in ("drop", "one-hot"):
            del expected[column]
        if way in ("drop", "one-hot", "ordinal", "long"):
            texts.discard(column)
    lines = ["k,x,y", *(f"1,{x},{y}" for x, y in rows)]
    made = run(shared_db, flow("t.csv", nodes), "t", "\n".join(lines) + "\n")
    assert made == expected
    assert [*made] == [*expected]
