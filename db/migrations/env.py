"""Alembic's environment: for `db.migrate`, which opens the transaction, and for its commands."""

import os
from typing import Any

from alembic import context
from sqlalchemy import Connection

from db.engine import make_engine
from db.schema import DEFAULT_SCHEMA, VERSION_TABLE, OwnTable, own_metadata
from db.schemas import schemas_of

OWN_TABLES = frozenset(table.name for table in OwnTable.metadata.sorted_tables)


def run(connection: Connection) -> None:
    own = schemas_of(connection).own
    # Alembic knows the schema that comes first in the search path as None: ours, if it bears the
    # user's name.
    compared = None if own == connection.dialect.default_schema_name else own

    def only_own(name: str | None, kind: str, parents: Any) -> bool:
        """Leave the application's tables, the source tables and everybody else's alone."""
        if kind == "schema":
            return name == compared
        if kind == "table":
            return name in OWN_TABLES
        return parents.get("table_name") in OWN_TABLES if "table_name" in parents else True

    context.configure(
        connection=connection,
        target_metadata=own_metadata(compared),
        version_table=VERSION_TABLE,
        version_table_schema=own,
        include_schemas=True,
        include_name=only_own,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    schema = os.environ.get("TRAINFOLD_DATABASE_SCHEMA", DEFAULT_SCHEMA)
    engine = make_engine(os.environ["TRAINFOLD_DATABASE_URL"], schema=schema)
    with engine.begin() as own_connection:
        run(own_connection)
