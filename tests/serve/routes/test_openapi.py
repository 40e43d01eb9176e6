from typing import get_args

import pytest

from sagetree.serve.routes.openapi import row_schema
from sagetree.tables.schema import Column, Kind


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_of_column_is_described(kind: Kind):
    column = Column(name="x", kind=kind, missing=0, distinct=1)
    described = row_schema([column], {})
    assert described["required"] == (["x"] if column.is_input else [])
    assert "null" in described["properties"]["x"]["type"]
