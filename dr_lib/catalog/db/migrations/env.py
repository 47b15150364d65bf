"""Run by Alembic: brings the database of the connection that it is given to the newest tables."""

from __future__ import annotations

from alembic import context

from dr_lib.catalog.db.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
