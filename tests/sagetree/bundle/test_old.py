"""Documents of earlier formats become those of the present one, step by step."""

import pytest

from sagetree.bundle.old import FORMAT, UPGRADES, Documents, upgraded


def spelled(documents: Documents) -> Documents:
    """Format 1 to 2 of a story: `color` is called `colour`."""
    return {"schema.json": {"colour": documents["schema.json"]["color"]}}


def listed(documents: Documents) -> Documents:
    """Format 2 to 3: there may be several."""
    return {"schema.json": {"colours": [documents["schema.json"]["colour"]]}}


@pytest.mark.parametrize(
    ("number", "documents"),
    [
        (1, {"schema.json": {"color": "red"}}),
        (2, {"schema.json": {"colour": "red"}}),
        (3, {"schema.json": {"colours": ["red"]}}),
    ],
)
def test_each_format_takes_the_steps_that_are_left(number: int, documents: Documents):
    assert upgraded(documents, number, (spelled, listed)) == {"schema.json": {"colours": ["red"]}}


def test_the_present_format_stays_as_it_is():
    documents = {"schema.json": {"columns": []}}
    assert upgraded(documents, FORMAT) is documents


def test_a_step_more_is_a_format_more():
    assert len(UPGRADES) + 1 == FORMAT
