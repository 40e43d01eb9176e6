"""What a comparison shows, in words and as data, and what it does to a verdict."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sagetree.evaluate.comparison.answers import Answers, check_comparable
from sagetree.evaluate.comparison.differences import Costs, Difference, differences
from sagetree.evaluate.metrics.interval import LEVEL
from sagetree.evaluate.verdict.gate import MetricVerdict, Verdict

COMPARISON_FILE = "comparison.json"


@dataclass(frozen=True)
class Comparison:
    """The differences between two models on the same rows; the first one decides.

    `warnings` say why to distrust it, a sentence each.
    """

    rows: int
    differences: tuple[Difference, ...]
    sha256: dict[str, str]
    warnings: tuple[str, ...]

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
        return "\n".join((*table, f"{self.reason[0].upper()}{self.reason[1:]}"))


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
    champion: Answers, challenger: Answers, where: str, costs: Costs | None = None
) -> Comparison:
    """Compare two models by what they say of the same rows; `where` names these in an error.

    Raises UserError where they cannot be compared.
    """
    weights = challenger.weights
    champion, challenger = (each.that_count(weights) for each in (champion, challenger))
    check_comparable(champion, challenger, where)
    return Comparison(
        len(challenger.labels),
        differences(champion, challenger, costs),
        {"champion": champion.model.sha256, "challenger": challenger.model.sha256},
        tuple(_repeated("champion", champion)) + tuple(_repeated("challenger", challenger)),
    )


def _repeated(name: str, answers: Answers) -> Iterator[str]:
    found = answers.repeats
    if found is not None and found.is_suspect:
        yield (
            f"{found.repeated} of {found.compared} rows are rows of the {name}'s training, where "
            f"{found.by_chance:.1%} would be by chance: it looks better than it is. Compare on "
            "rows that neither model was trained on"
        )
