"""Labels that came later find their rows, and metrics that have fallen are reported."""

import json
from pathlib import Path

import pytest

from sagetree.bundle.bundle import ModelBundle
from sagetree.bundle.model import Model
from sagetree.drift.captured.late_labels import JoinedLabels, join, merged, read_labels
from sagetree.drift.captured.reading import read_capture
from sagetree.drift.measures.decay import measure_decay
from sagetree.drift.measures.findings import Severity
from sagetree.errors import UserError
from sagetree.train.cli import main as train
from tests.drift.watched import (
    COLUMNS,
    INPUTS,
    LABEL,
    Row,
    captured,
    one_each,
    rows,
    text,
    write_lines,
)

ROWS = rows(40, 8)
TRUE = [row[LABEL] for row in ROWS]


def joined(model: Model, capture: Path, labels: Path) -> JoinedLabels:
    late = read_labels(labels, model.schema)
    found = read_capture(model, [capture], frozenset(late.keys), None).rows
    return join(late, found, model.features.missing)


def truth(key: str, label: object) -> dict[str, object]:
    """A record of ground truth as Model Monitor takes it."""
    return {
        "groundTruthData": {"data": str(label), "encoding": "CSV"},
        "eventMetadata": {"eventId": key},
        "eventVersion": "0",
    }


@pytest.mark.parametrize("name", ["inferenceId", "inference_id", "eventId"])
def test_a_table_is_joined_by_what_names_requests(name: str, model: Model, tmp_path: Path) -> None:
    """In any order; those without a label are left, and so are labels of other requests."""
    letter = name[0]
    lines = [f"{letter}{n},{TRUE[n]}" for n in reversed(range(5, 40))]
    labels = tmp_path / "labels.csv"
    labels.write_text("\n".join([f"{name},{LABEL}", *lines, f"{letter}99,1", f"{letter}4,"]))
    found = joined(model, write_lines(tmp_path / "c.jsonl", one_each(ROWS)), labels)
    assert (found.rows.tolist(), found.unmatched) == ([*range(5, 40)], 5)
    assert found.labels.tolist() == TRUE[5:]


@pytest.mark.parametrize("letter", ["i", "e"])
def test_ground_truth_is_that_of_model_monitor(letter: str, model: Model, tmp_path: Path) -> None:
    """By the inference id; by the event id where a request has no other."""
    records = one_each(ROWS)
    if letter == "e":
        for record in records:
            del record["eventMetadata"]["inferenceId"]  # type: ignore[attr-defined]
    labels = write_lines(
        tmp_path / "truth.jsonl", [truth(f"{letter}{n}", TRUE[n]) for n in range(40)]
    )
    found = joined(model, write_lines(tmp_path / "c.jsonl", records), labels)
    assert found.labels.tolist() == TRUE


def test_a_request_of_several_rows_takes_as_many_labels(model: Model, tmp_path: Path) -> None:
    """One label for several rows does not say which row it is for."""
    bodies = [text(ROWS[part], INPUTS, header=False) for part in (slice(3), slice(3, 5))]
    records = [captured(body, "text/csv", inference_id=f"i{n}") for n, body in enumerate(bodies)]
    three = "\n".join(map(str, TRUE[:3]))
    labels = write_lines(tmp_path / "truth.jsonl", [truth("i0", three), truth("i1", TRUE[3])])
    found = joined(model, write_lines(tmp_path / "c.jsonl", records), labels)
    assert (found.rows.tolist(), found.labels.tolist()) == ([0, 1, 2], TRUE[:3])


def test_a_request_that_was_sent_twice_has_its_label_twice(model: Model, tmp_path: Path) -> None:
    capture = write_lines(tmp_path / "c.jsonl", [*one_each(ROWS[:2]), *one_each(ROWS[:2])])
    labels = tmp_path / "labels.csv"
    labels.write_text(f"inferenceId,{LABEL}\ni0,{TRUE[0]}\ni1,{TRUE[1]}\n")
    found = joined(model, capture, labels)
    assert sorted(zip(found.rows.tolist(), found.labels.tolist(), strict=True)) == [
        (0, TRUE[0]), (1, TRUE[1]), (2, TRUE[0]), (3, TRUE[1]),
    ]  # fmt: skip


@pytest.mark.parametrize("key", ["policy", "claim"])
def test_tables_are_joined_by_a_column_of_both(key: str, model: Model, tmp_path: Path) -> None:
    """An identifier of training's, or a column that the model does not know."""
    table: list[Row] = [row | {"claim": f"c{n}"} for n, row in enumerate(ROWS)]
    (tmp_path / "rows.csv").write_text(text(table, (*COLUMNS, "claim")))
    (tmp_path / "labels.csv").write_text(text(table[::-1], (key, LABEL)))
    found = joined(model, tmp_path / "rows.csv", tmp_path / "labels.csv")
    assert (found.labels.tolist(), found.key, found.unmatched) == (TRUE, key, 0)


def test_rows_whose_labels_contradict_each_other_are_told(
    model: Model, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "rows.csv").write_text(text(ROWS, COLUMNS))
    other = [row | {LABEL: 1 - TRUE[n]} for n, row in enumerate(ROWS[:3])]
    labels = tmp_path / "labels.csv"
    labels.write_text(text([*ROWS[:-1], *other], ("policy", LABEL)))
    found = joined(model, tmp_path / "rows.csv", labels)
    assert (found.rows.tolist(), found.unmatched) == ([*range(3, 39)], 4)
    assert caplog.messages[-1] == (
        f"{labels}: 3 rows have several different labels, or not one "
        "label for each row of their request: they are left out"
    )


def test_a_column_that_was_dropped_by_name_may_name_rows(tmp_path: Path) -> None:
    """Whatever else is in both files: of columns that were left out, the one without repetition."""
    (tmp_path / "train.csv").write_text(text(rows(200, 0), (LABEL, *COLUMNS)))
    dropped = "drop_columns=policy,kind,city,seen"
    options = ["--target", LABEL, "--set", "num_round=1", "--set", dropped]
    assert train([str(tmp_path / "train.csv"), "--out", str(tmp_path / "out"), *options]) == 0
    model = Model.load(tmp_path / "out" / "model")
    (tmp_path / "rows.csv").write_text(text(ROWS, COLUMNS))
    for columns in (("policy",), ("kind", "policy", "amount")):
        (tmp_path / "labels.csv").write_text(text(ROWS[::-1], (*columns, LABEL)))
        found = joined(model, tmp_path / "rows.csv", tmp_path / "labels.csv")
        assert (found.labels.tolist(), found.key, found.unmatched) == (TRUE, "policy", 0)


def test_labels_that_were_merged_into_the_capture_are_taken(model: Model, tmp_path: Path) -> None:
    records = [
        record | {"groundTruthData": {"data": str(label), "encoding": "CSV"}}
        for record, label in zip(one_each(ROWS), TRUE, strict=True)
    ]
    capture = read_capture(model, [write_lines(tmp_path / "c.jsonl", records)], (), None)
    label = model.schema.label
    assert label is not None
    found = merged(label, capture.rows, model.features.missing)
    assert found is not None
    assert found.labels.tolist() == TRUE


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("inferenceId,label\ni0,1\n", "the label 'fraud' is missing. Give a table with the column "
         "'fraud' and one that names each row, such as inferenceId"),
        ("fraud\n1\n0\n", "no column identifies the rows. Give a table with the column 'fraud' "
         "and one "
         "that names each row, such as inferenceId"),
        ("claim,fraud\nc0,1\n", "the captured rows have none of its columns. Give a column "
         "'inferenceId', 'eventId', beside the label"),
        ("policy,claim,fraud\np0,c0,1\n", "the captured rows have none of its columns. Give "
         "a column 'inferenceId', 'eventId', beside the label"),
        ("inferenceId,fraud\ni0,maybe\n", "labels.csv row 1, column 'fraud': the label is 'maybe'. "
         "Every label must be '0' or '1'"),
    ],
)  # fmt: skip
def test_labels_that_cannot_be_used_say_why(
    content: str, problem: str, model: Model, tmp_path: Path
) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text(content)
    with pytest.raises(UserError) as error:
        joined(model, write_lines(tmp_path / "c.jsonl", one_each(ROWS)), labels)
    assert str(error.value).removeprefix(str(labels)).lstrip(": ") == problem


def decay_of(
    model: Model, bundle: ModelBundle, folder: Path, count: int, signal: float
) -> tuple[Severity, str]:
    table = rows(count, 9, signal=signal)
    (folder / "rows.csv").write_text(text(table, (LABEL, *COLUMNS)))
    late = read_labels(folder / "rows.csv", model.schema)
    capture = read_capture(model, [folder / "rows.csv"], frozenset(late.keys), None)
    known = join(late, capture.rows, model.features.missing)
    decay = measure_decay(model, bundle, capture.rows.scores, known, 0.001)
    assert (decay.metric, decay.before) == ("auc", bundle.metrics["auc"])
    findings = decay.findings
    return (findings[0].severity, findings[0].description) if findings else (Severity.NONE, "")


def test_a_label_that_follows_other_things_is_told(
    model: Model, bundle: ModelBundle, tmp_path: Path
) -> None:
    assert decay_of(model, bundle, tmp_path, 800, 2.0) == (Severity.NONE, "")
    severity, said = decay_of(model, bundle, tmp_path, 800, 0.0)
    assert severity is Severity.SERIOUS
    assert said.startswith("auc is 0.")
    assert "on 800 rows whose labels came later, and was 0." in said
    assert said.endswith("of its advantage over a constant prediction is lost")


def test_few_rows_or_one_label_are_no_metric(
    model: Model, bundle: ModelBundle, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text(text(ROWS, (LABEL, *COLUMNS)))
    cases = {
        "the metric needs 20 rows with a label": ROWS[:10],
        "all labels are the same so far": [row | {LABEL: 0} for row in ROWS],
    }
    for why, table in cases.items():
        (tmp_path / "labels.csv").write_text(text(table, ("policy", LABEL)))
        known = joined(model, tmp_path / "rows.csv", tmp_path / "labels.csv")
        scores = read_capture(model, [tmp_path / "rows.csv"], (), None).rows.scores
        decay = measure_decay(model, bundle, scores, known, 0.001)
        assert (decay.value, decay.unmeasured) == (None, why)


def test_a_capture_is_no_table_of_labels(model: Model, tmp_path: Path) -> None:
    capture = write_lines(tmp_path / "c.jsonl", one_each(ROWS))
    assert json.loads(capture.read_text().splitlines()[0])["captureData"]
    with pytest.raises(UserError) as error:
        joined(model, capture, capture)
    assert "none of its records" in str(error.value)
