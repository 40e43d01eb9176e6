"""Loading a model by its script once in a process that may die of it.

As `sagetree.serve.models.trials`, but with all libraries there for the script:
`python -m sagetree.serve.scripts.trial SOCKET`.
"""

import sys
from pathlib import Path

from sagetree.boosters.best_rounds import Rounds
from sagetree.serve.models.trial import Candidate, Question
from sagetree.serve.models.trials import Trials, answer_questions
from sagetree.serve.scripts.code import ModelScripts, ScriptCode
from sagetree.serve.scripts.user_script import UserScript


def trials_of(folder: Path, scripts: ModelScripts, rounds: Rounds) -> Trials:
    """Return the trials of models that are loaded by these scripts."""
    common = scripts.common
    options = {
        "program": scripts.program,
        "rounds": rounds,
        "common": str(common.path) if common else None,
        "packages": str(common.packages) if common and common.packages else None,
    }
    return Trials(folder, options, __name__)


def _load(question: Question, _distrust: bool) -> UserScript:
    options, common = question.options, None
    if options["common"]:
        packages = Path(options["packages"]) if options["packages"] else None
        common = ScriptCode(Path(options["common"]), packages)
    scripts = ModelScripts(options["program"], common)
    return UserScript.load_apart(scripts, Path(question.folder), options["rounds"])


if __name__ == "__main__":
    answer_questions(sys.argv[1], Candidate(_load, "the script"))
