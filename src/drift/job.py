"""The walk of a watch for drift: a model and what was captured to what has changed."""

from collections.abc import Iterator
from pathlib import Path

from sagetree.bundle.model import Model
from sagetree.drift.captured.late_labels import JoinedLabels, LateLabels, join, merged, read_labels
from sagetree.drift.captured.reading import Capture, read_capture
from sagetree.drift.measures.drift import Drift, measure_drift
from sagetree.drift.model import load_model
from sagetree.drift.outputs.constraints import constraints_json, violations_json
from sagetree.drift.outputs.statistics import statistics_json
from sagetree.drift.page.sections import SECTIONS, TITLE
from sagetree.drift.settings import DriftSettings
from sagetree.errors import PlatformError
from sagetree.evaluate.report.page.document import present
from sagetree.evaluate.report.page.html import html_page
from sagetree.evaluate.results import remove_results, write_results
from sagetree.machine.program import LOG

STATISTICS, CONSTRAINTS = "statistics.json", "constraints.json"
VIOLATIONS, REPORT = "constraint_violations.json", "report.html"
FILES = (STATISTICS, CONSTRAINTS, VIOLATIONS, REPORT)

# Columns that the log names.
_NAMED = 20


def run(settings: DriftSettings) -> Drift:
    """Compare what was captured with training's rows, and write the four files.

    Raises UserError for a model, rows or labels that cannot be used, PlatformError where the
    files cannot be written.
    """
    model, bundle = load_model(settings.model)
    late = read_labels(settings.labels, bundle.schema) if settings.labels else None
    keys = frozenset(late.keys) if late else frozenset[str]()
    capture = read_capture(model, settings.captured, keys, settings.window)
    joined = _joined(model, late, capture)
    drift = measure_drift(model, bundle, capture, joined, settings.limits)
    _write(settings.out, drift)
    for line in summary(drift):
        LOG.info("%s", line)
    return drift


def _joined(model: Model, late: LateLabels | None, capture: Capture) -> JoinedLabels | None:
    missing = model.features.missing
    if late is not None:
        return join(late, capture.rows, missing)
    label = model.schema.label
    return merged(label, capture.rows, missing) if label is not None else None


def _write(folder: Path, drift: Drift) -> None:
    contents = {
        STATISTICS: statistics_json(drift),
        CONSTRAINTS: constraints_json(drift),
        VIOLATIONS: violations_json(drift),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_results(folder, FILES)
        write_results(folder, contents)
        (folder / REPORT).write_text(html_page(TITLE, present(SECTIONS, drift)), encoding="utf-8")
    except OSError as error:
        reason = f"it cannot be written: {error.strerror or error}"
        hint = "Name a folder that you may write to"
        raise PlatformError(reason, where=str(folder), hint=hint) from error


def summary(drift: Drift) -> Iterator[str]:
    """Yield what was found, a line each."""
    capture = drift.capture
    of = f" of {capture.requests} requests" if capture.requests else ""
    yield f"{capture.rows.rows} rows{of}; {len(drift.columns)} columns"
    if capture.outside:
        yield f"{capture.outside} requests were made outside of the window: left out"
    if capture.without_input:
        yield f"{capture.without_input} requests were captured without their input: left out"
    if capture.refusals.rows:
        first = next(iter(capture.refusals.examples.values()))
        yield f"{capture.refusals.rows} rows or requests cannot be scored, such as {first}"
    if capture.refusals.extra:
        yield f"Columns the model does not know: {', '.join(capture.refusals.extra)}"
    unknown = [column.known.name for column in drift.columns if column.unmeasured]
    if unknown:
        yield f"The model's bundle does not hold the values of {', '.join(unknown[:_NAMED])}"
    yield from _of_labels(drift)
    for one in drift.findings[:_NAMED]:
        yield f"{one.severity.word}: {one.feature}: {one.description}"
    more = len(drift.findings) - _NAMED
    if more > 0:
        yield f"and {more} more"
    yield f"Drift: {drift.severity.word}"


def _of_labels(drift: Drift) -> Iterator[str]:
    decay = drift.decay
    if decay is None:
        return
    rows = f"{len(decay.labels.labels)} rows have a label, by {decay.labels.key}"
    if decay.value is None:
        yield f"{rows}: {decay.unmeasured}"
        return
    before = "" if decay.before is None else f", in training {decay.before:.4g}"
    yield f"{rows}: {decay.metric} {decay.value:.4g}{before}"
