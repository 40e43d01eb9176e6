"""The definition as the template has it: between two marks, with CloudFormation's names in it."""

import json

from sagetree.cloud.pipeline.definition import definition
from sagetree.cloud.pipeline.expressions import Json, Object, execution, join, output
from sagetree.cloud.pipeline.gate import auc, bias, registered
from sagetree.cloud.pipeline.jobs import COPIED, JOB_RETRY, MACHINE, channel
from sagetree.cloud.pipeline.places import STEP_RETRY, Defaults, Example, Places
from sagetree.errors import UserError

BEGIN, END = "# definition: begin", "# definition: end"

PLACES = Places(
    image="${ImageUri}",
    role="${JobRole.Arn}",
    bucket="${Bucket}",
    group="${AWS::StackName}",
    deploy_function="${DeployFunction.Arn}",
    vpc={"@": "VpcConfig"},
    key="@KmsKeyId",
)
EXAMPLE = Example(key="${IdField}", label="${Label}", facets="@Facets")
DEFAULTS = Defaults("@MinimumAuc", "${ApprovalStatus}", "${JobInstanceType}")

# What stands in place of the marks above. A number is bare; what a stack may lack
# is a text with its comma, or nothing.
WRITTEN = {
    '"@MinimumAuc"': "${MinimumAuc}",
    ',"VpcConfig":{"@":"VpcConfig"}': "${VpcConfig}",
    ',"KmsKeyId":"@KmsKeyId"': "${OutputKey}",
    ',"VolumeKmsKeyId":"@KmsKeyId"': "${VolumeKey}",
    ',"facets":"@Facets"': "${Facets}",
}


def with_definition(template: str) -> str:
    """Return a template with the definition as it is now between its two marks.

    Raises UserError for a template without them.
    """
    before, begin, rest = template.partition(BEGIN)
    head, _, inside = rest.partition("\n")
    _, end, after = inside.partition(END)
    if not (begin and end):
        raise UserError(
            f"there are no lines {BEGIN!r} and {END!r}",
            where="the template",
            hint="the pipeline's definition is written between them",
        )
    margin = " " * (len(before) - len(before.rstrip(" ")))
    lines = [margin + line for line in _yaml_lines()]
    return "\n".join([before + begin + head, *lines, f"{margin}  {end}"]) + after


def _yaml_lines() -> list[str]:
    """Return the two values of Fn::Sub: the text, and the beginning of what it names."""
    texts, once = _text_lines(), _said_once()
    for name, text in once.items():
        texts = [line.replace(text, f"${{{name}}}") for line in texts]
    named = [line for name, text in once.items() for line in _named(name, text)]
    named[0] = f"- {named[0]}"
    return ["- >-", *(f"  {line}" for line in texts), named[0], *(f"  {x}" for x in named[1:])]


def _named(name: str, text: str) -> list[str]:
    """Return a variable of Fn::Sub, in which what stands there again and again is one, too."""
    evaluated = _beginning(join("/", output("Evaluate", "evaluation"), ""))
    if evaluated in text:
        asked = f",{_members(bias())}"
        filled = text.replace(asked, "${Bias}").replace(evaluated, "${Evaluated}")
        inner = ["- >-", f"  {filled}", "- Evaluated: >-", f"    {evaluated}"]
        quoted = asked.replace("'", "''")
        inner.append(f"  Bias: !If [HasFacets, '{quoted}', \"\"]")
        return [f"{name}: !Sub", *(f"  {line}" for line in inner)]
    return [f"{name}: !Sub >-" if "${" in text else f"{name}: >-", f"  {text}"]


def _said_once() -> dict[str, str]:
    """Return what several steps have alike, by a name: a template's length is limited."""
    _, channel_of, whole = _text(channel("@")).split("@")
    in_this_run = _beginning(join("/", f"s3://{PLACES.bucket}/runs", execution(), ""))
    return {
        "Registered": _members(registered(PLACES, EXAMPLE)),
        "Retry": _text(STEP_RETRY),
        "JobRetry": _text(JOB_RETRY),
        "Auc": _text(auc()),
        "Channel": channel_of,
        "Whole": whole,
        "Saved": f'"AppManaged":false,"S3Output":{{"S3Uri":{in_this_run}',
        "Copied": _members(COPIED),
        "Machine": _members(MACHINE),
    }


def _members(value: Object) -> str:
    return _text(value)[1:-1]


def _beginning(value: Object) -> str:
    """Return the text up to the last value of a join, which is empty."""
    return _text(value).partition('""')[0]


def _text_lines() -> list[str]:
    """Return the definition for Fn::Sub, one line for each parameter and step."""
    made = definition(PLACES, EXAMPLE, DEFAULTS)
    lines = ["{"]
    for key, value in made.items():
        comma = "," if key != list(made)[-1] else ""
        if isinstance(value, list):
            items = ",\n".join(map(_text, value)).split("\n")
            lines += [f'"{key}":[', *items, f"]{comma}"]
        else:
            lines.append(f'"{key}":{_text(value)}{comma}')
    return [*lines, "}"]


def _text(value: Json) -> str:
    text = json.dumps(value, separators=(",", ":"))
    for mark, written in WRITTEN.items():
        text = text.replace(mark, written)
    return text
