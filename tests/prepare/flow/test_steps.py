"""Single steps of flows on small tables: what they make, and what they say about it."""

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sagetree.errors import DataError, SettingsError
from sagetree.prepare.database import Database
from sagetree.prepare.flow.running import read_flows, run_flows
from sagetree.prepare.inputs import TableFiles
from sagetree.prepare.loading import load_table
from tests.prepare.flow.flows import (
    LOWER,
    NOW,
    Node,
    cast,
    chosen,
    drop,
    encode,
    flow,
    infer,
    one_hot,
    ordinal,
    pandas,
    remove_symbols,
)

TABLE = "n,t,u\n1,Self,8913.67\n2,N/A,x\n3,,12\n4,ZZ,\n"
TYPES = infer(n="long", t="string", u="string")
ALL = "SELECT * FROM raw.t ORDER BY rowid"


def run(db: Database, folder: Path, *steps: Node, data: str | bytes = TABLE) -> dict[str, Any]:
    """Return the columns of the table t after the steps."""
    path = folder / "t"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    (folder / "t.flow").write_text(flow("t.csv", steps))
    raw = load_table(db, TableFiles("t", {"t.csv": path}))
    [made] = run_flows(db, [raw], read_flows([folder / "t.flow"]))
    assert made.rows == raw.rows
    assert db.count("raw.t") == raw.rows
    cells = ", ".join(made.cell(column) for column in made.columns)
    rows = db.rows(f"SELECT {cells} FROM raw.t ORDER BY rowid")
    return {c: [row[i] for row in rows] for i, c in enumerate(made.columns)}


def test_types_come_in_the_flows_order(
    db: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = run(db, tmp_path, infer(u="long", n="float", t="string"))
    assert made == {
        "u": [8913, None, 12, None], "n": [1.0, 2.0, 3.0, 4.0], "t": ["Self", "N/A", None, "ZZ"],
    }  # fmt: skip
    assert [*made] == ["u", "n", "t"]
    step = (
        "Warning: t.flow, step 2 (sagemaker.spark.infer_and_cast_type_0.1), column 'u': in 1 of 4"
    )
    assert caplog.messages == [
        f"{step} rows, such as 'x', it is not a long, and missing",
        f"{step} rows, such as '8913.67', it is cut to a whole number",
    ]


def test_texts(db: Database, tmp_path: Path) -> None:
    lower = chosen("format_string", "Lower case", input_column="n", output_column="m")
    made = run(db, tmp_path, TYPES, pandas(LOWER), remove_symbols("t"), remove_symbols("u"), lower)
    assert made == {
        "n": [1, 2, 3, 4], "t": ["self", "na", None, "zz"], "u": ["8913.67", "x", "12", None],
        "m": ["1", "2", "3", "4"],
    }  # fmt: skip


def test_one_hot(db: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = run(db, tmp_path, TYPES, one_hot("t", "Self", "N/A", "it's"), drop("u"))
    assert made == {
        "n": [1, 2, 3, 4], "t_Self": [1.0, 0, 0, 0], "t_N/A": [0, 1.0, 0, 0],
        "t_it's": [0.0, 0, 0, 0],
    }  # fmt: skip
    assert caplog.messages == [
        "Warning: t.flow, step 3 (sagemaker.spark.encode_categorical_0.1), column 't': in 1 of 4 "
        "rows, such as 'ZZ', it is not a category of the flow, and becomes 0 in all of its columns"
    ]


def test_one_hot_beside_its_column(db: Database, tmp_path: Path) -> None:
    step = one_hot("n", "1", "2", output_column="o", drop_last=True)
    made = run(db, tmp_path, TYPES, step, drop("t", "u"))
    assert made == {"n": [1, 2, 3, 4], "o_1": [1.0, 0, 0, 0], "o_2": [0, 1.0, 0, 0]}


def test_columns_that_only_later_steps_name(db: Database, tmp_path: Path) -> None:
    steps = (one_hot("t", "Self"), cast("t_ZZ", "long"), drop("t_Self"))
    assert run(db, tmp_path, TYPES, *steps)["t_ZZ"] == [0, 0, 0, 1]


def test_an_encoder_without_state_is_fitted(
    db: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The most frequent category first, of equals the first by the alphabet, as Spark does."""
    caplog.set_level("INFO", "sagetree")
    data = "t\nb\nb\nd\nc\nc\na\n"
    made = run(db, tmp_path, encode("One-hot encode", "t", None), data=data)
    assert [*made] == ["t_b", "t_c", "t_a", "t_d"]
    assert "t: fitted on this table, as the flow is not: 'b', 'c', 'a', 'd'" in caplog.messages


def test_ordinal(db: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keep = ordinal("t", "N/A", "Self", output_column="k", invalid_handling_strategy="Keep")
    steps = (keep, ordinal("t", "N/A", "Self"), cast("t", "long"), drop("u", "n"))
    assert run(db, tmp_path, TYPES, *steps) == {
        "t": [1, 0, None, None], "k": [1.0, 0.0, 2.0, 2.0],
    }  # fmt: skip
    assert [message.partition("such as ")[2] for message in caplog.messages] == [
        "'ZZ', it is not a category of the flow, and 2.0",
        "'ZZ', it is not a category of the flow, and missing",
    ]


def test_a_category_that_a_step_must_not_meet(db: Database, tmp_path: Path) -> None:
    step = one_hot("t", "Self", "N/A", "ZZ", invalid_handling_strategy="Error")
    with pytest.raises(DataError) as caught:
        run(db, tmp_path, TYPES, step)
    assert str(caught.value) == (
        "t.csv line 4, column 't': '' is not a known category to t.flow, step 3 "
        "(sagemaker.spark.encode_categorical_0.1). "
        "Correct the cells, or let the flow's step keep unknown categories"
    )


REPLACED = "d = {'Self': 0, 'N/A': 1}\ndf['t'] = df['t'].replace(d)"


def test_replaced_texts(db: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = run(db, tmp_path, pandas(REPLACED), data="t\nSelf\nN/A\nSelf\n")
    assert made == {"t": [0, 1, 0]}
    db.run("DROP TABLE raw.t")
    halves = REPLACED.replace(": 1", ": 0.5")
    assert run(db, tmp_path, pandas(halves), data="t\nSelf\nN/A\n") == {"t": [0.0, 0.5]}
    db.run("DROP TABLE raw.t")
    assert caplog.messages == []
    made = run(db, tmp_path, TYPES, pandas(REPLACED), drop("n", "u"))
    assert made == {"t": ["0", "1", None, "ZZ"]}
    assert caplog.messages == [
        "Warning: t.flow, step 3 (sagemaker.spark.custom_pandas_0.1), column 't': in 1 of 4 rows, "
        "such as 'ZZ', it is not replaced, and the column stays text"
    ]
    db.run("DROP TABLE raw.t")
    words = "d = {'Self': 'me'}\ndf['t'] = df['t'].replace(d)"
    assert run(db, tmp_path, pandas(words))["t"] == ["me", "N/A", None, "ZZ"]


def test_the_time_of_the_run_is_no_column(db: Database, tmp_path: Path) -> None:
    made = run(db, tmp_path, pandas(NOW), cast("event_time", "long"), drop("n", "u"))
    assert [*made] == ["t"]


def test_parquet(db: Database, tmp_path: Path) -> None:
    data = io.BytesIO()
    columns = {"n": pa.array([1, None], pa.int8()), "f": pa.array([1.5, None], pa.float32()),
               "b": [True, None], "t": ["X", None], "d": pa.array([1, 2], pa.date32())}  # fmt: skip
    pq.write_table(pa.table(columns), data)
    steps = (infer(n="long", f="long", b="float", t="string", d="object"), drop("d"), pandas(LOWER))
    made = run(db, tmp_path, *steps, data=data.getvalue())
    assert made == {"n": [1, None], "f": [1, None], "b": [1.0, None], "t": ["x", None]}


STEP_FAULTS: dict[str, tuple[tuple[Node, ...], str]] = {
    "other columns": (
        (infer(n="long", t="string", x="string", y="string"),),
        "step 2 (sagemaker.spark.infer_and_cast_type_0.1): the table lacks 'x', 'y' and the flow "
        "does not know 'u'. Use the table that the flow was made for",
    ),
    "a column that is not there": (
        (cast("N", "long"),),
        "step 2 (sagemaker.spark.cast_single_data_type_0.1): column 'N' is missing. "
        "Use the table that the flow was made for",
    ),
    "a column that is dropped twice": (
        (drop("n"), drop("n")),
        "step 3 (sagemaker.spark.manage_columns_0.1): column 'n' is missing. "
        "Use the table that the flow was made for",
    ),
    "a column that is there": (
        (one_hot("t", "x", output_column="n"), one_hot("t", "x", output_column="n")),
        "step 3 (sagemaker.spark.encode_categorical_0.1): column n_x exists already. "
        "Leave the step out of the flow, or rename the column",
    ),
    "numbers that are replaced": (
        (TYPES, pandas("d = {'1': 2}\ndf['n'] = df['n'].replace(d)")),
        "step 3 (sagemaker.spark.custom_pandas_0.1): the column n is not text, and texts of it are "
        "replaced. Leave the step out of the flow",
    ),
    "fractions as text": (
        (infer(n="float", t="string", u="string"), remove_symbols("n")),
        "step 3 (sagemaker.spark.format_string_0.1): a cast from float to string is not "
        "supported. Leave the step out of the flow, or prepare the column with a query (--sql)",
    ),
    "nothing to fit on": (
        (TYPES, cast("t", "long"), encode("Ordinal encode", "t", None)),
        "step 4 (sagemaker.spark.encode_categorical_0.1): the column t has no category. "
        "Leave the step out of the flow",
    ),
}


@pytest.mark.parametrize(("steps", "text"), STEP_FAULTS.values(), ids=STEP_FAULTS)
def test_steps_that_cannot_be_taken(
    db: Database, tmp_path: Path, steps: tuple[Node, ...], text: str
) -> None:
    with pytest.raises(DataError) as caught:
        run(db, tmp_path, *steps)
    assert str(caught.value) == f"table t, t.flow, {text}"


def test_dates_as_text(db: Database, tmp_path: Path) -> None:
    data = io.BytesIO()
    pq.write_table(pa.table({"d": pa.array([1], pa.date32())}), data)
    with pytest.raises(DataError) as caught:
        run(db, tmp_path, pandas(LOWER), data=data.getvalue())
    assert str(caught.value) == (
        "table t, t.flow, step 2 (sagemaker.spark.custom_pandas_0.1): the column d is neither text "
        "nor number. Leave it out, or write it as text"
    )


def test_names_that_sql_takes_for_one(db: Database, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        run(db, tmp_path, TYPES, one_hot("t", "a", "A"))
    assert str(caught.value) == (
        "table t, after t.flow: two columns are called 't_a' and 't_A'. "
        "Give every column its own name; SQL takes a and A for the same"
    )


def test_a_flow_for_another_table(db: Database, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(TABLE)
    (tmp_path / "x.flow").write_text(flow("claims.csv", [TYPES]))
    raw = load_table(db, TableFiles("t", {"t.csv": path}))
    with pytest.raises(SettingsError) as caught:
        run_flows(db, [raw], read_flows([tmp_path / "x.flow"]))
    assert str(caught.value) == (
        "--flow: x.flow is for the table 'claims', and the tables are 't'. "
        "Give the table the name of the flow's source, or leave the flow out"
    )
