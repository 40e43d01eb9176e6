"""The page of errors: what a job says of broken input, from the cases that tests hold it to."""

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
        "A job that cannot go on ends with one sentence of what is wrong, where, and what to do;",
        "on SageMaker it is the job's failure reason. The server answers the same as JSON. Here",
        "they are word for word, as the test suite holds them.",
        "",
    ]
    for title, folder, place in _SECTIONS:
        parts += [f"## {title}", ""]
        for case in sorted(folder.glob("*/error.txt")):
            text = case.read_text("utf-8").strip()
            text = text.replace(place, "/opt/ml" if place == "{root}" else "") if place else text
            parts += [f"### {case.parent.name.replace('-', ' ')}", "", "```text", text, "```", ""]
    return "\n".join(parts)
