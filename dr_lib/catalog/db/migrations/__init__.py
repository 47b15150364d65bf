"""How the catalog came to its present tables (Alembic)."""
