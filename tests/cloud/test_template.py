"""The template: what CloudFormation takes, and the pipeline's definition in it."""

from pathlib import Path

import pytest

from sagetree.cloud.pipeline.embedded import with_definition
from sagetree.errors import UserError

TEMPLATE = Path(__file__).parents[2] / "cloud" / "template.yaml"

# CreateStack takes so many bytes as TemplateBody.
MOST_BYTES = 51_200


def test_the_definition_in_it_is_the_one_of_the_code() -> None:
    text = TEMPLATE.read_text()
    assert with_definition(text) == text, "make generated"


def test_it_is_small_enough_to_be_sent_as_it_is() -> None:
    assert len(TEMPLATE.read_bytes()) < MOST_BYTES


def test_a_template_without_marks_is_an_error() -> None:
    with pytest.raises(UserError) as raised:
        with_definition("Resources: {}\n")
    assert str(raised.value) == (
        "the template: there are no lines '# definition: begin' and '# definition: end'. "
        "the pipeline's definition is written between them"
    )
