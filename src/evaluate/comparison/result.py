"""What a comparison shows, in words and as data, and what it does to a verdict."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sagetree.bundle.copies import Rows, distinct_count
from sagetree.decisions.rules import LeastCost
from sagetree.evaluate.comparison.answers import Answers, Costs, check_comparable, copies_of_both
from sagetree.evaluate.comparison.differences import Difference, differences
from sagetree.evaluate.metrics.interval import LEVEL
from sagetree.evaluate.metrics.rows import counted_once, said_of_copies, with_weight
from sagetree.evaluate.verdict.gate import MetricVerdict, Verdict

COMPARISON_FILE = "comparison.json"


@dataclass(frozen=True)
class Comparison:
    """The differences between two models on the same rows; the first one decides.

    `costs` is the rule that says what mistakes cost, "" where no cost is compared;
    `warnings` say why to distrust it, a sentence each.
    """

    rows: int
    differences: tuple[Difference, ...]
    sha256: dict[str, str]
    warnings: tuple[str, ...]
    costs: str = ""

    @property
    def decisive(self) -> Difference:
        """The difference that decides which model is better."""
        return self.differences[0]

    @property
    def reason(self) -> str:
        """What the decisive difference shows, in a clause."""
        first = self.decisive
        low, high = first.interval
        found = (
            f"{first.metric} {first.challenger:.4g} against {first.champion:.4g}, a difference of "
            f"{first.value:+.4g} (95 % interval {low:+.4g} to {high:+.4g})"
        )
        if first.word == "no difference shown":
            return f"no difference to the champion is shown: {found}"
        return f"the challenger is {first.word} than the champion: {found}"

    def judged(self, verdict: Verdict | MetricVerdict) -> Verdict | MetricVerdict:
        """Return the verdict of the challenger: a rejection where it is shown to be worse."""
        if self.decisive.word == "worse":
            reason = f"{verdict.reason}; but {self.reason}"
            return replace(verdict, verdict="Rejected", reason=reason)
        return replace(verdict, reason=f"{verdict.reason}; {self.reason}")

    def as_json(self) -> dict[str, object]:
        """Return the content of comparison.json; a bound that is not known is null."""
        return {
            "verdict": self.decisive.word,
            "reason": self.reason,
            "decided_by": self.decisive.metric,
            "costs": self.costs or None,
            "rows": self.rows,
            "confidence": LEVEL,
            "sha256": self.sha256,
            "metrics": {
                each.metric: {
                    "champion": each.champion,
                    "challenger": each.challenger,
                    "difference": each.value,
                    "low": each.interval[0],
                    "high": each.interval[1],
                    "verdict": each.word,
                }
                for each in self.differences
            },
            "warnings": self.warnings,
        }

    def __str__(self) -> str:
        """Return the differences as a table, and what the first one shows."""
        head = ("", "champion", "challenger", "difference", "95 % interval", "challenger is")
        lines = [head, *map(_cells, self.differences)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = [
            "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        paid = [f"A row's mean cost is by {self.costs}"] if self.costs else []
        return "\n".join((*table, *paid, f"{self.reason[0].upper()}{self.reason[1:]}"))


def _cells(each: Difference) -> tuple[str, ...]:
    low, high = each.interval
    return (
        each.metric,
        f"{each.champion:.4g}",
        f"{each.challenger:.4g}",
        f"{each.value:+.4g}",
        f"{low:+.4g} to {high:+.4g}",
        each.word,
    )


def compare(
    champion: Answers, challenger: Answers, where: str, costs: LeastCost | None = None
) -> Comparison:
    """Compare two models by what they say about the same rows; `where` names these in an error.

    Mistakes cost what `costs` say, else what the challenger's decision does, else the
    champion's. Raises UserError where they cannot be compared.
    """
    weights, copies = challenger.weights, copies_of_both(champion, challenger)
    warnings = [] if costs else [*_other_costs(champion, challenger)]
    given = Costs.of(costs, challenger.labels) if costs else None
    challenger = challenger._replace(costs=given or challenger.costs or champion.costs)
    champion, challenger = (each.that_count(weights) for each in (champion, challenger))
    check_comparable(champion, challenger, where)
    rows = len(challenger.labels)
    # of ranks a copy may be a row of another group
    if copies is not None and challenger.objective.task != "ranking":
        (copies,) = with_weight(weights, copies)
        champion, challenger = _without_copies(champion, challenger, copies)
        warnings += said_of_copies(rows - distinct_count(copies), rows)
    return Comparison(
        rows,
        differences(champion, challenger, where),
        {"champion": champion.model.sha256, "challenger": challenger.model.sha256},
        (*warnings, *_repeated("champion", champion), *_repeated("challenger", challenger)),
        challenger.costs.rule if challenger.costs else "",
    )


def _other_costs(champion: Answers, challenger: Answers) -> Iterator[str]:
    """Yield that the models' decisions say differently what mistakes cost."""
    old, new = champion.costs, challenger.costs
    if old and new and old.rule != new.rule:
        yield (
            f"the champion's decision is {old.rule}, the challenger's {new.rule}: both are judged "
            "by the challenger's costs"
        )


def _without_copies(champion: Answers, challenger: Answers, copies: Rows) -> tuple[Answers, ...]:
    """Return the answers for one row of each that are copies, with the weight of them all.

    Copies whose mistakes cost differently are rows of their own.
    """
    costs, count = challenger.costs, len(challenger.labels)
    said = [each.scores.reshape(count, -1) for each in (champion, challenger)]
    paid = [] if costs is None else [costs.miss.reshape(count, 1), costs.alarm.reshape(count, 1)]
    columns: list[NDArray[Any]] = [*said, *paid]
    labels, joined, weights = counted_once(
        challenger.labels, np.concatenate(columns, axis=1), challenger.weights, copies
    )
    old, new, *amounts = np.split(joined, np.cumsum([each.shape[1] for each in columns])[:-1], 1)
    if costs is not None:
        miss, alarm = (each[:, 0].astype(np.float64) for each in amounts)
        costs = Costs(miss, alarm, costs.rule)
    return tuple(
        each._replace(
            labels=labels,
            scores=part.reshape(-1, *each.scores.shape[1:]),
            weights=weights,
            costs=costs,
        )
        for each, part in ((champion, old), (challenger, new))
    )


def _repeated(name: str, answers: Answers) -> Iterator[str]:
    found = answers.repeats
    if found is not None and found.is_suspect:
        yield (
            f"{found.repeated} of {found.compared} rows are rows of the {name}'s training, where "
            f"{found.by_chance:.1%} would be by chance: it looks better than it is. Compare on "
            "rows that neither model was trained on"
        )
