"""Pandas code in flows: the forms that are known, and code that only looks like them."""

import pytest

from sagetree.prepare.flow.pandas_code import LowerTexts, ReplaceTexts, SetNow, read_code
from tests.prepare.flow.flows import LOWER, NOW
from tests.prepare.flow.workshop import EDUCATION

KNOWN = {
    LOWER: LowerTexts(),
    LOWER.replace("cat_cols", "c").replace("lambda x: x", "lambda y: y"): LowerTexts(),
    NOW: SetNow("event_time"),
    NOW.replace("event_time", "EventTime"): SetNow("EventTime"),
    EDUCATION: ReplaceTexts(
        "customer_education",
        {"below high school": 0, "high school": 1, "associate": 2, "bachelor": 3,
         "advanced degree": 4},
    ),
    "d = {'a': 'b'}\ndf['x'] = df['x'].replace(d)": ReplaceTexts("x", {"a": "b"}),
    "d = {'a': 1, 'b': -0.5}\ndf['x'] = df['x'].replace(d)": ReplaceTexts("x", {"a": 1, "b": -0.5}),
}  # fmt: skip

OTHER = (
    "",
    "df = df.dropna()",
    "x = (",
    "\0",
    "(" * 10_000,
    LOWER.replace("lower", "upper"),
    LOWER.replace("object", "str"),
    LOWER.replace("df[cat_cols] = df[cat_cols]", "df[cat_cols] = df[other]"),
    LOWER.replace("lambda x: x", "lambda x: y"),
    LOWER + "df = df.head()",
    NOW.replace("'now'", "'yesterday'"),
    NOW.replace("import pandas", "import os"),
    EDUCATION.replace("df['customer_education'].replace", "df['other'].replace"),
    EDUCATION.replace("replace(educ_dict)", "replace(other)"),
    EDUCATION.replace(": 0", ": True"),
    EDUCATION.replace(": 0", ": None"),
    EDUCATION.replace(": 0", ": 'zero'"),
    EDUCATION.replace(": 0", ": open('x')"),
    EDUCATION.replace("'associate'", "5"),
    EDUCATION.replace("'associate'", "['x']"),
    "d = {}\ndf['x'] = df['x'].replace(d)",
    "d = {**e}\ndf['x'] = df['x'].replace(d)",
)


@pytest.mark.parametrize("code", KNOWN, ids=range(len(KNOWN)))
def test_known_code(code: str) -> None:
    assert read_code(code) == KNOWN[code]


@pytest.mark.parametrize("code", OTHER, ids=range(len(OTHER)))
def test_other_code(code: str) -> None:
    assert read_code(code) is None
