"""What a search of hyperparameters tried, drawn and listed."""

from collections.abc import Sequence

import numpy as np

from sagetree.bundle.learning_curve import Setting, Trial, TuningHistory
from sagetree.evaluate.report.page import axes, marks
from sagetree.evaluate.report.page.document import Chart, Row, TextTable, shown
from sagetree.evaluate.report.page.marks import MUTED, ONE, TWO

# Trials in the table of the best ones.
BEST = 10


def search_in_words(history: TuningHistory) -> tuple[str, ...]:
    """Return what was tried and chosen, and what the held-out rows have to do with it."""
    is_usual = history.chosen < history.defaults
    chosen = "the defaults" if is_usual else f"trial {history.chosen + 1}"
    tried = (
        f"{len(history.trials)} settings were tried; the first {history.defaults} of them are the "
        f"defaults. The search chose {chosen}: a trial behind these is chosen where it gains more "
        "than the standard error of the gain over the folds."
    )
    if not history.folds:
        return (tried,)
    return (
        tried,
        "The values of trials chose, and are better than new rows will show. The rows that this "
        f"training left out are scored by {len(history.folds)} models, each of a search of its "
        "own that never saw them.",
    )


def tuning_chart(history: TuningHistory) -> Chart:
    """Return the value of each trial, and the best of the whole ones so far."""
    trials = [(n, t) for n, t in enumerate(history.trials, start=1) if t.value is not None]
    points = np.array([(number, trial.value) for number, trial in trials], np.float64)
    whole = np.array([trial.state == "complete" for _, trial in trials])
    best = np.maximum if history.is_maximized else np.minimum
    so_far = np.column_stack([points[whole, 0], best.accumulate(points[whole, 1])])
    last = [(len(history.trials), value) for value in so_far[-1:, 1]]
    return Chart(
        f"The trials by {history.metric}",
        f"A dot is a trial: the mean {history.metric} of the folds it was tried on, grey where it "
        "was pruned behind the first of them. The line is the best whole trial so far.",
        TextTable(
            ("trial", history.metric, "state"),
            tuple((str(n), f"{t.value:.5g}", t.state) for n, t in trials),
        ),
        axes.numbers("trial", points[:, 0]),
        axes.numbers(history.metric, points[:, 1]),
        (
            marks.Dots(points[~whole], MUTED, 6),
            marks.Dots(points[whole], ONE, 6),
            marks.stairs(np.array([*so_far.tolist(), *last]), TWO, "best so far"),
        ),
    )


def best_trials(history: TuningHistory) -> TextTable:
    """Return the best whole trials with their settings, the chosen one first."""
    whole = [n for n, trial in enumerate(history.trials) if trial.state == "complete"]
    values = {n: history.trials[n].value or 0.0 for n in whole}
    sign = -1 if history.is_maximized else 1
    order = sorted(whole, key=lambda n: (n != history.chosen, sign * values[n], n))
    names = [*history.trials[history.chosen].settings]
    return TextTable(
        ("trial", history.metric, "rounds", *names),
        tuple(_row(n + 1, history.trials[n], names) for n in order[:BEST]),
        "The trial that was chosen, and the best others",
    )


def chosen_in_folds(history: TuningHistory) -> TextTable:
    """Return what the search of each fold chose."""
    names = [*history.folds[0]]
    rows = tuple(
        (str(fold), *(_said(settings[name]) for name in names))
        for fold, settings in enumerate(history.folds, start=1)
    )
    return TextTable(("fold", *names), rows, "What the search of each fold chose")


def _row(number: int, trial: Trial, names: Sequence[str]) -> Row:
    settings = (_said(trial.settings[name]) for name in names)
    return (str(number), f"{trial.value:.5g}", str(trial.best_round), *settings)


def _said(value: Setting) -> str:
    return shown(value) if isinstance(value, str) else f"{value:.4g}"
