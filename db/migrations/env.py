"""Alembic's environment: one transaction, one migrator at a time, and no waiting for ever."""

import os
from typing import Any

from alembic import context
from sqlalchemy import Connection, text

from db.engine import make_engine
from db.schema import OwnTable

OWN_TABLES = frozenset(OwnTable.metadata.tables)
VERSION_TABLE = "trainfold_schema_version"
MIGRATION_LOCK = 7_203_115_001
"""Any constant; two migrators of one database must agree on it."""


def only_own(name: str | None, kind: str, parents: Any) -> bool:
    """Leave the application's tables, and everybody else's, alone."""
    if kind == "table":
        return name in OWN_TABLES
    return parents.get("table_name") in OWN_TABLES if "table_name" in parents else True


def run(connection: Connection) -> None:
    with connection.begin():
        # Transaction-level, as a pooler in transaction mode breaks anything that outlives it.
        connection.execute(text("SET LOCAL lock_timeout = '10s'"))
        connection.execute(text("SET LOCAL statement_timeout = '120s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        context.configure(
            connection=connection,
            target_metadata=OwnTable.metadata,
            version_table=VERSION_TABLE,
            include_name=only_own,
            compare_server_default=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        _close_version_table(connection)


def _close_version_table(connection: Connection) -> None:
    exists = text("SELECT to_regclass(:name)")
    if connection.execute(exists, {"name": VERSION_TABLE}).scalar():
        connection.execute(text(f"ALTER TABLE {VERSION_TABLE} ENABLE ROW LEVEL SECURITY"))


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with make_engine(os.environ["TRAINFOLD_DATABASE_URL"]).connect() as own_connection:
        run(own_connection)
