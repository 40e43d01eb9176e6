"""The section on bias: whom labels and predictions favour, and all of Clarify's metrics."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from sagetree.evaluate.bias.analysis import (
    COMPARED,
    BiasAnalysis,
    BiasMetric,
    FacetBias,
    Remedy,
)
from sagetree.evaluate.bias.asked import BIAS_FILE
from sagetree.evaluate.report.bias.shares import FavourableShares, label_shares, prediction_shares
from sagetree.evaluate.report.page import axes, marks
from sagetree.evaluate.report.page.document import Chart, Row, Section, TextTable, shown
from sagetree.evaluate.report.page.marks import ONE, TWO

# Facets that have a sentence, and those in tables and charts; bias_analysis.json has all.
SPOKEN, MOST_FACETS = 3, 8

# Letters of a facet beside its lines in a chart.
_NAME = 26

SharesOf = Callable[[FacetBias], FavourableShares | None]

# What each metric compares; "others" are the rows outside the facet.
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "CDDL": "within groups: the facet's share of unfavourable labels less that of favourable",
        "CI": "others less the facet, as a share of all rows: 0 is as many of both",
        "DPL": "share with the favourable label: others less the facet",
        "JS": "how unlike the labels of both are: 0 is alike",
        "KL": "how unlike the facet's labels are to the others': 0 is alike",
        "KS": "the greatest difference of a label's shares",
        "LP": "the distance of the labels' shares",
        "TVD": "half the sum of the differences of the labels' shares",
        "AD": "accuracy: others less the facet",
        "CDDPL": "as CDDL, of predictions",
        "DAR": "share of favourable predictions that are right: others less the facet",
        "DCA": "favourable labels for each favourable prediction: others less the facet",
        "DCR": "unfavourable labels for each unfavourable prediction: the facet less others",
        "DI": "share predicted favourably: the facet's divided by the others'; 1 is equal",
        "DPPL": "share predicted favourably: others less the facet",
        "DRR": "share of unfavourable predictions that are right: the facet less others",
        "FT": "net share of the facet's rows favoured where like rows outside it are not",
        "GE": "inequality of mistakes over all rows, whatever the facet: 0 is none",
        "RD": "share of favourable labels that are predicted so: others less the facet",
        "SD": "share of unfavourable labels that are predicted so: the facet less others",
        "TE": "mistakes against, for each mistake in favour: the facet less others",
    }
)


def bias_section(bias: BiasAnalysis) -> Section:
    """Return what an analysis says, in sentences, tables and charts."""
    good = shown(f"{bias.label} = {bias.favourable}")
    before, after = bias.before[:MOST_FACETS], bias.after[:MOST_FACETS]
    kinds: tuple[tuple[str, Sequence[FacetBias], SharesOf], ...] = (
        ("labels", before, label_shares),
        ("predictions", after, prediction_shares),
    )
    tables = [_table(kind, facets, of) for kind, facets, of in kinds if facets]
    if bias.remedy is not None:
        tables.insert(0, _remedy(bias.remedy, after))
    tables += [_metrics(kind, facets) for kind, facets, _ in kinds if facets]
    tables.append(_explained([facets for _, facets, _ in kinds if facets]))
    return Section(
        "bias",
        "Whom labels and predictions favour" if after else "Whom labels favour",
        tuple(_sentences(bias, good)),
        tables=tuple(tables),
        charts=tuple(_charts(kinds)),
    )


def _sentences(bias: BiasAnalysis, good: str) -> Iterator[str]:
    yield (
        f"Favourable is {good}. A facet is a part of the rows that should not fare worse or better "
        f"for what it is. The metrics are SageMaker Clarify's; {BIAS_FILE} has them in its shape. "
        "Rows count as one each, also where they have weights."
    )
    for facets, of, verb in (
        (bias.before, label_shares, "have the favourable label"),
        (bias.after, prediction_shares, "are predicted it"),
    ):
        for facet in facets[:SPOKEN]:
            shares = of(facet)
            if shares is not None:
                yield _sentence(facet, shares, verb)
    if len(bias.before) > MOST_FACETS:
        yield f"{len(bias.before) - MOST_FACETS} more facets are in {BIAS_FILE} alone."
    yield from (f"{note[0].upper()}{note[1:]}." for note in bias.notes)


def _sentence(facet: FacetBias, shares: FavourableShares, verb: str) -> str:
    low, high = shares.interval
    word = (
        "no difference is shown"
        if low <= 0 <= high
        else f"the facet fares {'worse' if low > 0 else 'better'}"
    )
    return (
        f"{shown(facet.words)}: {shares.facet.value:.1%} of its {shares.facet.rows} rows {verb}, "
        f"and {shares.others.value:.1%} of the {shares.others.rows} others: {word}."
    )


def _table(kind: str, facets: Sequence[FacetBias], of: SharesOf) -> TextTable:
    return TextTable(
        ("facet", "rows", f"favourable {kind}", "of others", "difference", "95 % interval"),
        tuple(_row(facet, of(facet)) for facet in facets),
        f"How often {kind} are favourable",
    )


def _row(facet: FacetBias, shares: FavourableShares | None) -> Row:
    name, rows = shown(facet.words), str(facet.inside.rows)
    if shares is None:
        return name, rows, "", "", "", ""
    low, high = shares.interval
    return (
        name,
        rows,
        f"{shares.facet.value:.1%}",
        f"{shares.others.value:.1%}",
        f"{shares.difference:+.1%}",
        f"{low:+.1%} to {high:+.1%}",
    )


def _remedy(remedy: Remedy, after: Sequence[FacetBias]) -> TextTable:
    low, high = remedy.interval
    change = f"{remedy.value - remedy.without:+.4f} ({low:+.4f} to {high:+.4f})"
    rows = [(remedy.metric, f"{remedy.without:.4f}", f"{remedy.value:.4f}", change)]
    for name in COMPARED:
        for facet, before in zip(after, remedy.facets, strict=False):
            then, now = (one.metric(name).value for one in (before, facet))
            if then is not None and now is not None:
                words = f"{name}, {shown(facet.words, _NAME)}"
                rows.append((words, f"{then:+.4f}", f"{now:+.4f}", f"{now - then:+.4f}"))
    return TextTable(
        ("on the same held-out rows", "without", "with", "difference, 95 % interval"),
        tuple(rows),
        "What weights by facets and label (reweigh=facet) cost, and do",
    )


def _metrics(kind: str, facets: Sequence[FacetBias]) -> TextTable:
    names = [metric.name for metric in facets[0].metrics]
    return TextTable(
        ("metric", *(shown(facet.words, _NAME) for facet in facets)),
        tuple((n, *(_value(facet.metric(n)) for facet in facets)) for n in names),
        f"Clarify's metrics of {kind}",
    )


def _explained(kinds: Sequence[Sequence[FacetBias]]) -> TextTable:
    names = [metric.name for facets in kinds for metric in facets[0].metrics]
    return TextTable(
        ("metric", "what it compares"),
        tuple((name, _WORDS[name]) for name in names),
        "What the metrics compare",
        ends_in_words=True,
    )


def _value(metric: BiasMetric) -> str:
    if metric.value is None:
        return "not known"
    return f"{metric.value:.4g}" if math.isfinite(metric.value) else "infinite"


def _charts(kinds: Sequence[tuple[str, Sequence[FacetBias], SharesOf]]) -> Iterator[Chart]:
    for kind, facets, of in kinds:
        found = [(facet, shares) for facet in facets if (shares := of(facet)) is not None]
        if found:
            yield _chart(kind, found, of)


def _chart(kind: str, found: Sequence[tuple[FacetBias, FavourableShares]], of: SharesOf) -> Chart:
    lines, dots = [], []
    for number, part in enumerate(FavourableShares._fields):
        colour, word = ((ONE, "the facet"), (TWO, "the others"))[number]
        places = np.arange(len(found)) + (0.15 if number else -0.15)
        shares = [getattr(both, part) for _, both in found]
        lines += [
            marks.line(share.interval, (y, y), colour, "" if row else word)
            for row, (share, y) in enumerate(zip(shares, places.tolist(), strict=True))
        ]
        dots.append(marks.dots([share.value for share in shares], places, colour, 7))
    ends = [end for _, both in found for share in both for end in share.interval]
    room = 0.05 * (max(ends) - min(ends)) or 0.05
    names = [shown(facet.words, _NAME) for facet, _ in found]
    return Chart(
        f"Favourable {kind}",
        f"The share of rows whose {kind} are favourable, in each facet and outside it, with its "
        "95 % interval.",
        _table(kind, [facet for facet, _ in found], of),
        axes.shares("share of the rows", max(0.0, min(ends) - room), min(1.0, max(ends) + room)),
        axes.words("", names, is_down=True),
        (*lines, *dots),
        height=110 + 40 * len(found),
    )
