"""The page of errors: what a job says about broken input, from the cases that tests check."""

from pathlib import Path

CASES = Path(__file__).parents[2] / "tests" / "bad"

_SECTIONS = (
    ("Tables", CASES, "{folder}/"),
    ("Hyperparameters", CASES / "hyperparameters", ""),
    ("A job's folders", CASES / "jobs", "{root}"),
)


def errors_page() -> str:
    """Return each error by what is wrong, word for word."""
    parts = [
        "# Errors, and what to do",
        "",
        "A job that cannot continue ends with a message that says what is wrong, where, and what",
        "to do; on SageMaker it becomes the job's failure reason. The server answers with the same",
        "as JSON. These are the texts, word for word, as the test suite checks them.",
        "",
    ]
    for title, folder, place in _SECTIONS:
        parts += [f"## {title}", ""]
        for case in sorted(folder.glob("*/error.txt")):
            text = case.read_text("utf-8").strip()
            text = text.replace(place, "/opt/ml" if place == "{root}" else "") if place else text
            text = text.replace("{folder}", "/opt/ml/input/data/train")
            parts += [f"### {case.parent.name.replace('-', ' ')}", "", _wrapped(text), ""]
    return "\n".join(parts)


def _wrapped(text: str) -> str:
    """Return lines as code that wraps, which a block of code on a page does not."""
    return "  \n".join(f"`` {line} ``" for line in text.splitlines() if line)
