"""The CloudFormation templates that came with this version of sagetree."""

import re
from pathlib import Path

# Links to cloud/*.yaml in a checkout, files of the wheel elsewhere.
TEMPLATES = Path(__file__).parents[1] / "templates"


def parameters_of(template: str) -> list[str]:
    r"""Return the names of the template's parameters.

    >>> parameters_of("Parameters:\n  ImageUri: {Type: String}\nResources:\n  Bucket:\n")
    ['ImageUri']
    """
    return _names_in("Parameters", template)


def outputs_of(template: str) -> list[str]:
    r"""Return the names of the template's outputs.

    >>> outputs_of("Resources:\n  Bucket:\nOutputs:\n  BucketName: {Value: !Ref Bucket}\n")
    ['BucketName']
    """
    return _names_in("Outputs", template)


def _names_in(section: str, template: str) -> list[str]:
    found = re.search(rf"^{section}:\n((?:[ #].*\n|\n)+)", template, re.MULTILINE)
    return re.findall(r"^  (\w+):", found[1], re.MULTILINE) if found else []
