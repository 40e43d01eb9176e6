from collections.abc import Iterator
from pathlib import Path

import pytest

from sagetree.prepare.database import Database, identifier, open_database


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for /opt/ml, for this process too."""
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))
    (tmp_path / "processing" / "input").mkdir(parents=True)
    return tmp_path


@pytest.fixture(scope="session")
def shared_db() -> Iterator[Database]:
    with open_database(1_000_000_000) as database:
        yield database


@pytest.fixture
def db(shared_db: Database) -> Iterator[Database]:
    """A database without tables."""
    yield shared_db
    for schema, table in shared_db.rows("SELECT schema_name, table_name FROM duckdb_tables()"):
        shared_db.run(f"DROP TABLE {schema}.{identifier(table)}")
