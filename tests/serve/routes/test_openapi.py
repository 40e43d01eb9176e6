from typing import get_args

import pytest

from sagetree.serve.protocol.json_schemas import cell_schema
from sagetree.tables.schema import Kind


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_of_column_is_described(kind: Kind):
    assert "null" in cell_schema(kind, ())["type"]
