"""Counting in one worker, adding up over all, and what /metrics and CloudWatch get."""

import json
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from sagetree.bundle.baseline import Baseline
from sagetree.features.category import Category, OneHot
from sagetree.features.number import Number, RuledNumber
from sagetree.features.pipeline import FeatureMatrix, FeaturePipeline
from sagetree.serve.telemetry.counts import Counts, keep_gone, make_folder, remove_folder
from sagetree.serve.telemetry.drift import (
    MOST_BYTES,
    MOST_BYTES_OF_LARGE,
    ROWS_PER_DIGEST,
    ROWS_PER_REQUEST,
    WINDOW_SECONDS,
    Monitor,
    Window,
)
from sagetree.serve.telemetry.emf import EmfReport, emf_line
from sagetree.serve.telemetry.exposition import MODEL_LABELS, exposition
from sagetree.serve.telemetry.metrics import Observer
from sagetree.serve.telemetry.observation import Trace
from sagetree.tables.schema import Shift

FEATURES = FeaturePipeline(
    missing_values=(),
    unknown_category="missing",
    features=(
        Number(column="amount"),
        Category(column="state", categories=("a", "b")),
        OneHot(column="size", categories=("s", "m")),
    ),
)
NAN = np.nan
TRAINED = np.array([[i, i % 2, 1, 0] for i in range(100)], np.float32)
BASELINE = Baseline.measure(TRAINED, TRAINED[:, 0] / 100)


HASH = "0123456789abcdef"
KEY = f"m\t{HASH[:12]}"


def monitor_for(name: str = "m", baseline: Baseline | None = BASELINE) -> Monitor:
    return Monitor(name, HASH, FEATURES, baseline)


def matrix_of(*rows: tuple[float, ...], unseen: tuple[tuple[int, str], ...] = ()) -> FeatureMatrix:
    return FeatureMatrix(np.array(rows, np.float32), unseen)


def observation(route: str = "/invocations", status: int = 200, rows: int = 1) -> Trace:
    seen = Trace("1", "POST", route, 100)
    seen.phase_seconds = {"decode": 0.001, "transform": 0.002, "score": 0.003, "encode": 0.004}
    seen.rows = rows
    seen.finish(status, 10)
    seen.seconds = 0.012
    return seen


def samples(observer: Observer) -> dict[str, float]:
    """Each sample of what /metrics tells, by its name and its labels' values, the model's first."""
    counts = observer.totals()
    text = exposition(counts, observer.monitored(counts)).decode()
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = dict.fromkeys(MODEL_LABELS) | sample.labels
            values = [value for value in labels.values() if value is not None]
            found[f"{sample.name}{values or ''}"] = sample.value
    return found


def test_missing_cells_and_unseen_categories_are_counted_by_column():
    monitor = monitor_for()
    matrix = matrix_of(
        (NAN, 0, 1, 0), (2, NAN, 0, 0), (3, NAN, 0, 0), unseen=((1, "state"), (2, "size"))
    )
    monitor.note(matrix, np.zeros(3, np.float32))
    counts = monitor.counts()
    assert (counts.missing, counts.unseen) == ([1, 1, 1], [0, 1, 1])


def test_rows_fall_into_the_bins_of_the_baseline():
    monitor = monitor_for()
    for part in (slice(0, 50), slice(50, 100)):
        monitor.note(FeatureMatrix(TRAINED[part], ()), TRAINED[part, 0] / 100)
    histograms = (*BASELINE.features, *BASELINE.scores)
    assert monitor.counts().bins == [list(histogram.counts) for histogram in histograms]


def test_of_many_rows_some_are_binned_and_every_missing_cell_is_counted():
    monitor = monitor_for()
    many = np.tile(np.array([NAN, 0, 1, 0], np.float32), (ROWS_PER_REQUEST * 3, 1))
    monitor.note(FeatureMatrix(many, ()), many[:, 1])
    assert monitor.counts().missing == [len(many), 0, 0]
    assert monitor.counts().missing == [len(many), 0, 0]
    assert sum(monitor.counts().bins[0]) == ROWS_PER_REQUEST
    few = FeatureMatrix(many[:ROWS_PER_REQUEST], ())
    requests = 2 * ROWS_PER_DIGEST // ROWS_PER_REQUEST
    for _ in range(requests):
        monitor.note(few, many[:ROWS_PER_REQUEST, 1])
    assert monitor.counts().missing == [len(many) + requests * ROWS_PER_REQUEST, 0, 0]
    assert sum(monitor.counts().bins[0]) == ROWS_PER_REQUEST + ROWS_PER_DIGEST


def test_rows_that_nobody_counts_do_not_fill_the_memory():
    monitor = monitor_for()
    matrix = FeatureMatrix(np.full((ROWS_PER_REQUEST, 4), NAN, np.float32), ())
    for _ in range(2 * MOST_BYTES // matrix.values.nbytes):
        monitor.note(matrix, np.zeros(ROWS_PER_REQUEST, np.float32))
    assert monitor.counts().missing[0] == MOST_BYTES // matrix.values.itemsize // 4


def test_large_requests_of_many_columns_do_not_fill_it_either() -> None:
    features = FeaturePipeline(
        missing_values=(),
        unknown_category="missing",
        features=tuple(Number(column=f"x{i}") for i in range(20_000)),
    )
    monitor = Monitor("m", HASH, features, None)
    matrix = FeatureMatrix(np.zeros((ROWS_PER_REQUEST + 1, 20_000), np.float32), ())
    tracemalloc.start()
    try:
        for _ in range(20):
            monitor.note(matrix, np.zeros(ROWS_PER_REQUEST + 1, np.float32))
        assert tracemalloc.get_traced_memory()[0] < MOST_BYTES_OF_LARGE * 1.1
    finally:
        tracemalloc.stop()


def test_counting_takes_a_small_share_of_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sagetree.serve.telemetry.metrics.FLUSH_SECONDS", 0.01)
    flushed: list[float] = []
    are_three = threading.Event()

    def work(_counts: Counts) -> None:
        end = time.thread_time() + 0.02
        while time.thread_time() < end and not are_three.is_set():
            pass
        flushed.append(time.monotonic())
        if len(flushed) == 3:
            are_three.set()

    Observer(None, lambda seen: "", lambda line: None).start(work)
    assert are_three.wait(60)
    assert flushed[2] - flushed[0] >= 2 * 20 * 0.02


def test_threads_that_record_and_flush_at_once_lose_nothing(tmp_path: Path):
    monitor, lines = monitor_for(), list[str]()
    observer = Observer(tmp_path, lambda seen: "", lines.append)

    def work() -> None:
        for number in range(200):
            seen = observation()
            seen.scored(monitor, matrix_of((NAN, 0, 1, 0)), np.zeros(1, np.float32))
            observer.record(seen)
            if number % 4 == 0:
                observer.totals()

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work) for _ in range(4)]:
            done.result()
    totals = observer.totals()
    assert totals.values["rows"] == len(lines) == 800
    assert totals.monitors[KEY].missing == [800, 0, 0]


def test_a_model_without_a_baseline_has_its_columns_counted():
    monitor = monitor_for(baseline=None)
    monitor.note(matrix_of((NAN, 0, 1, 0)), np.zeros(1, np.float32))
    assert (monitor.counts().missing, monitor.counts().bins) == ([1, 0, 0], [])


def test_a_window_forgets_what_is_older_than_the_hour_before():
    window = Window(BASELINE.features[1])
    zeros = np.zeros(5, np.float32)
    window.add(zeros, 0.0)
    window.add(zeros, WINDOW_SECONDS - 1.0)
    assert window.counts(WINDOW_SECONDS * 1.5).tolist() == [10, 0, 0]
    window.add(zeros, WINDOW_SECONDS * 1.5)
    assert window.counts(WINDOW_SECONDS * 1.9).tolist() == [15, 0, 0]
    assert window.counts(WINDOW_SECONDS * 2.0).tolist() == [5, 0, 0]
    assert window.counts(WINDOW_SECONDS * 4.0).tolist() == [0, 0, 0]


def test_an_observer_writes_the_line_and_counts(tmp_path: Path):
    lines: list[str] = []
    observer = Observer(tmp_path, lambda seen: f"{seen.route} {seen.status}", lines.append)
    observer.record(observation(rows=3))
    observer.record(observation(status=422, rows=0))
    observer.record(observation(route="/ping"))
    assert lines == ["/invocations 200", "/invocations 422", "/ping 200"]
    values = observer.totals().values
    assert values["requests\tPOST\t/invocations\t200"] == 1
    assert values["requests\tPOST\t/invocations\t422"] == 1
    assert values["requests\tPOST\t/ping\t200"] == 1
    assert (values["rows"], values["bytes_in"], values["bytes_out"]) == (3, 300, 30)
    assert values["seconds"] == pytest.approx(0.024)
    assert values["bucket\t5"] == 2  # of 12 ms, between 10 and 25
    phases = [values[f"phase\t{name}"] for name in ("decode", "transform", "score", "encode")]
    assert phases == pytest.approx([0.002, 0.004, 0.006, 0.008])


def test_the_counts_of_all_workers_add_up_also_of_those_that_are_gone():
    folder = make_folder()
    monitor = monitor_for()
    monitor.note(matrix_of((NAN, 0, 1, 0)), np.zeros(1, np.float32))
    for pid in (11, 12):
        Counts({"rows": 2, f"only {pid}": 1}, {KEY: monitor.counts()}).write(folder, pid)
    before = Counts.total(folder)
    assert before.values == {"rows": 4, "only 11": 1, "only 12": 1}
    assert before.monitors[KEY].missing == [2, 0, 0]
    keep_gone(folder, 11)
    keep_gone(folder, 13)  # it ended before it had counted anything
    after = Counts.total(folder)
    assert after.values == before.values
    assert after.monitors[KEY].missing == [2, 0, 0]
    # what a worker saw an hour ago is not a part of this hour's shares
    assert sum(after.monitors[KEY].bins[0]) == 1
    assert sorted(path.name for path in folder.iterdir()) == ["12", "gone"]
    remove_folder(folder)
    assert not folder.exists()


def test_metrics_tell_requests_times_and_drift(tmp_path: Path):
    monitor = monitor_for()
    observer = Observer(tmp_path, lambda seen: "", lambda line: None)
    shifted = TRAINED.copy()
    shifted[:, 0] += 90
    for _ in range(2):
        seen = observation(rows=100)
        for part in (slice(0, 50), slice(50, 100)):
            unseen = ((0, "state"),) if part.start == 0 else ()
            matrix = FeatureMatrix(shifted[part], unseen)
            seen.scored(monitor, matrix, TRAINED[part, 0] / 100)
        observer.record(seen)
    found = samples(observer)
    assert found["sagetree_requests_total['POST', '/invocations', '200']"] == 2
    assert found["sagetree_rows_total"] == 200
    assert found["sagetree_request_seconds_bucket['0.01']"] == 0
    assert found["sagetree_request_seconds_bucket['0.025']"] == 2
    assert found["sagetree_request_seconds_bucket['+Inf']"] == 2
    assert found["sagetree_request_seconds_count"] == 2
    assert found["sagetree_request_seconds_sum"] == pytest.approx(0.024)
    assert found["sagetree_phase_seconds_total['score']"] == pytest.approx(0.006)
    model = f"'m', '{HASH[:12]}'"
    assert found[f"sagetree_unseen_categories_total[{model}, 'state']"] == 2
    assert found[f"sagetree_missing_values_total[{model}, 'amount']"] == 0
    assert found[f"sagetree_drift_rows[{model}]"] == 200
    assert found[f"sagetree_feature_psi[{model}, 'amount']"] > 1
    assert found[f"sagetree_feature_psi[{model}, 'state']"] < 0.01
    assert found[f"sagetree_feature_psi[{model}, 'size=s']"] < 0.01
    assert found[f"sagetree_score_psi[{model}, '0']"] < 0.01
    assert found[f"sagetree_score_rows[{model}, 'missing', '0']"] == 0
    assert found[f"sagetree_score_rows[{model}, 'above', '0']"] == 20


def test_with_few_rows_there_is_no_index(tmp_path: Path):
    monitor = monitor_for()
    observer = Observer(tmp_path, lambda seen: "", lambda line: None)
    assert not [name for name in samples(observer) if "drift_rows" in name]
    record(observer, monitor, NAN)
    found = samples(observer)
    assert found[f"sagetree_drift_rows['m', '{HASH[:12]}']"] == 1
    assert not [name for name in found if "psi" in name]


def record(observer: Observer, monitor: Monitor, amount: float) -> None:
    """Let a row be scored whose size is missing."""
    seen = observation()
    seen.scored(monitor, matrix_of((amount, 0, 0, 0)), np.zeros(1, np.float32))
    observer.record(seen)


@pytest.mark.parametrize("shared", [True, False])
def test_each_model_has_its_own_counts_until_it_goes(tmp_path: Path, shared: bool):
    observer = Observer(tmp_path if shared else None, lambda seen: "", lambda line: None)
    one, other = monitor_for("a\tb"), monitor_for("c", baseline=None)
    for _ in range(3):
        record(observer, one, 1)
    record(observer, other, NAN)

    def missing(column: str) -> dict[str, float]:
        found, head = samples(observer), "sagetree_missing_values_total['"
        end = f"', '{HASH[:12]}', '{column}']"
        return {
            name.removeprefix(head).removesuffix(end): value
            for name, value in found.items()
            if name.startswith(head) and name.endswith(end)
        }

    assert missing("size") == {"a\\tb": 3, "c": 1}
    assert missing("amount") == {"a\\tb": 0, "c": 1}
    again = monitor_for("c", baseline=None)  # it was loaded anew
    record(observer, again, 1)
    assert missing("size") == {"a\\tb": 3, "c": 1}
    del one
    assert missing("size") == {"c": 1}


def test_counts_without_new_rows_are_not_counted_again():
    monitor = monitor_for()
    monitor.note(matrix_of((NAN, 0, 1, 0)), np.zeros(1, np.float32))
    first = monitor.counts()
    assert monitor.counts() is first
    monitor.note(matrix_of((NAN, 0, 1, 0)), np.zeros(1, np.float32))
    assert monitor.counts().missing == [2, 0, 0]


def test_cloudwatch_is_told_what_was_counted_since_the_last_line():
    clock, lines = iter([0.0, 59.0, 60.0, 119.0, 120.0, 180.0]), []
    report = EmfReport(60, lines.append, lambda: next(clock))
    first = {
        "requests\tPOST\t/invocations\t200": 3, "requests\tGET\t/ping\t503": 1, "rows": 30,
        "bytes_in": 300, "bytes_out": 30, "seconds": 0.006, "bucket\t1": 3,
        "phase\tdecode": 0.003, "phase\ttransform": 0.0, "phase\tscore": 0.0, "phase\tencode": 0.0,
    }  # fmt: skip
    second = first | {"requests\tPOST\t/invocations\t422": 1, "bucket\t1": 4, "seconds": 0.016}
    for values in (first, first, second, second, second):
        report.tell(Counts(values, {}))
    one, two = map(json.loads, lines)
    definitions = one["_aws"]["CloudWatchMetrics"]
    names = [metric["Name"] for metric in definitions[0]["Metrics"]]
    assert definitions[0]["Namespace"] == "sagetree"
    assert definitions[0]["Dimensions"] == [["Model"]]
    assert one["_aws"]["Timestamp"] == 60_000
    assert {name: one[name] for name in names} == {
        "Requests": 4, "Errors4XX": 0, "Errors5XX": 1, "Rows": 30, "BytesIn": 300, "BytesOut": 30,
        "Latency": 2.0, "DecodeLatency": 1.0, "TransformLatency": 0, "ScoreLatency": 0,
        "EncodeLatency": 0,
    }  # fmt: skip
    assert (two["Requests"], two["Errors4XX"], two["Rows"], two["Latency"]) == (1, 1, 0, 10.0)


def test_a_time_without_predictions_has_no_latency():
    values = {"requests\tGET\t/ping\t200": 1, "rows": 0, "bytes_in": 0, "bytes_out": 0}
    line = json.loads(emf_line({}, values, "m", 1))
    assert (line["Requests"], line["Model"], "Latency" in line) == (1, "m", False)
    assert emf_line(values, values, "m", 1) == ""


def test_cloudwatch_has_the_hash_of_the_model_as_long_as_there_is_one():
    values = {"requests\tGET\t/ping\t200": 1, "rows": 0, "bytes_in": 0, "bytes_out": 0}
    counts = monitor_for().counts()
    for keys, expected in (((), "-"), ((KEY,), HASH[:12]), ((KEY, "other\tabc"), "-")):
        clock, lines = iter([0.0, 60.0]), list[str]()
        report = EmfReport(60, lines.append, lambda clock=clock: next(clock))
        report.tell(Counts(values, dict.fromkeys(keys, counts)))
        assert json.loads(lines[0])["Model"] == expected


def test_numbers_with_a_shift_are_counted_in_the_users_unit() -> None:
    days = RuledNumber(column="day", shift=Shift(offset=20180131, scale=0.5))
    features = FeaturePipeline(missing_values=(), unknown_category="missing", features=(days,))
    given = np.array([[0], [2], [2], [4]], np.float32)  # 20180131, 20180132 twice, 20180133
    baseline = Baseline.measure(features.in_own_units(given), np.zeros(4, np.float32))
    assert baseline.features[0].edges == (20180131.5, 20180132.5)
    monitor = Monitor("m", HASH, features, baseline)
    monitor.note(FeatureMatrix(given, ()), np.zeros(4, np.float32))
    assert monitor.counts().bins[0] == [1, 2, 1, 0]
