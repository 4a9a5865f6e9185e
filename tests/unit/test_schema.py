"""The schema and its migrations."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine

from store.schema import metadata


def test_migrations_lead_to_the_schema_the_code_expects(engine: Engine) -> None:
    """Nothing differs between the migrated database and the tables in the code."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": _is_ours})

        assert compare_metadata(context, metadata) == []


def _is_ours(_: object, name: str | None, kind: str, *__: object) -> bool:
    return not (kind == "table" and name and name.startswith(("deliveries_", "snapshots_", "attempts_", "alembic")))
