"""How Alembic reaches the database: the caller passes a connection."""

from __future__ import annotations

from alembic import context

from store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
