"""The first section: the verdict, in words for who decides, and the figures to remember."""

import math
from collections.abc import Iterator

from sagetree.evaluate.report.binary import BinaryFacts
from sagetree.evaluate.report.charts.outcomes import between
from sagetree.evaluate.report.facts import MetricEstimate, ReportFacts
from sagetree.evaluate.report.page.document import KeyFigure, Section, shown

# The workload that the first sentences speak of.
SPOKEN_SHARE = 0.05

# A key figure between these is a whole number: with three digits it would have an exponent.
LARGE, HUGE = 1e3, 1e9


def verdict_section(facts: ReportFacts) -> Section:
    """Return the verdict in a few sentences, and the figures to remember."""
    judgement = facts.judgement
    sentences = [f"{judgement.verdict}: {judgement.reason}."] if judgement.verdict else []
    sentences += _plain_words(facts)
    sentences += [f"Caution: {shown(warning, 400)}." for warning in judgement.warnings]
    return Section("verdict", "The verdict", tuple(sentences), figures=tuple(_keys(facts)))


def _plain_words(facts: ReportFacts) -> Iterator[str]:
    """Yield what a person who decides has to know, without a term of the trade."""
    new = "that the model had not seen" if facts.rows_name == "the test rows" else ""
    outcome, target = facts.outcome, facts.target
    if not isinstance(outcome, BinaryFacts):
        yield f"Measured on {facts.rows} rows{f' {new}' if new else f': {facts.rows_name}'}."
        if facts.baseline is not None:
            found = facts.metric(facts.headline)
            interval = f" (95 % interval {between(found.low, found.high)})" if found.known else ""
            yield (
                f"The {facts.headline} is {found.value:.4g}{interval}; a constant prediction "
                f"would give {facts.baseline:.4g}."
            )
        return
    positive = shown(f"{target.label} = {target.positive}")
    yield (
        f"Measured on {facts.rows} rows{f' {new}' if new else f': {facts.rows_name}'}. "
        f"{facts.positives} of them ({outcome.share_positive:.2%}) are positive: {positive}."
    )
    auc = facts.metric("auc")
    yield (
        f"Of a positive row and another one, both picked at random, the positive one has the "
        f"higher score in {auc.value:.1%} of cases (95 % interval {auc.low:.1%} to "
        f"{auc.high:.1%}; by chance it would be 50 %)."
    )
    spoken = next(w for w in outcome.workloads if w.share == SPOKEN_SHARE)
    yield (
        f"Checking the {spoken.share:.0%} of rows with the highest scores finds "
        f"{spoken.caught:.0%} of all positive ones ({spoken.lift:.1f} times as many as by "
        f"chance), and {spoken.precision:.0%} of those checked are positive."
    )
    precision, recall = facts.metric("precision"), facts.metric("recall")
    yield (
        f"At the threshold, {recall.value:.0%} of the positive rows are found, and "
        f"{precision.value:.0%} of the rows called positive are so."
    )


def _keys(facts: ReportFacts) -> Iterator[KeyFigure]:
    outcome = facts.outcome
    if not isinstance(outcome, BinaryFacts):
        known = [
            metric
            for metric in facts.metrics
            if not metric.name.endswith("_best_constant_classifier")
            and (metric.name == facts.headline or not math.isnan(metric.low))
        ]
        for metric in known[:4]:
            yield _key(metric.name.replace("f0_5", "f0.5").replace("_", " "), metric)
        return
    yield _key("AUC", facts.metric("auc"))
    yield _key("average precision", facts.metric("aucpr"))
    spoken = next(w for w in outcome.workloads if w.share == SPOKEN_SHARE)
    low, high = spoken.caught_interval
    yield KeyFigure(
        f"found by checking {spoken.share:.0%}", f"{spoken.caught:.0%}", f"{low:.0%} to {high:.0%}"
    )
    if facts.point:
        chosen = facts.point.chosen
        for name, share in (("precision", chosen.precision), ("recall", chosen.recall)):
            if share is not None:
                interval = f"{share.low:.0%} to {share.high:.0%}"
                yield KeyFigure(f"{name} at the threshold", f"{share.value:.0%}", interval)


def _key(name: str, metric: MetricEstimate) -> KeyFigure:
    low, high = _digits(metric.low), _digits(metric.high)
    return KeyFigure(
        name, _digits(metric.value, 3), f"95 %: {low} to {high}" if metric.known else ""
    )


def _digits(value: float, digits: int = 4) -> str:
    return f"{value:,.0f}" if LARGE <= abs(value) < HUGE else f"{value:.{digits}g}"
