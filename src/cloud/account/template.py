"""The CloudFormation template that came with this version of sagetree."""

import re
from pathlib import Path

# A link to cloud/template.yaml in a checkout, a file of the wheel elsewhere.
PATH = Path(__file__).parents[1] / "template.yaml"


def parameters_of(template: str) -> list[str]:
    r"""Return the names of the template's parameters.

    >>> parameters_of("Parameters:\n  ImageUri: {Type: String}\nResources:\n  Bucket:\n")
    ['ImageUri']
    """
    section = re.search(r"^Parameters:\n((?:[ #].*\n|\n)+)", template, re.MULTILINE)
    return re.findall(r"^  (\w+):", section[1], re.MULTILINE) if section else []
