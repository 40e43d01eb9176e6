"""The walk of a comparison: two models and labelled rows to what is shown of them."""

from dataclasses import dataclass
from pathlib import Path

from sagetree.boosters.best_rounds import Rounds
from sagetree.decisions.rules import LeastCost
from sagetree.errors import SettingsError
from sagetree.evaluate.cases import read_rows
from sagetree.evaluate.comparison.answers import Contender, naming
from sagetree.evaluate.comparison.result import COMPARISON_FILE, compare
from sagetree.evaluate.results import remove_results, write_results
from sagetree.machine.paths import OptMl
from sagetree.machine.program import LOG


@dataclass(frozen=True)
class CompareSettings:
    """What the command line says; without `costs` they are what a model's decision says."""

    costs: LeastCost | None = None
    rounds: Rounds = "best"


def run(opt_ml: OptMl, settings: CompareSettings) -> Path:
    """Compare processing/champion with processing/model on processing/test.

    Returns the file with the result, processing/evaluation/comparison.json. Raises UserError
    for models or rows that cannot be used.
    """
    folder = opt_ml.processing / "evaluation"
    remove_results(folder, [COMPARISON_FILE])
    champion, challenger = (
        Contender.load(opt_ml.processing / name, settings.rounds) for name in ("champion", "model")
    )
    _check_costs(settings.costs, challenger)
    test = opt_ml.processing / "test"
    table = read_rows(test, challenger.model)
    with naming("champion"):
        old = champion.answer(table, challenger.model)
    with naming("challenger"):
        new = challenger.answer(table, champion.model)
    comparison = compare(old, new, str(test), settings.costs)
    write_results(folder, {COMPARISON_FILE: comparison.as_json()})
    LOG.info("%d rows\n%s", comparison.rows, comparison)
    for warning in comparison.warnings:
        LOG.warning("WARNING: %s", warning)
    return folder / COMPARISON_FILE


def _check_costs(costs: LeastCost | None, challenger: Contender) -> None:
    objective = challenger.model.objective
    if costs is not None and objective.task != "binary":
        raise SettingsError(
            "--miss and --alarm are for a binary label, and the challenger's objective is "
            f"{objective.name}",
            hint="Leave them out",
        )
